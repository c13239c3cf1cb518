/*
 * terminals - the line discipline, seen from both ends of a pseudo-terminal: termios(3), pty(7).
 * Sessions and job control are in sessions.c.
 */
#define _GNU_SOURCE
#include "check.h"
#include "pty.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_pair(void)
{
    char name[32], expected[32];
    int number = -1, locked = -1, slave;
    struct stat status;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);

    check_works(master, "/dev/ptmx gives a master");
    check_works(ioctl(master, TIOCGPTN, &number), "which has a number");
    snprintf(expected, sizeof(expected), "/dev/pts/%d", number);
    ptsname_r(master, name, sizeof(name));
    check_text(name, expected, "the slave's name has that number");
    check_errno(open(name, O_RDWR | O_NOCTTY), EIO, "a slave that is locked cannot be opened: EIO");
    check(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked, "and is said to be locked");
    check_works(unlockpt(master), "it can be unlocked");
    slave = open(name, O_RDWR | O_NOCTTY);
    check_works(slave, "and then be opened");
    check(fstat(slave, &status) == 0 && S_ISCHR(status.st_mode) && major(status.st_rdev) == 136 &&
              (int)minor(status.st_rdev) == number,
          "the slave is character device 136, of its number");
    check(ttyname_r(slave, expected, sizeof(expected)) == 0 && strcmp(expected, name) == 0,
          "ttyname finds its name");
    check(isatty(slave) && isatty(master), "both ends are terminals");
    close(slave);
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    check(slave >= 0 && isatty(slave), "TIOCGPTPEER opens the slave, too");
    close(slave);
    close(master);
    check_errno(open(name, O_RDWR | O_NOCTTY), ENOENT, "without a master there is no slave");
}

static void test_first_settings(void)
{
    struct pty p = pty_open();
    struct termios t;
    struct winsize w = {1, 1, 1, 1};

    tcgetattr(p.slave, &t);
    check_equal(t.c_iflag, ICRNL | IXON, "a terminal starts with ICRNL and IXON");
    check_equal(t.c_oflag, OPOST | ONLCR, "with OPOST and ONLCR");
    check_equal(t.c_cflag, B38400 | CS8 | CREAD, "with 38400 baud, 8 bits, the receiver on");
    check_equal(t.c_lflag, ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE,
                "in canonical mode with all echo");
    static const unsigned char keys[] = {3,  28, 127, 21, 4,  0,  1,  0, 17,
                                         19, 26, 0,   18, 15, 23, 22, 0};
    check_bytes(t.c_cc, keys, sizeof(keys), "with the usual keys");
    check(ioctl(p.slave, TIOCGWINSZ, &w) == 0 && w.ws_row == 0 && w.ws_col == 0,
          "its size is unknown, 0 x 0");
    pty_close(&p);
}

static void test_canonical(void)
{
    struct pty p = pty_open();
    int waiting;

    check_echo(&p, "abc", "abc", "what is typed is shown");
    check_silent(p.slave, "a line that has not ended cannot be read: EAGAIN");
    check_echo(&p, "\r", "\r\n", "Enter ends the line, on the screen too");
    check_read(&p, 100, "abc\n", "then it can be read, with a newline");
    check_echo(&p, "one\ntwo\n", "one\r\ntwo\r\n", "two lines can be typed ahead");
    ioctl(p.slave, FIONREAD, &waiting);
    check_equal(waiting, 8, "FIONREAD counts both");
    check_read(&p, 100, "one\n", "a read gives one line");
    check_read(&p, 2, "tw", "a short read gives a part of the next");
    check_read(&p, 2, "o\n", "and the next read the rest");

    check_echo(&p, "end\004", "end", "^D is not shown");
    check_read(&p, 100, "end", "and gives the line to the reader as it is");
    pty_type(&p, "\004");
    check_read(&p, 100, "", "^D at the start of a line is the end of the file");
    check_echo(&p, "fives\004", "fives", "a line can be as long as the read");
    check_read(&p, 5, "fives", "it is read");
    check_silent(p.slave, "and its ^D with it: no end of file follows");
    check_echo(&p, "fives\n", "fives\r\n", "with a newline");
    check_read(&p, 5, "fives", "it is read alone");
    check_read(&p, 5, "\n", "and then the newline");
    pty_close(&p);
}

