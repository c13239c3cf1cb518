/*
 * The processor and the chips that every PC has: ports, interrupts, time, the FPU.
 * The whole surface of kernel/cpu; nothing here sleeps.
 */
#ifndef KERNEL_CPU_CPU_H
#define KERNEL_CPU_CPU_H

#include "kernel/lib/types.h"

static inline void outb(u16 port, u8 v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outw(u16 port, u16 v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outl(u16 port, u32 v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}
static inline u8 inb(u16 port)
{
    u8 v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline u16 inw(u16 port)
{
    u16 v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline u32 inl(u16 port)
{
    u32 v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}
static inline void irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}
static inline u32 irq_save(void)
{
    u32 flags;
    __asm__ volatile("pushfl; popl %0; cli" : "=r"(flags)::"memory");
    return flags;
}
static inline void irq_restore(u32 flags)
{
    __asm__ volatile("pushl %0; popfl" ::"r"(flags) : "memory", "cc");
}
static inline u64 rdtsc(void)
{
    u64 t;
    __asm__ volatile("rdtsc" : "=A"(t));
    return t;
}
/* Orders device memory accesses against the compiler; x86 keeps stores in order by itself. */
static inline void compiler_barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

#define EFLAGS_IF (1u << 9)

/* What a trap stub leaves on the kernel stack, lowest address first (trap.asm). */
struct trap_frame {
    u32 gs, fs, es, ds;
    u32 edi, esi, ebp, esp_kernel, ebx, edx, ecx, eax; /* pusha */
    u32 vector, error;
    u32 eip, cs, eflags;
    u32 esp, ss; /* only when the trap came from ring 3 */
};

void gdt_init(void);
void idt_init(void);
void cpu_features_init(void); /* CR0.WP, and SMEP, SMAP, NX where the CPU has them */
extern bool cpu_has_smap, cpu_has_smep, cpu_has_fxsr;
extern u32 cpu_capabilities; /* CPUID leaf 1, EDX: what AT_HWCAP tells programs */

/* Sets the stack on which the next trap from ring 3 lands. */
void tss_set_kernel_stack(virt_t top);
/* The three thread-local segments of the GDT (set_thread_area(2)): 8-byte descriptors. */
#define NR_TLS_ENTRIES 3
#define GDT_TLS_FIRST  6
void gdt_set_tls(const u64 tls[NR_TLS_ENTRIES]);

/* irq.c: handlers of the 16 legacy lines. A line may be shared by several devices; a handler
 * returns whether its device had asked. Handlers run with interrupts off and never sleep.
 * The first registration unmasks the line. */
typedef bool (*irq_handler)(void *device);
extern bool irq_from_user; /* the interrupt under way came out of ring 3 */
void pic_init(void);
int irq_register(u8 line, const char *name, irq_handler handler, void *device);
void pic_mask(u8 line);
void pic_unmask(u8 line);
struct text;
void irq_format(struct text *t); /* text of /proc/interrupts */
u32 irq_count(u32 line);

/* timer.c. A tick is a hundredth of a second. */
#define TIMER_HZ 100
void timer_init(void);
void timer_busy(void);              /* a task runs from here on: ticks are wanted */
void timer_idle(u64 deadline_tick); /* nobody runs until then; 0: until a device speaks */
/* Silences the PIT until timer_thaw, which takes what timer_freeze returned. Under QEMU's -icount
 * with sleep=off an idle machine's clock jumps to the next timer, while a disk answers in the
 * host's time. With no timer to jump to the clock stands still, and a run is the same every time.
 */
u64 timer_freeze(void);
void timer_thaw(u64 left);
u64 timer_ticks(void); /* since boot */
u32 timer_tsc_per_ms(void);
u64 timer_ms(void);    /* since boot */
u64 timer_ns(void);    /* since boot, of the time-stamp counter's resolution */
void delay_us(u32 us); /* busy wait, for a device's short settling times */

/* fpu.c */
struct fpu_state {
    u8 fxsave[512];
} __aligned(16);
void fpu_init(void);
void fpu_state_init(struct fpu_state *state);
void fpu_save(struct fpu_state *state);
void fpu_restore(const struct fpu_state *state);

/* panic.c */
void backtrace_print(u32 eip, u32 ebp);
void panic_on_request(void);                       /* ferry.panic= */
const char *ksym_lookup(u32 address, u32 *offset); /* NULL when it is in no function */

/* power.c: never return. The status is QEMU's own exit status where its debug-exit device is
 * present (0: ACPI power off). */
void power_off(void) __noreturn;
void power_fail(void) __noreturn;
void power_reboot(void) __noreturn;

#endif
