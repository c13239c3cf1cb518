/*
 * pages - shows who holds the machine's pages (/proc/ferry/pages), and what the network holds
 * (/proc/ferry/net).
 *
 * A page that carries a file is held by name: by the cache, by a mapping, by a socket until the
 * peer has acknowledged it, by a transmit descriptor until the card is done. The last one frees it.
 */
#include "lib/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    static const char *const files[] = {"/proc/ferry/pages", "/proc/ferry/net"};
    static char text[8192];

    for (int i = 0; i < 2; i++) {
        if (file_read(files[i], text, sizeof(text)) < 0) {
            fprintf(stderr, "pages: %s: %s (only Ferry has it)\n", files[i], strerror(errno));
            return 1;
        }
        printf("%s\n%s\n", files[i], text);
    }
    return 0;
}
