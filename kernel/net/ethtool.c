/* SIOCETHTOOL: what `ethtool eth0`, -i, -k, -K and -S ask a card (linux/ethtool.h). */
#include "kernel/lib/lib.h"
#include <linux/ethtool.h>
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"

static const char stat_names[][ETH_GSTRING_LEN] = {
#define X(name) #name,
    NETDEV_STATS(X)
#undef X
};
#define NR_STATS ARRAY_LEN(stat_names)

static int give_value(void __user *data, u32 cmd, u32 value)
{
    struct ethtool_value v = {.cmd = cmd, .data = value};
    return copyout(data, &v, sizeof(v)) < 0 ? -EFAULT : 0;
}

static int set_feature(struct netdev *d, void __user *data, u32 feature)
{
    struct ethtool_value v;
    if (copyin(&v, data, sizeof(v)) < 0)
        return -EFAULT;
    return interface_set_features(d, feature, v.data != 0);
}

static int driver_info(struct netdev *d, void __user *data)
{
    struct ethtool_drvinfo info;
    memset(&info, 0, sizeof(info));
    info.cmd = ETHTOOL_GDRVINFO;
    strlcpy(info.driver, d->driver, sizeof(info.driver));
    strlcpy(info.version, "ferry", sizeof(info.version));
    strlcpy(info.bus_info, d->bus_info, sizeof(info.bus_info));
    info.n_stats = NR_STATS;
    return copyout(data, &info, sizeof(info)) < 0 ? -EFAULT : 0;
}

/* The number of strings of the sets asked for; we have one. */
static int string_set_info(void __user *data)
{
    struct {
        struct ethtool_sset_info info;
        u32 length;
    } answer;
    if (copyin(&answer.info, data, sizeof(answer.info)) < 0)
        return -EFAULT;
    answer.info.sset_mask &= 1ULL << ETH_SS_STATS;
    answer.length = NR_STATS;
    return copyout(data, &answer, sizeof(answer.info) + (answer.info.sset_mask ? sizeof(u32) : 0)) <
                   0
               ? -EFAULT
               : 0;
}

static int give_strings(char __user *data)
{
    struct ethtool_gstrings head;
    if (copyin(&head, data, sizeof(head)) < 0)
        return -EFAULT;
    if (head.string_set != ETH_SS_STATS)
        return -EOPNOTSUPP;
    head.len = NR_STATS;
    if (copyout(data, &head, sizeof(head)) < 0 ||
        copyout(data + sizeof(head), stat_names, sizeof(stat_names)) < 0)
        return -EFAULT;
    return 0;
}

static int give_stats(struct netdev *d, char __user *data)
{
    const u64 values[] = {
#define X(name) d->stats.name,
        NETDEV_STATS(X)
#undef X
    };
    struct ethtool_stats head = {.cmd = ETHTOOL_GSTATS, .n_stats = NR_STATS};
    if (copyout(data, &head, sizeof(head)) < 0 ||
        copyout(data + sizeof(head), values, sizeof(values)) < 0)
        return -EFAULT;
    return 0;
}

int ethtool_ioctl(struct netdev *d, void __user *data)
{
    u32 cmd;
    if (copyin(&cmd, data, sizeof(cmd)) < 0)
        return -EFAULT;
    switch (cmd) {
    case ETHTOOL_GDRVINFO:
        return driver_info(d, data);
    case ETHTOOL_GLINK:
        return give_value(data, cmd, d->link_up);
    case ETHTOOL_GSG:
        return give_value(data, cmd, !!(d->features & NETDEV_SG));
    case ETHTOOL_GTXCSUM:
        return give_value(data, cmd, !!(d->features & NETDEV_CSUM));
    case ETHTOOL_GTSO:
        return give_value(data, cmd, !!(d->features & NETDEV_TSO));
    case ETHTOOL_GRXCSUM: /* the CPU checks what is received, QEMU's card cannot */
    case ETHTOOL_GUFO:
    case ETHTOOL_GGSO:
    case ETHTOOL_GGRO:
    case ETHTOOL_GFLAGS:
        return give_value(data, cmd, 0);
    case ETHTOOL_SSG:
        return set_feature(d, data, NETDEV_SG);
    case ETHTOOL_STXCSUM:
        return set_feature(d, data, NETDEV_CSUM);
    case ETHTOOL_STSO:
        return set_feature(d, data, NETDEV_TSO);
    case ETHTOOL_GSSET_INFO:
        return string_set_info(data);
    case ETHTOOL_GSTRINGS:
        return give_strings(data);
    case ETHTOOL_GSTATS:
        return give_stats(d, data);
    default:
        return -EOPNOTSUPP;
    }
}
