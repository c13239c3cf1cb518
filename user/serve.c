/*
 * serve - a web server whose URLs choose the path that a file takes through the machine.
 *
 *     serve [-p PORT] [-d ROOT] [-v]
 *
 *     /                    a page with every file and every path
 *     /PATH/FILE           the file, sent along that path: readwrite, mmap, sendfile
 *     /ledger              what the last file sent on this same connection cost
 *     /ledger/system       the ledger of the whole machine
 *
 * A process for each connection. Of HTTP/1.1 it knows GET, HEAD, one byte range, connections that
 * stay open and requests sent ahead. A client that leaves, or talks nonsense, ends its own process
 * at most.
 */
#define _GNU_SOURCE
#include "lib/file.h"
#include "lib/http.h"
#include "lib/index.h"
#include "lib/ledger.h"
#include "lib/net.h"
#include "lib/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 128
#define SILENCE_SECONDS 30 /* a client may be silent for that long */

static const char *root = "/data";
static bool verbose;

/* The last file that was sent on a connection, and the ledger around it. */
struct transfer {
    const struct path *path; /* NULL: there was none yet */
    uint64_t body;
    size_t header;
    bool open; /* its last packets may still be on their way */
    struct ledger before, sent, after;
};

struct connection {
    struct http_input in;
    struct http_request request;
    struct transfer transfer;
};

/* The text of a header. Its length. */
static size_t format_header(char *text, size_t size, const struct http_request *request, int status,
                            const char *type, uint64_t length, const char *more)
{
    char date[40];
    time_t now = time(NULL);

    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    return snprintf(text, size,
                    "HTTP/1.1 %d %s\r\nServer: Ferry\r\nDate: %s\r\nContent-Type: %s\r\n"
                    "Content-Length: %" PRIu64 "\r\n%sConnection: %s\r\n\r\n",
                    status, http_reason(status), date, type, length, more,
                    request->keep_alive ? "keep-alive" : "close");
}

static int send_text(struct connection *c, int status, const char *type, const char *more,
                     const char *text)
{
    char header[512];
    size_t len =
        format_header(header, sizeof(header), &c->request, status, type, strlen(text), more);

    if (write_all(c->in.fd, header, len) < 0) {
        return -1;
    }
    return c->request.head ? 0 : write_all(c->in.fd, text, strlen(text));
}

static int send_error(struct connection *c, int status, const char *more)
{
    char text[80];

    snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));
    return send_text(c, status, "text/plain", more, text);
}

/* Sends that part of the file along the path, with the ledger read just before and just after. */
static int send_body(struct connection *c, const struct path *path, int file, uint64_t from,
                     uint64_t len, const char *header, size_t header_len)
{
    struct transfer *t = &c->transfer;
    int status;

    if (path->buffered && path_prepare(PATH_CHUNK) < 0) {
        return send_error(c, 503, "");
    }
    t->path = path;
    t->body = c->request.head ? 0 : len;
    t->header = header_len;
    t->open = true;
    ledger_read(LEDGER_SELF, &t->before);
    status = write_all(c->in.fd, header, header_len);
    if (status == 0 && t->body > 0) {
        status = path->send(c->in.fd, file, from, t->body, PATH_CHUNK);
    }
    ledger_read(LEDGER_SELF, &t->sent);
    return status;
}