static void test_editing(void)
{
    struct pty p = pty_open();

    check_echo(&p, "abx\177c\n", "abx\b \bc\r\n", "Backspace rubs a character out");
    check_read(&p, 100, "abc\n", "and takes it back");
    check_echo(&p, "\177\177a\n", "a\r\n", "at the start of a line it does nothing");
    check_read(&p, 100, "a\n", "nor to what is read");
    check_echo(&p, "abc\025de\n", "abc\b \b\b \b\b \bde\r\n", "^U rubs the line out");
    check_read(&p, 100, "de\n", "and forgets it");
    check_echo(&p, "a bc  \027d\n", "a bc  \b \b\b \b\b \b\b \bd\r\n", "^W rubs a word out");
    check_read(&p, 100, "a d\n", "and the blanks behind it");
    check_echo(&p, "\001\177b\n", "^A\b \b\b \bb\r\n", "a control character is shown as two");
    check_read(&p, 100, "b\n", "and erased as one");
    check_echo(&p, "ab\t\177c\n", "ab\t\b\b\b\b\b\bc\r\n", "a tab is erased up to where it began");
    check_read(&p, 100, "abc\n", "as one character");
    check_echo(&p, "a\026\003b\n", "a^\b^Cb\r\n", "behind ^V even ^C is an ordinary character");
    check_read(&p, 100, "a\003b\n", "for the reader, too");
    check_echo(&p, "ab\022c\n", "ab^R\r\nabc\r\n", "^R shows the line once more");
    check_read(&p, 100, "abc\n", "and does not change it");

    pty_set(&p, .iflag = IUTF8);
    check_echo(&p, "a\303\244\177\n", "a\303\244\b \b\r\n",
               "with IUTF8 a character is erased whole");
    check_read(&p, 100, "a\n", "with all its bytes");
    pty_set(&p, .no_iflag = IUTF8);
    check_echo(&p, "a\303\244\177\n", "a\303\244\b \b\r\n", "without IUTF8 a byte is");
    check_read(&p, 100, "a\303\n", "and the other stays");
    pty_set(&p, .no_lflag = IEXTEN);
    check_echo(&p, "a b\027\n", "a b^W\r\n", "without IEXTEN ^W is an ordinary character");
    check_read(&p, 100, "a b\027\n", "for the reader, too");
    pty_close(&p);
}

static void test_echo(void)
{
    struct pty p = pty_open();

    pty_set(&p, .no_lflag = ECHOKE);
    check_echo(&p, "ab\025c\n", "ab^U\r\nc\r\n", "without ECHOKE ^U starts a new line");
    check_read(&p, 100, "c\n", "and forgets the old one");
    pty_set(&p, .no_lflag = ECHOK | ECHOKE);
    check_echo(&p, "ab\025c\n", "ab^Uc\r\n", "without ECHOK, too, it only shows itself");
    check_read(&p, 100, "c\n", "but forgets the line");
    pty_set(&p, .no_lflag = ECHOE);
    check_echo(&p, "ab\177\n", "ab^?\r\n", "without ECHOE Backspace shows itself");
    check_read(&p, 100, "a\n", "but erases");
    pty_set(&p, .lflag = ECHOPRT | ECHOE);
    check_echo(&p, "abc\177\177d\n", "abc\\cb/d\r\n", "with ECHOPRT the erased is shown for paper");
    check_read(&p, 100, "ad\n", "and erased");
    pty_set(&p, .no_lflag = ECHOPRT | ECHOCTL);
    check_echo(&p, "\001\n", "\001\r\n", "without ECHOCTL a control character goes out as it is");
    check_read(&p, 100, "\001\n", "and in");
    pty_set(&p, .lflag = ECHONL, .no_lflag = ECHO);
    check_echo(&p, "secret\n", "\r\n", "with ECHONL alone only the newline is shown");
    check_read(&p, 100, "secret\n", "but all is read");
    pty_set(&p, .no_lflag = ECHONL | ECHO);
    pty_type(&p, "secret\n");
    check_read(&p, 100, "secret\n", "without echo, too");
    check_silent(p.master, "and nothing is shown");
    pty_close(&p);
}

