/*
 * The ledger's arithmetic: each entry is made once in the account and once in the machine's, and
 * the text says what was entered.
 */
// units: kernel/lib/text.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/types.h"

#pragma GCC diagnostic ignored "-Wformat" /* 64 bits have another name here */

/* What the ledger needs of the kernel, in place of cpu.h, heap.h and task.h. */
#define KERNEL_CPU_CPU_H
#define KERNEL_MM_HEAP_H
#define KERNEL_PROC_TASK_H

static u32 irqs_off;
static u32 irq_save(void)
{
    return irqs_off++;
}
static void irq_restore(u32 flags)
{
    irqs_off = flags;
}

static u32 allocated;
static bool no_memory;
void *calloc(size_t n, size_t size);
void free(void *p);
static void *kzalloc(size_t size)
{
    if (no_memory)
        return NULL;
    allocated++;
    return calloc(1, size);
}
static void kfree(void *p)
{
    allocated--;
    free(p);
}

static struct task {
    struct account *account;
} * current;

#include "kernel/ledger/ledger.c"

#define TEXT 8192
static char text[TEXT + 1];

/* The account as text, terminated. Its length. */
static size_t format(const struct account *a)
{
    struct text t = {.at = text, .room = TEXT};
    ledger_format(a, &t);
    text[t.len] = 0;
    return t.len;
}

static int fresh(void **state)
{
    u32 refs = ledger_machine.refs;
    memset(&ledger_machine, 0, sizeof(ledger_machine));
    ledger_machine.refs = refs;
    current = NULL;
    no_memory = false;
    return 0;
}

static int nothing_left(void **state)
{
    return allocated || irqs_off ? -1 : 0;
}

/* The figures of the line that begins with this; fails when it is not there exactly once. */
static void assert_line(const struct account *a, const char *line)
{
    size_t len = format(a);
    assert_int_equal(len, strlen(text));
    const char *at = text;
    int times = 0;
    while (*at) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        if ((size_t)(end - at) == strlen(line) && !memcmp(at, line, strlen(line)))
            times++;
        at = end + 1;
    }
    if (times != 1)
        fail_msg("expected one line \"%s\", got %d in\n%s", line, times, text);
}

static void an_entry_is_made_in_the_account_and_in_the_machine(void **state)
{
    struct account *a = account_new(), *b = account_new();
    ledger_add(a, EDGE_DISK_CACHE, MOVER_DMA, 4096);
    ledger_add(a, EDGE_DISK_CACHE, MOVER_DMA, 1000);
    ledger_add(b, EDGE_DISK_CACHE, MOVER_DMA, 7);
    assert_line(a, "edge disk cache dma 2 5096");
    assert_line(b, "edge disk cache dma 1 7");
    assert_line(&ledger_machine, "edge disk cache dma 3 5103");
    account_put(a);
    account_put(b);
}

static void movers_and_edges_are_kept_apart(void **state)
{
    struct account *a = account_new();
    for (u32 e = 0; e < NR_EDGES; e++)
        for (u32 m = 0; m < NR_MOVERS; m++)
            for (u32 times = 0; times <= m; times++)
                ledger_add(a, e, m, 1000 * e + m + 1);
    for (u32 e = 0; e < NR_EDGES; e++) {
        for (u32 m = 0; m < NR_MOVERS; m++) {
            assert_int_equal(a->edges[e][m].ops, m + 1);
            assert_int_equal(a->edges[e][m].bytes, (u64)(1000 * e + m + 1) * (m + 1));
        }
    }
    account_put(a);
}

static void the_machine_pays_alone_when_there_is_no_account(void **state)
{
    ledger_add(NULL, EDGE_SOCK_NIC, MOVER_DMA, 60);
    ledger_add(&ledger_machine, EDGE_SOCK_NIC, MOVER_DMA, 40);
    ledger_entry(NULL, ENTRY_IRQ);
    ledger_entry(&ledger_machine, ENTRY_IRQ);
    ledger_switch(NULL, SWITCH_VOLUNTARY);
    ledger_switch(&ledger_machine, SWITCH_VOLUNTARY);
    assert_line(&ledger_machine, "edge sock nic dma 2 100");
    assert_line(&ledger_machine, "entry irq 2");
    assert_line(&ledger_machine, "switch voluntary 2");
}

static void nothing_moved_is_no_entry(void **state)
{
    struct account *a = account_new();
    ledger_add(a, EDGE_CACHE_USER, MOVER_CPU, 0);
    ledger_add_apart(a, APART_PADDING, 0);
    format(a);
    assert_null(strstr(text, "edge"));
    assert_null(strstr(text, "apart"));
    account_put(a);
}

static void bytes_go_beyond_32_bits(void **state)
{
    struct account *a = account_new();
    for (int i = 0; i < 5; i++)
        ledger_add(a, EDGE_CACHE_NIC, MOVER_DMA, 0xFFFFFFFFu);
    for (int i = 0; i < 3; i++)
        ledger_add_apart(a, APART_RETRANSMIT, 0x80000000u);
    assert_line(a, "edge cache nic dma 5 21474836475");
    assert_line(a, "apart retransmit 3 6442450944");
    account_put(a);
}

