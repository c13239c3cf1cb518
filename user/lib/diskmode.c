/*
 * diskmode.c - hdparm's ioctls (linux/hdreg.h), and Ferry's switch for polling.
 */
#define _GNU_SOURCE
#include "diskmode.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/hdreg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int diskmode_get(const char *device, struct diskmode *mode)
{
    char text[16];
    long dma = 0;
    int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC), status = -1;

    if (fd < 0) {
        return -1;
    }
    if (ioctl(fd, HDIO_GET_DMA, &dma) == 0 && ioctl(fd, HDIO_GET_MULTCOUNT, &mode->multiple) == 0 &&
        file_read(DISK_POLLING, text, sizeof(text)) > 0) {
        mode->dma = dma != 0;
        mode->polling = text[0] == '1';
        status = 0;
    }

    int saved = errno;

    close(fd);
    errno = saved;
    return status;
}

int diskmode_set(const char *device, const struct diskmode *mode)
{
    int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC), status = -1;

    if (fd < 0) {
        return -1;
    }
    if (file_write(DISK_POLLING, mode->polling ? "1\n" : "0\n") == 0 &&
        ioctl(fd, HDIO_SET_MULTCOUNT, mode->multiple) == 0) {
        status = ioctl(fd, HDIO_SET_DMA, (long)mode->dma);
    }

    int saved = errno;

    close(fd);
    errno = saved;
    return status;
}

int diskwork_read(const char *device, struct diskwork *work)
{
    static char text[8192];
    const char *slash = strrchr(device, '/'), *name = slash ? slash + 1 : device;
    const struct {
        const char *key;
        uint64_t *value;
    } figures[] = {
        {"commands", &work->commands},
        {"interrupts", &work->interrupts},
        {"pio_blocks", &work->blocks},
        {"sectors_read", &work->sectors},
    };

    if (file_read("/proc/ferry/disk", text, sizeof(text)) < 0) {
        return -1;
    }
    for (unsigned i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        char key[64];

        snprintf(key, sizeof(key), "%s.%s", name, figures[i].key);
        *figures[i].value = text_value(text, key);
    }
    return 0;
}
