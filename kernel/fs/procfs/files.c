/* The files of /proc that tell of the machine: one line a file. See proc.h. */
#include "kernel/fs/procfs/proc.h"
#include "kernel/ledger/trace.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/swap.h"
#include "kernel/net/net.h"
#include "kernel/sys/sys.h"

static ssize_t self_readlink(const struct subject *s, char *buf, u32 size)
{
    struct text t = {.at = buf, .room = size};
    text_printf(&t, "%u", current->process->pid);
    return t.len;
}

static ssize_t thread_self_readlink(const struct subject *s, char *buf, u32 size)
{
    struct text t = {.at = buf, .room = size};
    text_printf(&t, "%u/task/%u", current->process->pid, current->tid);
    return t.len;
}

const struct proc_file proc_files[] = {
    {"cmdline", .text = proc_cmdline},
    {"cpuinfo", .text = proc_cpuinfo},
    {"devices", .text = proc_devices},
    {"diskstats", .text = proc_diskstats},
    {"ferry/clock", .text = ferry_clock},
    {"ferry/disk", .text = ferry_disk},
    {"ferry/exit", .line = "0", .write = ferry_exit},
    {"ferry/ledger", .text = ferry_ledger},
    {"ferry/net", .text = ferry_net},
    {"ferry/pages", .text = ferry_pages},
    {"ferry/proof", .text = net_proof_format, .write = ferry_proof_write},
    {"ferry/trace", .text = trace_format},
    {"filesystems", .text = filesystems_format},
    {"interrupts", .text = irq_format},
    {"kmsg", .mode = S_REG | 0400, .fops = &kmsg_fops},
    {"kpagecount", .mode = S_REG | 0400, .fops = &kpagecount_fops},
    {"kpageflags", .mode = S_REG | 0400, .fops = &kpageflags_fops},
    {"loadavg", .text = proc_loadavg},
    {"meminfo", .text = proc_meminfo},
    {"mounts", .link = "self/mounts"},
    {"net/arp", .text = net_arp_format},
    {"net/dev", .text = net_dev_format},
    {"net/icmp", .text = net_icmp_format},
    {"net/pnp", .text = net_pnp_format},
    {"net/raw", .text = net_raw_format},
    {"net/route", .text = net_route_format},
    {"net/snmp", .text = net_snmp_format},
    {"net/sockstat", .text = net_sockstat_format},
    {"net/tcp", .text = net_tcp_format},
    {"net/udp", .text = net_udp_format},
    {"net/unix", .text = net_unix_format},
    {"partitions", .text = proc_partitions},
    {"self", .readlink = self_readlink},
    {"slabinfo", .text = slab_format},
    {"stat", .text = proc_stat},
    {"swaps", .text = swap_format},
    {"sys/ferry/disk_polling", .text = sys_disk_polling, .write = sys_set_disk_polling},
    {"sys/ferry/disk_timeout", .text = sys_disk_timeout, .write = sys_set_disk_timeout},
    {"sys/ferry/drop_nth", .line = "0", .write = sys_drop_nth},
    {"sys/fs/file-nr", .text = sys_file_nr},
    {"sys/fs/nr_open", .text = sys_nr_open},
    {"sys/fs/pipe-max-size", .text = sys_pipe_max_size},
    {"sys/kernel/cap_last_cap", .line = "40"},
    {"sys/kernel/domainname", .text = sys_domainname, .write = sys_domainname_write},
    {"sys/kernel/hostname", .text = sys_hostname, .write = sys_hostname_write},
    {"sys/kernel/ngroups_max", .line = "1000"},
    {"sys/kernel/osrelease", .line = UTS_RELEASE},
    {"sys/kernel/ostype", .line = UTS_SYSNAME},
    {"sys/kernel/overflowgid", .line = "65534"},
    {"sys/kernel/overflowuid", .line = "65534"},
    {"sys/kernel/pid_max", .text = sys_pid_max},
    {"sys/kernel/random/boot_id", .text = sys_boot_id},
    {"sys/kernel/random/uuid", .text = sys_uuid},
    {"sys/kernel/threads-max", .text = sys_threads_max},
    {"sys/kernel/version", .line = UTS_VERSION},
    {"sys/vm/dirty_background_bytes", .text = sys_dirty_background_bytes,
     .write = sys_set_dirty_background_bytes},
    {"sys/vm/dirty_background_ratio", .text = sys_dirty_background_ratio,
     .write = sys_set_dirty_background_ratio},
    {"sys/vm/dirty_bytes", .text = sys_dirty_bytes, .write = sys_set_dirty_bytes},
    {"sys/vm/dirty_expire_centisecs", .text = sys_dirty_expire, .write = sys_set_dirty_expire},
    {"sys/vm/dirty_ratio", .text = sys_dirty_ratio, .write = sys_set_dirty_ratio},
    {"sys/vm/dirty_writeback_centisecs", .text = sys_dirty_writeback,
     .write = sys_set_dirty_writeback},
    {"sys/vm/drop_caches", .line = "0", .write = sys_drop_caches},
    {"sys/vm/overcommit_memory", .line = "1"}, /* always: what is promised is not counted */
    {"thread-self", .readlink = thread_self_readlink},
    {"uptime", .text = proc_uptime},
    {"version", .text = proc_version},
    {"vmstat", .text = proc_vmstat},
};
const u32 nr_proc_files = sizeof(proc_files) / sizeof(proc_files[0]);
