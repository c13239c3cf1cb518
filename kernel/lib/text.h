/*
 * A text under way: what the files of /proc say is written into one, by whoever knows it.
 *
 *     void irq_format(struct text *t) { text_printf(t, "ERR: %10u\n", spurious); }
 *
 * It cannot be overrun: where the room ends, it asks for more, and where there is no more, the
 * text ends there and `cut` says so. Writing never sleeps.
 */
#ifndef KERNEL_LIB_TEXT_H
#define KERNEL_LIB_TEXT_H

#include "kernel/lib/types.h"

struct text {
    char *at;                        /* where the next character goes */
    size_t room;                     /* bytes left there */
    size_t len;                      /* bytes written so far */
    bool (*more)(struct text *text); /* sets `at` and `room` anew, or false; NULL: none */
    bool cut;
};

/* A text in an array. It is not terminated. */
#define TEXT_IN(array)                       \
    {                                        \
        .at = (array), .room = sizeof(array) \
    }

#define TEXT_PRINTF_MAX 255 /* characters of one text_printf; what may be longer: text_bytes */

void text_printf(struct text *text, const char *fmt, ...) __printf_like(2, 3);
void text_bytes(struct text *text, const char *from, size_t len);
void text_string(struct text *text, const char *from);

#endif
