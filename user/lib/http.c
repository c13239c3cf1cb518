/*
 * http.c - reads requests of HTTP/1.1. Section numbers without more are those of RFC 9112.
 */
#define _GNU_SOURCE
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {206, "Partial Content"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Error";
}

/* Reads more of the connection. 1; 0 if there is no more, or no room (which is up to the caller).
 */
static int input_more(struct http_input *in)
{
    if (in->start > 0) {
        memmove(in->data, in->data + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    for (;;) {
        ssize_t got = read(in->fd, in->data + in->end, sizeof(in->data) - in->end);

        if (got > 0) {
            in->end += got;
            return 1;
        }
        if (got == 0 || errno != EINTR) {
            return 0;
        }
    }
}

/*
 * The length of the head that starts at in->start, with the empty line that ends it; 0 if it is not
 * complete. A line may end in LF alone (2.2).
 */
static size_t head_length(const struct http_input *in)
{
    const char *head = in->data + in->start, *end = in->data + in->end;

    for (const char *at = head; (at = memchr(at, '\n', end - at)) != NULL; at++) {
        const char *next = at + 1;

        if (next < end && *next == '\r') {
            next++;
        }
        if (next < end && *next == '\n') {
            return next + 1 - head;
        }
    }
    return 0;
}

/* Empty lines before a request are to be ignored (2.2). */
static void skip_empty_lines(struct http_input *in)
{
    while (in->start < in->end &&
           (in->data[in->start] == '\n' ||
            (in->data[in->start] == '\r' &&
             (in->start + 1 == in->end || in->data[in->start + 1] == '\n')))) {
        in->start++;
    }
}

static bool line_too_long(const struct http_input *in)
{
    size_t len = in->end - in->start;

    return len > HTTP_LINE_MAX && !memchr(in->data + in->start, '\n', HTTP_LINE_MAX);
}

/* Cuts the next line off; NULL at the empty one. A NUL or a lone CR in a line is not allowed. */
static char *next_line(char **rest, const char *end, bool *bad)
{
    char *line = *rest;
    char *newline = memchr(line, '\n', end - line);

    *rest = newline + 1;
    if (newline > line && newline[-1] == '\r') {
        newline--;
    }
    *newline = '\0';
    if (strlen(line) != (size_t)(newline - line) || strchr(line, '\r')) {
        *bad = true;
    }
    return newline == line ? NULL : line;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10
                                        : -1;
}

/* Decodes %XX, cuts the query off, and refuses what would lead out of the served folder. */
static int decode_target(const char *raw, char *target)
{
    char *to = target;

    if (strncasecmp(raw, "http://", 7) == 0) { /* the absolute form, which servers must accept */
        raw = strchrnul(raw + 7, '/');
        raw = *raw ? raw : "/";
    }
    if (*raw != '/') {
        return 400;
    }
    while (*raw && *raw != '?' && *raw != '#') {
        if (*raw == '%') {
            int high = hex_digit(raw[1]), low = high < 0 ? -1 : hex_digit(raw[2]);

            if (low < 0 || high * 16 + low == 0) {
                return 400;
            }
            *to++ = high * 16 + low;
            raw += 3;
        } else {
            *to++ = *raw++;
        }
    }
    *to = '\0';
    for (const char *part = target; part; part = strchr(part + 1, '/')) {
        if (strncmp(part, "/..", 3) == 0 && (part[3] == '/' || part[3] == '\0')) {
            return 400;
        }
    }
    return HTTP_OK;
}

/* "GET /path HTTP/1.1" */
static int parse_request_line(char *line, struct http_request *request, int *minor)
{
    static const char *const known[] = {"POST",    "PUT",   "DELETE", "CONNECT",
                                        "OPTIONS", "TRACE", "PATCH"};
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version || target == line || strncmp(version + 1, "HTTP/", 5) != 0 ||
        !isdigit((unsigned char)version[6]) || version[7] != '.' ||
        !isdigit((unsigned char)version[8]) || version[9] != '\0') {
        return 400;
    }
    *target++ = *version++ = '\0';
    if (version[5] != '1') {
        return 505;
    }
    *minor = version[7] - '0';
    request->head = strcmp(line, "HEAD") == 0;
    if (!request->head && strcmp(line, "GET") != 0) {
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (strcmp(line, known[i]) == 0) {
                return 405;
            }
        }
        return 501;
    }
    return decode_target(target, request->target);
}

