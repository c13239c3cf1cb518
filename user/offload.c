/*
 * offload - shows and switches what the network card does for the CPU, like `ethtool -k` and `-K`.
 *
 *     offload [IFACE] [tx|sg|tso on|off]...
 *
 * tx: the card computes checksums. sg: it gathers a packet from pieces (scatter-gather). tso: it
 * cuts large segments into packets. Exit status: 0, or 1 if something could not be read or changed.
 */
#include "lib/net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int show(const char *iface)
{
    char driver[32];
    int shown = 0, link = nic_link(iface);

    if (nic_driver(iface, driver, sizeof(driver)) < 0) {
        strcpy(driver, "unknown driver");
    }
    printf("Features for %s (%s, %s):\n", iface, driver,
           link < 0 ? "link unknown"
           : link   ? "link up"
                    : "link down");
    for (int i = 0; i < NR_OFFLOADS; i++) {
        int on = offload_get(iface, &offloads[i]);

        if (on < 0) {
            printf("%s: n/a (%s)\n", offloads[i].long_name, strerror(errno));
            continue;
        }
        printf("%s: %s\n", offloads[i].long_name, on ? "on" : "off");
        shown++;
    }
    return shown > 0 ? 0 : 1;
}

static int change(const char *iface, const struct offload *offload, bool on)
{
    int now;

    if (offload_set(iface, offload, on) < 0) {
        fprintf(stderr, "offload: %s %s: %s\n", iface, offload->name, strerror(errno));
        return 1;
    }
    /* A driver may accept a switch and leave things as they are: ask what came of it. */
    now = offload_get(iface, offload);
    if (now != on) {
        fprintf(stderr, "offload: %s %s is still %s\n", iface, offload->name, now ? "on" : "off");
        return 1;
    }
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: offload [IFACE] [tx|sg|tso on|off]...\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *iface = "eth0";
    int at = 1, failed = 0;

    if (at < argc && !offload_find(argv[at])) {
        if (argv[at][0] == '-') {
            return usage();
        }
        iface = argv[at++];
    }
    if (at == argc) {
        return show(iface);
    }
    for (; at < argc; at += 2) {
        const struct offload *offload = offload_find(argv[at]);
        bool on = at + 1 < argc && strcmp(argv[at + 1], "on") == 0;

        if (!offload || at + 1 == argc || (!on && strcmp(argv[at + 1], "off") != 0)) {
            return usage();
        }
        failed |= change(iface, offload, on);
    }
    return failed;
}
