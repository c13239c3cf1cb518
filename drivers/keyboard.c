/*
 * The PS/2 keyboard: scan code set 1 as the controller translates it, US layout, in the key
 * sequences of TERM=linux, to the virtual terminal. IBM PS/2 Technical Reference, Keyboard and
 * Auxiliary Device Controller; console_codes(4), keymaps(5).
 */
#include "drivers/console.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"

enum { PORT_DATA = 0x60, PORT_STATUS = 0x64, STATUS_FULL = 1 << 0, STATUS_AUX = 1 << 5, LINE = 1 };
enum { RELEASED = 0x80, PREFIX = 0xE0, PREFIX_PAUSE = 0xE1 };
enum {
    CONTROL = 0x1D,
    LEFT_SHIFT = 0x2A,
    RIGHT_SHIFT = 0x36,
    ALT = 0x38,
    CAPS_LOCK = 0x3A,
    F1 = 0x3B,
    F10 = 0x44,
    NUM_LOCK = 0x45,
    KEYPAD_FIRST = 0x47, /* 7, Home */
    KEYPAD_LAST = 0x53,  /* ., Delete */
    F11 = 0x57,
    F12 = 0x58,
    ENTER = 0x1C,  /* behind the prefix: the keypad's */
    DIVIDE = 0x35, /* behind the prefix */
};

/* By scan code. Enter is a carriage return, Backspace DEL, and so on: what the terminal makes of
 * them is up to its settings. */
static const char plain[] =
    "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* From KEYPAD_FIRST on; without NumLock, and on the keys of their own, the second row. */
static const char keypad_digits[] = "789-456+1230.";
static const char *const keypad_keys[] = {"\033[1~", "\033[A",  "\033[5~", "-",       "\033[D",
                                          "\033[G",  "\033[C",  "+",       "\033[4~", "\033[B",
                                          "\033[6~", "\033[2~", "\033[3~"};

/* F1 to F12, and with shift F13 to F20. */
static const char *const function_keys[] = {
    "\033[[A",  "\033[[B",  "\033[[C",  "\033[[D",  "\033[[E",  "\033[17~", "\033[18~",
    "\033[19~", "\033[20~", "\033[21~", "\033[23~", "\033[24~", "\033[25~", "\033[26~",
    "\033[28~", "\033[29~", "\033[31~", "\033[32~", "\033[33~", "\033[34~"};

static struct {
    bool shift, control, alt, caps, num, prefix;
    u8 skip; /* codes of a Pause that are still to come */
} state;

static void send(const char *text)
{
    if (vt_application_keys() && text[0] == '\033' && text[1] == '[' && text[2] >= 'A' &&
        text[2] <= 'D') {
        char key[] = {'\033', 'O', text[2]};
        vt_keys(key, sizeof(key));
    } else {
        vt_keys(text, strlen(text));
    }
}

/* One character, as the modifiers change it. */
static void send_character(char c)
{
    bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    if (state.caps && letter)
        c ^= 32;
    if (state.control) {
        static const char digits[] = "\0\033\034\035\036\037\177"; /* Control-2 to Control-8 */
        if (c >= '2' && c <= '8')
            c = digits[c - '2'];
        else if ((c >= '@' && c <= '~') || c == ' ')
            c &= 0x1F;
        else if (c == '/' || c == '-')
            c = 0x1F;
        else if (c == '?')
            c = 0x7F;
    }
    char key[] = {'\033', c};
    vt_keys(key + !state.alt, 1 + state.alt);
}

static void keypad(u8 code, bool own_key)
{
    u32 i = code - KEYPAD_FIRST;
    char digit = keypad_digits[i];
    if (digit == '-' || digit == '+' || (!own_key && state.num))
        send_character(digit);
    else
        send(keypad_keys[i]);
}

static void function_key(u32 n) /* from 0 */
{
    if (state.shift && n + 12 < ARRAY_LEN(function_keys))
        n += 12;
    send(function_keys[n]);
}

static void pressed(u8 code, bool prefixed)
{
    if (code >= F1 && code <= F10)
        function_key(code - F1);
    else if (code == F11 || code == F12)
        function_key(code - F11 + 10);
    else if (code == NUM_LOCK && !prefixed)
        state.num = !state.num;
    else if (code >= KEYPAD_FIRST && code <= KEYPAD_LAST)
        keypad(code, prefixed);
    else if (prefixed && code != ENTER && code != DIVIDE)
        return; /* keys with a picture on them */
    else if (code < sizeof(plain) - 1 && plain[code])
        send_character((state.shift && !prefixed ? shifted : plain)[code]);
}

static void take(u8 code)
{
    if (state.skip) {
        state.skip--;
        return;
    }
    if (code == PREFIX) {
        state.prefix = true;
        return;
    }
    if (code == PREFIX_PAUSE) {
        state.skip = 2;
        return;
    }
    bool down = !(code & RELEASED), prefixed = state.prefix;
    state.prefix = false;
    code &= ~RELEASED;
    if (code == LEFT_SHIFT || code == RIGHT_SHIFT) {
        if (!prefixed) /* else it is a fake one around a key of its own */
            state.shift = down;
    } else if (code == CONTROL) {
        state.control = down;
    } else if (code == ALT) {
        state.alt = down;
    } else if (code == CAPS_LOCK) {
        state.caps ^= down;
    } else if (down) {
        pressed(code, prefixed);
    }
}

static bool keyboard_interrupt(void *device)
{
    bool any = false;
    u8 status;
    for (int i = 0; i < 16 && ((status = inb(PORT_STATUS)) & STATUS_FULL); i++) {
        u8 code = inb(PORT_DATA);
        if (!(status & STATUS_AUX)) /* a mouse has no part in this */
            take(code);
        any = true;
    }
    return any;
}

void keyboard_init(void)
{
    for (int i = 0; i < 16 && (inb(PORT_STATUS) & STATUS_FULL); i++)
        inb(PORT_DATA); /* what the firmware left */
    irq_register(LINE, "keyboard", keyboard_interrupt, NULL);
}
