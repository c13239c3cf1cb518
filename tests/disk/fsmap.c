/* fsmap - writes a file through a mapping, page by page, and closes it before: fsmap FILE BYTES.
 * With a third argument it says so and keeps the mapping until it is killed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int fd = argc >= 3 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
    size_t size = argc >= 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (fd < 0 || ftruncate(fd, size) < 0)
        return 1;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return 1;
    close(fd);
    for (size_t at = 0; at < size; at += 4096)
        map[at] = 'x';
    if (argc > 3) {
        puts("mapped");
        fflush(stdout);
        pause();
    }
    return 0;
}
