/* SIOCETHTOOL: what `ethtool eth0`, -g, -i, -k, -K, -P and -S ask a card (linux/ethtool.h). */
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

/* Linux's names of features, in the order of enum netdev_feature; and one that cannot be had: the
 * CPU checks what is received, since QEMU's card does not. */
static const char feature_names[][ETH_GSTRING_LEN] = {
    "tx-scatter-gather",
    "tx-checksum-ipv4",
    "tx-tcp-segmentation",
    "rx-checksum",
};

static const struct string_set {
    u32 id, nr;
    const char (*names)[ETH_GSTRING_LEN];
} string_sets[] = {
    {ETH_SS_STATS, ARRAY_LEN(stat_names), stat_names},
    {ETH_SS_FEATURES, ARRAY_LEN(feature_names), feature_names},
};
#define NR_STATS     ARRAY_LEN(stat_names)
#define ALL_FEATURES ((1u << ARRAY_LEN(feature_names)) - 1)

static const struct string_set *find_set(u32 id)
{
    for (u32 i = 0; i < ARRAY_LEN(string_sets); i++)
        if (string_sets[i].id == id)
            return &string_sets[i];
    return NULL;
}

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

/* The number of strings of each set asked for, in the order of their numbers. */
static int string_set_info(char __user *data)
{
    struct ethtool_sset_info info;
    u32 lengths[ARRAY_LEN(string_sets)], nr = 0;
    if (copyin(&info, data, sizeof(info)) < 0)
        return -EFAULT;
    u64 found = 0;
    for (u32 id = 0; id < 64 && nr < ARRAY_LEN(lengths); id++) {
        const struct string_set *set = info.sset_mask >> id & 1 ? find_set(id) : NULL;
        if (!set)
            continue;
        found |= 1ULL << id;
        lengths[nr++] = set->nr;
    }
    info.sset_mask = found;
    if (copyout(data, &info, sizeof(info)) < 0)
        return -EFAULT;
    return copyout(data + sizeof(info), lengths, nr * sizeof(u32));
}

static int give_strings(char __user *data)
{
    struct ethtool_gstrings head;
    if (copyin(&head, data, sizeof(head)) < 0)
        return -EFAULT;
    const struct string_set *set = find_set(head.string_set);
    if (!set)
        return -EOPNOTSUPP;
    head.len = set->nr;
    if (copyout(data, &head, sizeof(head)) < 0)
        return -EFAULT;
    return copyout(data + sizeof(head), set->names, set->nr * ETH_GSTRING_LEN);
}

static int give_features(const struct netdev *d, char __user *data)
{
    struct ethtool_gfeatures head;
    struct ethtool_get_features_block block = {
        .available = d->features_available, .requested = d->features_wanted, .active = d->features};
    if (copyin(&head, data, sizeof(head)) < 0)
        return -EFAULT;
    u32 room = head.size;
    head.size = 1;
    if (copyout(data, &head, sizeof(head)) < 0)
        return -EFAULT;
    return room ? copyout(data + sizeof(head), &block, sizeof(block)) : 0;
}

/* Several at once. Answers as Linux whether all that was asked for is so now. */
static int set_features(struct netdev *d, const char __user *data)
{
    struct {
        struct ethtool_sfeatures head;
        struct ethtool_set_features_block block;
    } set;
    if (copyin(&set, data, sizeof(set)) < 0)
        return -EFAULT;
    if (set.head.size != 1 || set.block.valid & ~ALL_FEATURES)
        return -EINVAL;
    u32 valid = set.block.valid & d->features_available, wanted = set.block.requested;
    int err = interface_set_features(d, valid & ~wanted, false);
    if (!err && valid & wanted)
        err = interface_set_features(d, valid & wanted, true);
    if (err)
        return err;
    return (set.block.valid & ~valid ? ETHTOOL_F_UNSUPPORTED : 0) |
           ((d->features ^ wanted) & valid ? ETHTOOL_F_WISH : 0);
}

/* What the card negotiates, and what came of it. */
static int give_settings(const struct netdev *d, void __user *data)
{
    const u32 modes = SUPPORTED_10baseT_Half | SUPPORTED_10baseT_Full | SUPPORTED_100baseT_Half |
                      SUPPORTED_100baseT_Full | SUPPORTED_1000baseT_Full | SUPPORTED_Autoneg |
                      SUPPORTED_TP;
    struct ethtool_cmd c = {.cmd = ETHTOOL_GSET,
                            .supported = modes,
                            .advertising = modes,
                            .port = PORT_TP,
                            .autoneg = AUTONEG_ENABLE,
                            .duplex = DUPLEX_UNKNOWN};
    ethtool_cmd_speed_set(&c, d->link_up ? d->speed : (u32)SPEED_UNKNOWN);
    if (d->link_up)
        c.duplex = d->full_duplex ? DUPLEX_FULL : DUPLEX_HALF;
    return copyout(data, &c, sizeof(c));
}

/* The rings have one length, which one slot of the sending one is never used of. */
static int give_rings(const struct netdev *d, void __user *data)
{
    struct ethtool_ringparam r = {.cmd = ETHTOOL_GRINGPARAM,
                                  .rx_max_pending = d->rx_ring,
                                  .rx_pending = d->rx_ring,
                                  .tx_max_pending = d->tx_ring,
                                  .tx_pending = d->tx_ring};
    return copyout(data, &r, sizeof(r));
}

static int give_address(const struct netdev *d, char __user *data)
{
    struct ethtool_perm_addr head;
    if (copyin(&head, data, sizeof(head)) < 0)
        return -EFAULT;
    if (head.size < sizeof(d->mac))
        return -EINVAL;
    head.size = sizeof(d->mac);
    if (copyout(data, &head, sizeof(head)) < 0)
        return -EFAULT;
    return copyout(data + sizeof(head), d->mac, sizeof(d->mac));
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
    case ETHTOOL_GSET:
        return give_settings(d, data);
    case ETHTOOL_GRINGPARAM:
        return give_rings(d, data);
    case ETHTOOL_GPERMADDR:
        return give_address(d, data);
    case ETHTOOL_GFEATURES:
        return give_features(d, data);
    case ETHTOOL_SFEATURES:
        return set_features(d, data);
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
