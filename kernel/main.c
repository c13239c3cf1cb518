/*
 * The order in which the machine comes up. Each line needs those above it.
 */
#include "boot/multiboot.h"
#include "drivers/console.h"
#include "drivers/pci.h"
#include "drivers/rtc.h"
#include "kernel/cache/cache.h"
#include "kernel/cache/writeback.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/fork.h"
#include "kernel/sys/sys.h"

static void start(void *unused);
void kmain(u32 magic, phys_t info_phys);

void kmain(u32 magic, phys_t info_phys)
{
    const struct multiboot_info *info = phys_to_virt(info_phys);
    console_init(); /* serial line and screen: from here on we can speak */
    gdt_init();     /* segments, and the task state segment */
    idt_init();     /* all 256 gates: from here on a fault explains itself */
    if (magic != MULTIBOOT_LOADER_MAGIC)
        panic("not started by a multiboot loader (magic %08x)", magic);
    cmdline_init(info->flags & MULTIBOOT_HAS_CMDLINE ? phys_to_virt(info->cmdline) : NULL);
    console_choose();    /* console= */
    cpu_features_init(); /* write protection, SMEP, SMAP */
    fpu_init();          /* x87 and SSE for programs */
    frame_init(info);    /* which RAM there is */
    paging_init();       /* the kernel's own page tables */
    cache_init();        /* the page cache, empty */
    frame_start();       /* free frames */
    heap_init();         /* kmalloc */
    task_init();         /* this code becomes task 0, later idle */
    pic_init();          /* interrupt controllers, all lines masked */
    timer_init();        /* 100 ticks a second */
    rtc_init();          /* what time it is */
    console_start();     /* terminals: serial lines, screen and keyboard */
    irq_enable();

    kthread_create("init", start, NULL);
    idle_loop();
}

/* Task 1: what may sleep while it starts, then the first program in its place. */
static void start(void *unused)
{
    kprintf("ferry %s: %u MiB of RAM, %u MiB free\n", SYSTEM_RELEASE, total_frames >> 8,
            nr_free_frames >> 8);
    panic_on_request(); /* ferry.panic=, to see one */
    pci_init();         /* disks and cards */
    writeback_init();   /* flushd */
    reclaim_init();     /* kswapd */
    vfs_mount_root();   /* root=, /proc, /dev */
    net_init();         /* lwIP, the network thread, an address */

    current->files = files_new();
    current->fs = fs_new(inode_hold(vfs_root), 022);
    struct file *console = file_open("/dev/console", 2, 0);
    if (!is_err(console)) {
        fd_install(file_hold(console), 0, false);
        fd_install(file_hold(console), 0, false);
        fd_install(console, 0, false);
    }
    char path[128];
    if (!cmdline_get("init", path, sizeof(path)))
        strlcpy(path, "/sbin/init", sizeof(path));
    exec_init(path, cmdline_init_arguments());
}