static int send_file(struct connection *c, const struct path *path, const char *name)
{
    struct stat st;
    char file_name[HTTP_LINE_MAX + 256], header[512], more[96] = "Accept-Ranges: bytes\r\n";
    uint64_t from = 0, len;
    int code = 200, status;

    snprintf(file_name, sizeof(file_name), "%s/%s", root, name);

    int file = open(file_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (file < 0) {
        return send_error(c, errno == EMFILE || errno == ENOMEM ? 503 : 404, "");
    }
    if (fstat(file, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(file);
        return send_error(c, 404, "");
    }
    len = st.st_size;
    if (c->request.range[0] && !c->request.head) {
        code = http_range(c->request.range, st.st_size, &from, &len);
    }
    if (code == 416) {
        close(file);
        snprintf(more, sizeof(more), "Content-Range: bytes */%" PRIu64 "\r\n",
                 (uint64_t)st.st_size);
        return send_error(c, 416, more);
    }
    if (code == 206) {
        snprintf(more, sizeof(more),
                 "Accept-Ranges: bytes\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
                 "\r\n",
                 from, from + len - 1, (uint64_t)st.st_size);
    }

    const char *type = strstr(name, ".html")  ? "text/html"
                       : strstr(name, ".txt") ? "text/plain"
                                              : "application/octet-stream";
    size_t header_len = format_header(header, sizeof(header), &c->request, code, type, len, more);

    status = send_body(c, path, file, from, len, header, header_len);
    close(file);
    return status;
}

static int send_index(struct connection *c)
{
    char *page = index_page(root);
    int status = page ? send_text(c, 200, "text/html", "", page) : send_error(c, 503, "");

    free(page);
    return status;
}

/*
 * The bill for the last transfer: bytes counted until this request came in, by when the client has
 * all of it; entries and switches only until the last call of the transfer returned. What it took
 * to read the ledger is in them; it is the same for every path.
 */
static int send_ledger(struct connection *c)
{
    struct transfer *t = &c->transfer;
    char *page = NULL;
    size_t len;

    if (!t->path) {
        return send_text(c, 404, "text/plain", "", "No file was sent on this connection yet.\n");
    }

    FILE *out = open_memstream(&page, &len);

    if (!out) {
        return send_error(c, 503, "");
    }

    struct ledger bill = ledger_between(&t->before, &t->after);
    struct ledger sent = ledger_between(&t->before, &t->sent);

    memcpy(bill.entry, sent.entry, sizeof(bill.entry));
    memcpy(bill.switches, sent.switches, sizeof(bill.switches));
    fprintf(out, "path %s\nbody %" PRIu64 "\nresponse_header %zu\n", t->path->name, t->body,
            t->header);
    if (on_ferry()) {
        ledger_print(out, &bill);
    } else {
        fprintf(out, "ledger n/a\n");
    }

    int status = fclose(out) == 0 ? send_text(c, 200, "text/plain", "", page) : -1;

    free(page);
    return status;
}

static int send_system_ledger(struct connection *c)
{
    static char text[8192];

    if (file_read(LEDGER_SYSTEM, text, sizeof(text)) < 0) {
        return send_text(c, 404, "text/plain", "", "This kernel keeps no ledger.\n");
    }
    return send_text(c, 200, "text/plain", "", text);
}

static int answer(struct connection *c)
{
    const char *target = c->request.target;

    if (strcmp(target, "/") == 0) {
        return send_index(c);
    }
    if (strcmp(target, "/ledger") == 0) {
        return send_ledger(c);
    }
    if (strcmp(target, "/ledger/system") == 0) {
        return send_system_ledger(c);
    }
    for (int p = 0; p < nr_paths; p++) {
        size_t len = strlen(paths[p].name);

        if (paths[p].sg && strncmp(target + 1, paths[p].name, len) == 0 && target[1 + len] == '/' &&
            target[2 + len] != '\0') {
            return send_file(c, &paths[p], target + 2 + len);
        }
    }
    return send_error(c, 404, "");
}

static void set_timeout(int sock, int seconds)
{
    struct timeval limit = {.tv_sec = seconds};

    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/*
 * Ends a connection so that the client gets the last answer: to close with unread bytes would send
 * a reset, which overtakes it (RFC 9112, 9.6).
 */
static void close_gently(struct connection *c)
{
    shutdown(c->in.fd, SHUT_WR);
    set_timeout(c->in.fd, 1);
    for (int i = 0; i < 64 && read(c->in.fd, c->in.data, sizeof(c->in.data)) > 0; i++) {
        continue;
    }
    close(c->in.fd);
}

static void serve_connection(int sock)
{
    static struct connection connection;
    struct connection *c = &connection;
    int status, on = 1;

    /* Written once before anything is counted, so that no copy-on-write falls in between. */
    memset(c, 1, sizeof(*c));
    memset(c, 0, sizeof(*c));
    c->in.fd = sock;
    set_timeout(sock, SILENCE_SECONDS);
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    do {
        status = http_read(&c->in, &c->request);
        if (status == HTTP_CLOSED) {
            break;
        }
        if (c->transfer.open) {
            ledger_read(LEDGER_SELF, &c->transfer.after);
            c->transfer.open = false;
        }
        if (status != HTTP_OK) {
            c->request.keep_alive = false;
            send_error(c, status, status == 405 ? "Allow: GET, HEAD\r\n" : "");
        } else if (answer(c) < 0) {
            break; /* the client left, or the file changed: nothing that we say would be right */
        }
        if (verbose) {
            printf("%d %s %s\n", (int)getpid(), c->request.head ? "HEAD" : "GET",
                   c->request.target);
            fflush(stdout);
        }
    } while (c->request.keep_alive);
    close_gently(c);
}

/*
 * Reads a byte of every page of this program's text, so that all of it is in memory. Else the first
 * transfer along a path would be charged with fetching the code of that path from the disk.
 */
static void touch_text(void)
{
    extern const char __executable_start, etext;

    for (const volatile char *at = &__executable_start; at < &etext; at += 4096) {
        (void)*at;
    }
}

/* One more connection than there may be: say so, without a process. */
static void turn_away(int sock)
{
    static const char sorry[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                "Connection: close\r\n\r\n";

    (void)!write(sock, sorry, sizeof(sorry) - 1);
}

int main(int argc, char **argv)
{
    int option, port = 80, connections = 0;

    while ((option = getopt(argc, argv, "p:d:v")) != -1) {
        if (option == 'p') {
            port = atoi(optarg);
        } else if (option == 'd') {
            root = optarg;
        } else if (option == 'v') {
            verbose = true;
        } else {
            fprintf(stderr, "usage: serve [-p PORT] [-d ROOT] [-v]\n");
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    touch_text();

    int listener = tcp_listen(port, 128);

    if (listener < 0) {
        fprintf(stderr, "serve: port %d: %s\n", port, strerror(errno));
        return 1;
    }
    for (;;) {
        int sock = accept(listener, NULL, NULL);

        while (connections > 0 && waitpid(-1, NULL, WNOHANG) > 0) {
            connections--;
        }
        if (sock < 0) {
            if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK || errno == ENOSYS) {
                fprintf(stderr, "serve: accept: %s\n", strerror(errno));
                return 1;
            }
            sleep_ms(10); /* the client was faster, or memory is short: both pass */
            continue;
        }

        pid_t child = connections < MAX_CONNECTIONS ? fork() : -1;

        if (child == 0) {
            close(listener);
            serve_connection(sock);
            _exit(0);
        }
        if (child > 0) {
            connections++;
        } else {
            turn_away(sock);
        }
        close(sock);
    }
}
