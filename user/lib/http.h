/*
 * http.h - as much of HTTP/1.1 (RFC 9110, RFC 9112) as a file server needs: requests are read and
 * understood here, so that the rest never sees an unchecked byte of them.
 */
#ifndef FERRY_USER_HTTP_H
#define FERRY_USER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_LINE_MAX 2048 /* a request line may have that many bytes */
#define HTTP_HEAD_MAX 8192 /* a request line and its header fields together */

/* What has arrived of a connection and is not used up: requests may come in pieces, or several. */
struct http_input {
    int fd;
    size_t start, end;
    char data[HTTP_HEAD_MAX];
};

struct http_request {
    bool head;                  /* HEAD, else GET */
    bool keep_alive;            /* the client wants to send another request afterwards */
    char target[HTTP_LINE_MAX]; /* decoded path, beginning with '/', without query */
    char range[128];            /* value of Range, or "" */
};

enum { HTTP_CLOSED = 0, HTTP_OK = 200 };

/*
 * Reads the next request. HTTP_OK; HTTP_CLOSED if the client is gone or silent for too long; else
 * the status code to answer with, after which the connection has to be closed: what follows on it
 * cannot be told from a request.
 */
int http_read(struct http_input *in, struct http_request *request);

const char *http_reason(int status);

/*
 * Understands one byte range for a file of that size. 206 with *from and *len; 200 with the whole
 * file for what is to be ignored (several ranges, another unit, nonsense); 416 if no byte is in it.
 */
int http_range(const char *value, uint64_t size, uint64_t *from, uint64_t *len);

#endif