static void test_input_flags(void)
{
    struct pty p = pty_open();
    struct termios t;

    pty_set(&p, .no_lflag = ECHO);
    pty_set(&p, .iflag = INLCR, .no_iflag = ICRNL);
    pty_type(&p, "a\nb\004");
    check_read(&p, 100, "a\rb", "INLCR makes a carriage return of a newline, which ends no line");
    pty_set(&p, .iflag = IGNCR, .no_iflag = INLCR);
    pty_type(&p, "a\rb\n");
    check_read(&p, 100, "ab\n", "IGNCR ignores carriage returns");
    pty_set(&p, .no_iflag = IGNCR);
    pty_type(&p, "a\rb\n");
    check_read(&p, 100, "a\rb\n", "without any of them a carriage return is itself");
    pty_set(&p, .iflag = ISTRIP);
    pty_type(&p, "\341\n");
    check_read(&p, 100, "a\n", "ISTRIP takes the eighth bit");
    pty_set(&p, .iflag = IUCLC, .no_iflag = ISTRIP);
    pty_type(&p, "ABc\n");
    check_read(&p, 100, "abc\n", "IUCLC makes small letters");
    pty_set(&p, .no_iflag = IUCLC);
    tcgetattr(p.slave, &t);
    t.c_cc[VEOL] = ';';
    t.c_cc[VEOL2] = ',';
    tcsetattr(p.slave, TCSANOW, &t);
    pty_type(&p, "a;b,c\n");
    check_read(&p, 100, "a;", "VEOL ends a line");
    check_read(&p, 100, "b,", "and VEOL2");
    check_read(&p, 100, "c\n", "and still the newline");
    t.c_cc[VERASE] = '#';
    tcsetattr(p.slave, TCSANOW, &t);
    pty_type(&p, "ab#\177\n");
    check_read(&p, 100, "a\177\n", "keys can be others");
    t.c_cc[VERASE] = '\0';
    tcsetattr(p.slave, TCSANOW, &t);
    pty_type(&p, "ab#\n");
    check_read(&p, 100, "ab#\n", "or none");
    pty_close(&p);
}

static void test_limit(void)
{
    struct pty p = pty_open();
    char *text = malloc(5001), *got = malloc(5001);

    pty_set(&p, .no_lflag = ECHO);
    memset(text, 'x', 5000);
    text[4999] = '\n';
    text[5000] = '\0';
    pty_type(&p, text);
    settle();
    check_equal(read(p.slave, got, 5000), 4096, "a line has at most 4096 characters");
    check(got[4094] == 'x' && got[4095] == '\n', "the newline is the last of them");
    check_silent(p.slave, "and what was too much is gone");
    free(text);
    free(got);
    pty_close(&p);
}

static void check_output(const struct pty *p, const char *written, const char *shown,
                         const char *sentence)
{
    check(write(p->slave, written, strlen(written)) == (ssize_t)strlen(written) &&
              strcmp(pty_seen(p->master, shown), shown) == 0,
          sentence);
}

static void test_output(void)
{
    struct pty p = pty_open();
    int pending = -1;

    check_output(&p, "a\nb\n", "a\r\nb\r\n", "ONLCR puts a carriage return before a newline");
    pty_set(&p, .no_oflag = ONLCR);
    check_output(&p, "a\nb\n", "a\nb\n", "without it a newline is one character");
    pty_set(&p, .oflag = OCRNL);
    check_output(&p, "a\r\n", "a\n\n", "OCRNL makes newlines of carriage returns");
    pty_set(&p, .oflag = ONOCR, .no_oflag = OCRNL);
    check_output(&p, "\r\ra\r\rb\r", "\ra\rb\r", "ONOCR sends none in the first column");
    pty_set(&p, .oflag = XTABS, .no_oflag = ONOCR);
    check_output(&p, "\ta\tabcdefgh\tb", "        a       abcdefgh        b",
                 "XTABS makes blanks of tabs");
    pty_set(&p, .oflag = OLCUC, .no_oflag = XTABS);
    check_output(&p, "aBc1", "ABC1", "OLCUC makes capitals");
    pty_set(&p, .oflag = ONLCR, .no_oflag = OPOST | OLCUC);
    check_output(&p, "a\nb\t", "a\nb\t", "without OPOST all goes out as it is");
    check(ioctl(p.slave, TIOCOUTQ, &pending) == 0 && pending == 0, "and at once: TIOCOUTQ is 0");
    check_works(tcdrain(p.slave), "so tcdrain returns");
    pty_close(&p);
}