static void what_is_no_payload_has_lines_of_its_own(void **state)
{
    struct account *a = account_new();
    ledger_add_apart(a, APART_TX_HEADERS, 54);
    ledger_add_apart(a, APART_TX_HEADERS, 54);
    ledger_add_apart(a, APART_METADATA, 1024);
    assert_line(a, "apart tx_headers 2 108");
    assert_line(a, "apart metadata 1 1024");
    assert_line(&ledger_machine, "apart tx_headers 2 108");
    assert_null(strstr(text, "edge"));
    account_put(a);
}

static void entries_and_switches_are_counted_by_cause(void **state)
{
    struct account *a = account_new();
    for (u32 cause = 0; cause < NR_ENTRIES; cause++)
        for (u32 times = 0; times <= cause; times++)
            ledger_entry(a, cause);
    ledger_switch(a, SWITCH_INVOLUNTARY);
    assert_line(a, "entry syscall 1");
    assert_line(a, "entry minor_fault 2");
    assert_line(a, "entry major_fault 3");
    assert_line(a, "entry exception 4");
    assert_line(a, "entry irq 5");
    assert_line(a, "switch voluntary 0");
    assert_line(a, "switch involuntary 1");
    assert_line(&ledger_machine, "entry irq 5");
    account_put(a);
}

static void an_account_lives_until_its_last_reference_is_put(void **state)
{
    struct account *a = account_new();
    assert_ptr_equal(account_get(a), a); /* a packet in flight */
    account_put(a);                      /* the task has ended */
    ledger_add(a, EDGE_SOCK_NIC, MOVER_DMA, 10);
    assert_line(a, "edge sock nic dma 1 10");
    assert_int_equal(allocated, 1);
    account_put(a);
    assert_int_equal(allocated, 0);
    account_put(NULL);
}

static void without_memory_there_is_no_account(void **state)
{
    no_memory = true;
    assert_null(account_new());
}

static void the_current_task_pays_and_without_one_the_machine(void **state)
{
    struct account *a = account_new();
    struct task task = {.account = a}, early = {.account = NULL};
    assert_ptr_equal(account_current(), &ledger_machine);
    current = &early;
    assert_ptr_equal(account_current(), &ledger_machine);
    current = &task;
    assert_ptr_equal(account_current(), a);
    account_put(a);
}

/* Whatever is entered, the machine's figures are the sum over all accounts. */
static void the_machine_is_the_sum_of_all_accounts(void **state)
{
    enum { ACCOUNTS = 5 };
    struct account *a[ACCOUNTS];
    u32 seed = 1;
    for (int i = 0; i < ACCOUNTS; i++)
        a[i] = account_new();
    for (int i = 0; i < 100000; i++) {
        seed = seed * 1103515245 + 12345;
        u32 r = seed >> 4;
        struct account *payer = a[r % ACCOUNTS];
        ledger_add(payer, r / 5 % NR_EDGES, r / 100 % NR_MOVERS, r % 65537);
        ledger_add_apart(payer, r / 7 % NR_APART, r % 1461);
    }
    for (u32 e = 0; e < NR_EDGES; e++) {
        for (u32 m = 0; m < NR_MOVERS; m++) {
            u64 bytes = 0;
            u32 ops = 0;
            for (int i = 0; i < ACCOUNTS; i++) {
                bytes += a[i]->edges[e][m].bytes;
                ops += a[i]->edges[e][m].ops;
            }
            assert_int_equal(ledger_machine.edges[e][m].bytes, bytes);
            assert_int_equal(ledger_machine.edges[e][m].ops, ops);
        }
    }
    for (int i = 0; i < ACCOUNTS; i++)
        account_put(a[i]);
}

/* Every edge that a design's table names has two ends with different names, and no two are alike.
 */
static void every_edge_has_a_name_of_its_own(void **state)
{
    for (u32 e = 0; e < NR_EDGES; e++) {
        assert_non_null(edge_names[e].from);
        assert_non_null(edge_names[e].to);
        for (u32 other = 0; other < e; other++)
            assert_false(!strcmp(edge_names[e].from, edge_names[other].from) &&
                         !strcmp(edge_names[e].to, edge_names[other].to));
    }
}

static void a_full_ledger_fits_where_programs_read_it(void **state)
{
    struct account *a = account_new();
    memset(a->edges, 0xFF, sizeof(a->edges));
    memset(a->apart, 0xFF, sizeof(a->apart));
    memset(a->entries, 0xFF, sizeof(a->entries));
    memset(a->switches, 0xFF, sizeof(a->switches));
    size_t len = format(a);
    assert_int_equal(len, strlen(text));
    assert_in_range(len, 1000, TEXT - 1); /* user/lib/ledger.c reads 8 KiB */
    account_put(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, nothing_left)
        TEST(an_entry_is_made_in_the_account_and_in_the_machine),
        TEST(movers_and_edges_are_kept_apart),
        TEST(the_machine_pays_alone_when_there_is_no_account),
        TEST(nothing_moved_is_no_entry),
        TEST(bytes_go_beyond_32_bits),
        TEST(what_is_no_payload_has_lines_of_its_own),
        TEST(entries_and_switches_are_counted_by_cause),
        TEST(an_account_lives_until_its_last_reference_is_put),
        TEST(without_memory_there_is_no_account),
        TEST(the_current_task_pays_and_without_one_the_machine),
        TEST(the_machine_is_the_sum_of_all_accounts),
        TEST(every_edge_has_a_name_of_its_own),
        TEST(a_full_ledger_fits_where_programs_read_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
