/*
 * file.h - small files read and written whole: /proc, /sys, and their like.
 */
#ifndef FERRY_USER_FILE_H
#define FERRY_USER_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads at most size - 1 bytes and ends them with a NUL. The length, or -1 with errno. */
ssize_t file_read(const char *name, char *text, size_t size);

/* Writes the text to an existing file in one call. 0, or -1 with errno. */
int file_write(const char *name, const char *text);

/* The number after "key " at the start of a line of the text; 0 if there is no such line. */
uint64_t text_value(const char *text, const char *key);

/*
 * The sum of the numbers of all lines whose name is the key, or ends with a dot or an underscore
 * and the key: "hda.reg_reads 5" and "reg_reads 7" make 12 for "reg_reads".
 */
uint64_t text_total(const char *text, const char *key);

/* Writes all of it, however many calls that takes. 0, or -1 with errno (EPIPE: nobody reads). */
int write_all(int fd, const void *data, size_t len);

/* Sleeps for that many milliseconds. */
void sleep_ms(unsigned ms);

#endif