static void test_raw(void)
{
    struct pty p = pty_open();
    char text[100];
    int pid, status;

    pty_raw(&p, 1, 0);
    pty_type(&p, "\003\r\177");
    check_read(&p, 3, "\003\r\177", "in raw mode every key is a character");
    check_silent(p.master, "and nothing is shown");
    check_equal(read(p.slave, text, 0), 0, "a read of nothing does not wait");

    pty_raw(&p, 0, 0);
    check_equal(read(p.slave, text, 10), 0, "VMIN 0, VTIME 0: nothing there, 0");
    pty_type(&p, "abc");
    settle();
    check_equal(read(p.slave, text, 10), 3, "or what is there");
    pty_raw(&p, 0, 2);
    check_equal(read(p.slave, text, 10), 0, "VMIN 0, VTIME 2: a fifth of a second, then 0");
    pty_type(&p, "abc");
    check_equal(read(p.slave, text, 2), 2, "or at once what comes");
    check_equal(read(p.slave, text, 2), 1, "and the rest");
    pty_raw(&p, 3, 1);
    pty_type(&p, "ab");
    check_equal(read(p.slave, text, 10), 2, "VMIN 3, VTIME 1: two, when no third follows soon");
    pty_raw(&p, 3, 0);
    pid = fork();
    if (pid == 0) {
        pty_type(&p, "a");
        usleep(50000);
        pty_type(&p, "b");
        usleep(50000);
        pty_type(&p, "cd");
        _exit(0);
    }
    ssize_t n = read(p.slave, text, 10);
    waitpid(pid, &status, 0);
    check_range(n, 3, 4, "VMIN 3, VTIME 0: three, however long it takes");
    settle();
    ioctl(p.slave, TCFLSH, TCIFLUSH);
    check_silent(p.slave, "O_NONBLOCK does not wait for VMIN");

    pty_set(&p, .lflag = ICANON);
    pty_type(&p, "partly");
    settle();
    pty_raw(&p, 1, 0);
    check_read(&p, 100, "partly", "a line begun in canonical mode can be read in raw mode");
    pty_close(&p);
}

static void test_flow(void)
{
    struct pty p = pty_open();

    pty_set(&p, .no_lflag = ECHO);
    fcntl(p.slave, F_SETFL, O_RDWR | O_NONBLOCK);
    pty_type(&p, "\023");
    settle();
    check_errno(write(p.slave, "x", 1), EAGAIN, "^S stops the output: a write would wait");
    pty_type(&p, "\021");
    settle();
    check_output(&p, "x", "x", "^Q lets it go on");
    check_works(tcflow(p.slave, TCOOFF), "tcflow stops it, too");
    check_errno(write(p.slave, "x", 1), EAGAIN, "a write would wait");
    check_works(tcflow(p.slave, TCOON), "and starts it");
    check_output(&p, "y", "y", "then it goes out");
    pty_set(&p, .no_iflag = IXON);
    pty_type(&p, "\023\n");
    check_read(&p, 100, "\023\n", "without IXON ^S is a character");
    check_works(tcflow(p.slave, TCIOFF), "tcflow tells the other side to stop");
    check_text(pty_seen(p.master, "\023"), "\023", "by ^S");

    pty_type(&p, "typed\n");
    settle();
    check_works(tcflush(p.slave, TCIFLUSH), "tcflush forgets what was typed");
    check_silent(p.slave, "so nothing is read");
    struct termios t;
    pty_type(&p, "typed\n");
    settle();
    tcgetattr(p.slave, &t);
    check_works(tcsetattr(p.slave, TCSAFLUSH, &t), "so does TCSAFLUSH");
    check_silent(p.slave, "nothing is read");
    check_errno(tcflush(p.slave, 99), EINVAL, "tcflush of what does not exist: EINVAL");
    check_errno(tcflow(p.slave, 99), EINVAL, "tcflow, too");
    pty_close(&p);
}

