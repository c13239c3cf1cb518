/* /proc/ferry: what Ferry counts beyond Linux. The lines are described in docs/architecture.md. */
#include "drivers/ide/ide.h"
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"

void ferry_ledger(struct text *t)
{
    net_reap();
    ledger_format(&ledger_machine, t);
}

void ferry_clock(struct text *t)
{
    text_printf(t, "tsc %llu\nidle %llu\nicount %u\n", rdtsc(), idle_tsc(),
                cmdline_has("ferry.icount"));
}

void ferry_pages(struct text *t)
{
    static const char *const names[] = {
#define X(name, text) text,
        HOLDERS(X)
#undef X
    };
    net_reap();
    slab_trim();
    text_printf(t, "total %u\nfree %u\n", total_frames, nr_free_frames);
    for (u32 i = 0; i < NR_HOLDERS; i++)
        text_printf(t, "hold %s %u\n", names[i], page_holds[i]);
}

void ferry_net(struct text *t)
{
    net_reap();
    net_format(t);
}

void ferry_disk(struct text *t)
{
    ide_format(t);
    text_printf(t,
                "cache_pages %u\ncache_hits %u\ncache_misses %u\ncache_readahead %u\n"
                "cache_readahead_used %u\n",
                cache_stats.pages, cache_stats.hits, cache_stats.misses,
                cache_stats.readahead_pages, cache_stats.readahead_used);
    text_printf(t, "cache_reclaimed %u\n", cache_stats.reclaimed);
}

int ferry_proof_write(const char *value)
{
    u32 n;
    int err = proc_number(value, &n);
    if (!err)
        net_proof_enable(n != 0);
    return err;
}

int ferry_exit(const char *value)
{
    u32 n;
    int err = proc_number(value, &n);
    if (err)
        return err;
    if (n)
        power_fail();
    power_off();
}