/* Whether a comma-separated list has this word in it. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        list += strspn(list, ", \t");

        size_t part = strcspn(list, ", \t");

        if (part == len && strncasecmp(list, word, len) == 0) {
            return true;
        }
        list += part;
    }
    return false;
}

static int parse_fields(char *rest, const char *end, struct http_request *request, int minor)
{
    bool bad = false, has_host = false, has_body = false, conditional = false;
    char *line;

    request->keep_alive = minor >= 1;
    while ((line = next_line(&rest, end, &bad)) != NULL) {
        size_t name = strcspn(line, ": \t");
        char *value = line + name;

        /* No folded lines, and no blank before the colon (5.1, 5.2). */
        if (bad || name == 0 || *value != ':') {
            return 400;
        }
        *value++ = '\0';
        value += strspn(value, " \t");
        for (char *last = value + strlen(value); last > value && strchr(" \t", last[-1]);) {
            *--last = '\0';
        }

        if (strcasecmp(line, "Host") == 0) {
            if (has_host) {
                return 400;
            }
            has_host = true;
        } else if (strcasecmp(line, "Connection") == 0) {
            if (has_word(value, "close")) {
                request->keep_alive = false;
            } else if (has_word(value, "keep-alive")) {
                request->keep_alive = true;
            }
        } else if (strcasecmp(line, "Range") == 0) {
            if (strlen(value) < sizeof(request->range)) {
                strcpy(request->range, value);
            }
        } else if (strcasecmp(line, "If-Range") == 0) {
            conditional = true;
        } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
            return 501;
        } else if (strcasecmp(line, "Content-Length") == 0) {
            if (*value == '\0' || value[strspn(value, "0123456789")] != '\0') {
                return 400;
            }
            has_body = has_body || value[strspn(value, "0")] != '\0';
        }
    }
    if (bad || (minor >= 1 && !has_host)) {
        return 400;
    }
    /* A body is not read: the answer is sent, and the connection closed behind it. */
    if (has_body) {
        request->keep_alive = false;
    }
    /* A range of a state that we cannot name: no file here has a validator (RFC 9110, 13.1.5). */
    if (conditional) {
        request->range[0] = '\0';
    }
    return HTTP_OK;
}

int http_read(struct http_input *in, struct http_request *request)
{
    size_t len;
    bool bad = false;
    int minor = 0, status;

    memset(request, 0, sizeof(*request));
    for (;;) {
        skip_empty_lines(in);
        if (line_too_long(in)) {
            return 414;
        }
        if ((len = head_length(in)) > 0) {
            break;
        }
        if (in->end - in->start == sizeof(in->data)) {
            return 431;
        }
        if (!input_more(in)) {
            return HTTP_CLOSED;
        }
    }

    char *rest = in->data + in->start;
    const char *end = rest + len;

    in->start += len;
    char *line = next_line(&rest, end, &bad);

    if (bad || !line) {
        return 400;
    }
    if (strlen(line) >= HTTP_LINE_MAX) {
        return 414;
    }
    status = parse_request_line(line, request, &minor);
    if (status != HTTP_OK) {
        return status;
    }
    return parse_fields(rest, end, request, minor);
}

/* A run of digits; false if there is none. What is too large for 64 bits becomes the largest. */
static bool parse_position(const char **at, uint64_t *position)
{
    char *end;

    if (!isdigit((unsigned char)**at)) {
        return false;
    }
    errno = 0;
    *position = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

int http_range(const char *value, uint64_t size, uint64_t *from, uint64_t *len)
{
    uint64_t first, last;

    *from = 0;
    *len = size;
    if (strncasecmp(value, "bytes=", 6) != 0) {
        return 200;
    }
    value += 6;
    if (parse_position(&value, &first)) {
        if (*value++ != '-') {
            return 200;
        }
        if (!parse_position(&value, &last)) {
            last = UINT64_MAX;
        }
        if (*value != '\0' || last < first) {
            return 200;
        }
        if (first >= size) {
            return 416;
        }
    } else {
        /* "-500": the last 500 bytes. */
        if (*value++ != '-' || !parse_position(&value, &last) || *value != '\0') {
            return 200;
        }
        if (last == 0 || size == 0) {
            return 416;
        }
        first = last < size ? size - last : 0;
        last = UINT64_MAX;
    }
    *from = first;
    *len = (last < size ? last : size - 1) - first + 1;
    return 206;
}