/* As <asm/termbits.h> has it; musl's headers do not go with that one. */
struct termios2 {
    tcflag_t iflag, oflag, cflag, lflag;
    cc_t line, cc[19];
    speed_t ispeed, ospeed;
};
enum { OTHER_SPEED = 010000, SPEED_MASK = 010017 };

static void test_ioctl(void)
{
    struct pty p = pty_open();
    struct winsize w = {30, 100, 0, 0}, got;
    struct termios a, b;
    struct termios2 t2;
    struct {
        unsigned short iflag, oflag, cflag, lflag;
        unsigned char line, cc[8];
    } old;
    int number = -1;

    check_works(ioctl(p.master, TIOCSWINSZ, &w), "the master sets the window's size");
    check(ioctl(p.slave, TIOCGWINSZ, &got) == 0 && got.ws_row == 30 && got.ws_col == 100,
          "and the slave sees it");
    w.ws_row = 40;
    check(ioctl(p.slave, TIOCSWINSZ, &w) == 0 && ioctl(p.master, TIOCGWINSZ, &got) == 0 &&
              got.ws_row == 40,
          "and the other way round");
    tcgetattr(p.slave, &a);
    check(tcgetattr(p.master, &b) == 0 && memcmp(a.c_cc, b.c_cc, 19) == 0 && a.c_lflag == b.c_lflag,
          "both ends have the same settings");
    cfsetspeed(&a, B9600);
    tcsetattr(p.slave, TCSANOW, &a);
    check(ioctl(p.slave, TCGETS2, &t2) == 0 && t2.ospeed == 9600, "a speed is a number, too");
    t2.cflag = (t2.cflag & ~(tcflag_t)SPEED_MASK) | OTHER_SPEED;
    t2.ospeed = t2.ispeed = 12345;
    check_works(ioctl(p.slave, TCSETS2, &t2), "any number will do");
    memset(&t2, 0, sizeof(t2));
    check(ioctl(p.slave, TCGETS2, &t2) == 0 && t2.ospeed == 12345, "and is kept");
    check(ioctl(p.slave, TCGETA, &old) == 0 && old.iflag == a.c_iflag && old.cc[VINTR] == 3,
          "TCGETA gives the short form");
    old.lflag &= ~ECHO;
    check(ioctl(p.slave, TCSETA, &old) == 0 && tcgetattr(p.slave, &b) == 0 && !(b.c_lflag & ECHO),
          "TCSETA takes it");
    check(ioctl(p.slave, TIOCGETD, &number) == 0 && number == 0, "the line discipline is N_TTY");
    pty_type(&p, "ab");
    check_errno(ioctl(p.slave, TCGETS, (void *)8), EFAULT, "settings to a bad address: EFAULT");
    check_errno(ioctl(p.slave, TCSETS, (void *)8), EFAULT, "and from one");
    check_errno(ioctl(p.slave, TIOCGWINSZ, (void *)8), EFAULT, "a window to a bad address: EFAULT");
    check_errno(ioctl(p.slave, 0x54FF, 0), ENOTTY, "an unknown request: ENOTTY");
    int ends[2];
    check(pipe(ends) == 0 && !isatty(ends[0]) && errno == ENOTTY, "a pipe is no terminal: ENOTTY");
    check_errno(ioctl(ends[0], TIOCGWINSZ, &w), ENOTTY, "and has no window");
    check_errno(ioctl(99, TCGETS, &a), EBADF, "what is not open: EBADF");
    check_errno(lseek(p.slave, 0, SEEK_SET), ESPIPE, "a terminal has no position: ESPIPE");
    check_errno(write(p.slave, (void *)8, 4), EFAULT, "a write from a bad address: EFAULT");
    pty_close(&p);
}

static int bits(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static void test_poll_and_closing(void)
{
    struct pty p = pty_open();
    char text[100];

    pty_set(&p, .no_lflag = ECHO);
    check_equal(bits(p.slave), POLLOUT, "an idle terminal can be written to, not read");
    pty_type(&p, "part");
    settle();
    check_equal(bits(p.slave), POLLOUT, "part of a line is nothing to read");
    pty_type(&p, "\n");
    settle();
    check_equal(bits(p.slave), POLLIN | POLLOUT, "a line is");
    check_equal(bits(p.master), POLLOUT, "the master has nothing to read");
    check_equal(write(p.slave, "last", 4), 4, "until something is written");
    check_equal(bits(p.master), POLLIN | POLLOUT, "then it has");
    close(p.slave);
    check_equal(bits(p.master) & (POLLIN | POLLHUP), POLLIN | POLLHUP,
                "when the slave is closed, the master is told: POLLHUP");
    check_equal(read(p.master, text, 100), 4, "it can read the rest");
    check_errno(read(p.master, text, 100), EIO, "then EIO");
    p.slave = open(p.name, O_RDWR | O_NOCTTY);
    check_works(p.slave, "the slave can be opened again");
    check_equal(bits(p.master), POLLOUT, "and the master has its line back");
    check_silent(p.master, "with nothing to read: EAGAIN");
    close(p.master);
    check_equal(bits(p.slave) & POLLHUP, POLLHUP, "when the master is closed, the slave is told");
    check_equal(read(p.slave, text, 100), 0, "a read gives end of file");
    check_errno(write(p.slave, "x", 1), EIO, "a write EIO");
    struct termios t;
    check_errno(tcgetattr(p.slave, &t), EIO, "and so do its settings");
    close(p.slave);
}

static int packet(const struct pty *p)
{
    char text[100];

    return read(p->master, text, sizeof(text)) == 1 ? text[0] : -1;
}

static void test_packet_mode(void)
{
    struct pty p = pty_open();
    int on = 1, got = 0;

    pty_set(&p, .no_lflag = ECHO);
    check_works(ioctl(p.master, TIOCPKT, &on), "a master can ask for packets");
    check(ioctl(p.master, TIOCGPKT, &got) == 0 && got, "and has them");
    check_equal(write(p.slave, "abc", 3), 3, "what is written");
    char text[100];
    check(read(p.master, text, 100) == 4 && memcmp(text, "\0abc", 4) == 0,
          "is read behind a byte that says: data");
    pty_type(&p, "\023");
    settle();
    check_equal(bits(p.master) & POLLIN, POLLIN, "^S is news");
    check_equal(packet(&p), TIOCPKT_STOP, "that the output has stopped");
    pty_type(&p, "\021");
    settle();
    check_equal(packet(&p), TIOCPKT_START, "and ^Q that it goes on");
    pty_set(&p, .no_iflag = IXON);
    check_equal(packet(&p), TIOCPKT_NOSTOP, "a program that wants ^S for itself");
    pty_set(&p, .iflag = IXON);
    check_equal(packet(&p), TIOCPKT_DOSTOP, "and one that does not");
    tcflush(p.slave, TCIFLUSH);
    check_equal(packet(&p), TIOCPKT_FLUSHREAD, "or forgets its input");
    tcflush(p.slave, TCOFLUSH);
    check_equal(packet(&p), TIOCPKT_FLUSHWRITE, "or its output");
    check_silent(p.master, "there is no other news");
    pty_close(&p);
}

static void test_owner(void)
{
    struct pty p = pty_open();
    struct stat status;

    check(fstat(p.slave, &status) == 0 && (status.st_mode & 0600) == 0600 &&
              status.st_uid == geteuid(),
          "a slave belongs to who opened the master");
    check(fchmod(p.slave, 0644) == 0 && stat(p.name, &status) == 0 &&
              (status.st_mode & 07777) == 0644,
          "its mode can be changed");
    pty_close(&p);
    p = pty_open();
    check(stat(p.name, &status) == 0 && (status.st_mode & 07777) != 0644, "the next is new");
    pty_close(&p);
}

int main(void)
{
    test_pair();
    test_first_settings();
    test_canonical();
    test_editing();
    test_echo();
    test_input_flags();
    test_limit();
    test_output();
    test_raw();
    test_flow();
    test_ioctl();
    test_poll_and_closing();
    test_packet_mode();
    test_owner();
    return check_done();
}
