/*
 * execve(2): a static ELF program takes the place of the calling one.
 *
 * Nothing in the file is believed: every header field is checked against the file's size and the
 * user address range before it is used, and only when the whole new address space stands does it
 * replace the old one. Program segments are private mappings of the file: text is never copied,
 * it is the page cache's own. System V ABI i386 supplement, chapters 3 and 5; elf(5).
 */
#include <elf.h>
#include <linux/mman.h>
#include "kernel/cpu/segments.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"

#define PHDRS_MAX     32
#define ARG_PAGES     32 /* 128 KiB of arguments and environment together, as on early Linux */
#define STATIC_PIE_AT 0x56555000u

/* Arguments on their way from the old address space to the new one: strings one behind the
 * other in pages of the kernel's. */
struct strings {
    struct page *pages[ARG_PAGES];
    u32 used; /* bytes */
    u32 argc, envc;
};

struct program {
    Elf32_Ehdr header;
    Elf32_Phdr phdrs[PHDRS_MAX];
    u32 bias, end, phdr_address;
};

static void strings_free(struct strings *s)
{
    for (u32 i = 0; i < ARG_PAGES; i++)
        if (s->pages[i])
            page_put(s->pages[i], HOLD_USE);
    kfree(s);
}

static int strings_byte(struct strings *s, char c)
{
    u32 i = s->used / PAGE_SIZE;
    if (i >= ARG_PAGES)
        return -E2BIG;
    if (!s->pages[i] && !(s->pages[i] = page_alloc(PAGE_KERNEL, HOLD_USE)))
        return -ENOMEM;
    ((char *)page_virt(s->pages[i]))[s->used++ % PAGE_SIZE] = c;
    return 0;
}

static int strings_add(struct strings *s, const char *text)
{
    int err = 0;
    do
        err = strings_byte(s, *text);
    while (!err && *text++);
    return err;
}

/* One vector (argv or envp); a NULL vector counts as empty, as on Linux. */
static int strings_copyin(struct strings *s, const u32 __user *vector, u32 *count)
{
    for (*count = 0; vector; vector++, ++*count) {
        u32 at;
        if (copyin(&at, vector, sizeof(at)) < 0)
            return -EFAULT;
        if (!at)
            break;
        for (bool end = false; !end;) {
            char piece[128];
            ssize_t n = copyin_string(piece, (const char __user *)at, sizeof(piece));
            if (n == -EFAULT)
                return -EFAULT;
            end = n >= 0;
            u32 len = end ? (u32)n + 1 : sizeof(piece);
            for (u32 i = 0; i < len; i++) {
                int err = strings_byte(s, piece[i]);
                if (err)
                    return err;
            }
            at += len;
        }
    }
    return 0;
}

static int read_headers(struct inode *inode, struct program *p)
{
    const Elf32_Ehdr *h = &p->header;
    ssize_t n = file_read_kernel(inode, 0, &p->header, sizeof(p->header));
    if (n < 0)
        return n;
    if ((size_t)n < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
        h->e_ident[EI_CLASS] != ELFCLASS32 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        h->e_machine != EM_386 || (h->e_type != ET_EXEC && h->e_type != ET_DYN) ||
        h->e_phentsize != sizeof(Elf32_Phdr) || !h->e_phnum || h->e_phnum > PHDRS_MAX)
        return -ENOEXEC;
    u32 len = h->e_phnum * sizeof(Elf32_Phdr);
    n = file_read_kernel(inode, h->e_phoff, p->phdrs, len);
    if (n < 0)
        return n;
    return (u32)n == len ? 0 : -ENOEXEC;
}

static int check_segment(const struct inode *inode, const struct program *p, const Elf32_Phdr *s)
{
    u32 start = s->p_vaddr + p->bias;
    if (s->p_filesz > s->p_memsz || (s->p_vaddr ^ s->p_offset) & (PAGE_SIZE - 1))
        return -ENOEXEC;
    if (s->p_offset > inode->size || s->p_filesz > inode->size - s->p_offset)
        return -ENOEXEC;
    if (start < PAGE_SIZE || start >= MMAP_TOP || s->p_memsz > MMAP_TOP - start)
        return -ENOEXEC;
    return 0;
}

static u32 protection(u32 flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

/* The file's part is mapped; what the program wants beyond it is anonymous. */
static int map_segment(struct mm *mm, struct inode *inode, struct program *p, const Elf32_Phdr *s)
{
    u32 start = (s->p_vaddr + p->bias) & PAGE_MASK;
    u32 file_end = ROUND_UP(s->p_vaddr + p->bias + s->p_filesz, PAGE_SIZE);
    u32 end = ROUND_UP(s->p_vaddr + p->bias + s->p_memsz, PAGE_SIZE);
    if (!s->p_filesz)
        file_end = start;
    if (start == end)
        return 0;
    if (!mm_range_free(mm, start, end))
        return -ENOEXEC; /* segments that overlap */
    int err = 0;
    if (file_end > start)
        err = vma_add(mm, start, file_end, protection(s->p_flags), false, inode,
                      s->p_offset >> PAGE_SHIFT);
    if (!err && end > file_end)
        err = vma_add(mm, file_end, end, protection(s->p_flags), false, NULL, 0);
    p->end = MAX(p->end, end);
    return err;
}

static int map_program(struct mm *mm, struct inode *inode, struct program *p)
{
    bool any = false;
    p->bias = p->header.e_type == ET_DYN ? STATIC_PIE_AT : 0;
    for (u32 i = 0; i < p->header.e_phnum; i++) {
        const Elf32_Phdr *s = &p->phdrs[i];
        if (s->p_type == PT_INTERP)
            return -ENOEXEC; /* dynamic programs come with a later issue */
        if (s->p_type != PT_LOAD)
            continue;
        int err = check_segment(inode, p, s);
        if (!err)
            err = map_segment(mm, inode, p, s);
        if (err)
            return err;
        any = true;
        if (p->header.e_phoff >= s->p_offset && p->header.e_phoff < s->p_offset + s->p_filesz)
            p->phdr_address = s->p_vaddr + p->bias + (p->header.e_phoff - s->p_offset);
    }
    if (!any || !vma_find(mm, p->header.e_entry + p->bias))
        return -ENOEXEC;
    mm->brk_start = mm->brk = p->end;
    int err = vma_add(mm, USER_STACK_TOP - 32 * PAGE_SIZE, USER_STACK_TOP, PROT_READ | PROT_WRITE,
                      false, NULL, 0);
    if (!err)
        vma_find(mm, USER_STACK_TOP - 1)->grows_down = true;
    return err;
}

/* Behind p_filesz the last page of a segment belongs to .bss: zeroes, not the file's next bytes. */
static int clear_bss(const struct program *p)
{
    for (u32 i = 0; i < p->header.e_phnum; i++) {
        const Elf32_Phdr *s = &p->phdrs[i];
        if (s->p_type != PT_LOAD || s->p_memsz == s->p_filesz || !s->p_filesz)
            continue;
        u32 from = s->p_vaddr + p->bias + s->p_filesz;
        if (s->p_flags & PF_W && zero_user((void __user *)from, ROUND_UP(from, PAGE_SIZE) - from))
            return -ENOEXEC;
    }
    return 0;
}

/* The initial stack (System V ABI i386, figure 3-31): argc, argv, envp, auxiliary vector, and
 * above them the strings. Returns the stack pointer, or a negative errno. */
static long build_stack(const struct program *p, const struct strings *s)
{
    u32 top = USER_STACK_TOP - 16;
    u32 random_at = top, strings_at = (top - s->used) & ~15u;
    u32 seed[4];
    for (int i = 0; i < 4; i++)
        seed[i] = (u32)rdtsc() * 2654435761u + i * 40503u + current->tid;
    if (copyout((void __user *)random_at, seed, sizeof(seed)) < 0)
        return -ENOMEM;
    for (u32 done = 0; done < s->used; done += PAGE_SIZE)
        if (copyout((void __user *)(strings_at + done), page_virt(s->pages[done / PAGE_SIZE]),
                    MIN(s->used - done, PAGE_SIZE)) < 0)
            return -ENOMEM;

    const u32 aux[] = {
        AT_PHDR,   p->phdr_address,
        AT_PHENT,  sizeof(Elf32_Phdr),
        AT_PHNUM,  p->header.e_phnum,
        AT_PAGESZ, PAGE_SIZE,
        AT_BASE,   0,
        AT_FLAGS,  0,
        AT_ENTRY,  p->header.e_entry + p->bias,
        AT_UID,    0,
        AT_EUID,   0,
        AT_GID,    0,
        AT_EGID,   0,
        AT_SECURE, 0,
        AT_CLKTCK, TIMER_HZ,
        AT_RANDOM, random_at,
        AT_NULL,   0,
    };
    u32 words = 1 + s->argc + 1 + s->envc + 1 + ARRAY_LEN(aux);
    u32 sp = (strings_at - words * 4) & ~15u, at = sp;

    bool ok = copyout((void __user *)at, &s->argc, 4) == 0;
    at += 4;
    u32 string = 0, offset = 0;
    for (u32 i = 0; i < s->argc + s->envc && ok; i++) {
        if (i == s->argc) { /* the NULL between argv and envp */
            u32 zero = 0;
            ok = copyout((void __user *)at, &zero, 4) == 0;
            at += 4;
        }
        string = strings_at + offset;
        ok = ok && copyout((void __user *)at, &string, 4) == 0;
        at += 4;
        while (((char *)page_virt(s->pages[offset / PAGE_SIZE]))[offset % PAGE_SIZE])
            offset++;
        offset++;
    }
    u32 zeroes[2] = {0, 0}; /* the NULL behind envp, and argv's too when envp is empty */
    u32 nulls = s->envc ? 1 : 2;
    ok = ok && copyout((void __user *)at, zeroes, nulls * 4) == 0;
    at += nulls * 4;
    ok = ok && copyout((void __user *)at, aux, sizeof(aux)) == 0;
    return ok ? (long)sp : -ENOMEM;
}

/* Not inlined: gdb loads the program's symbols when it gets here (tools/gdb/ferry.py). */
static __attribute__((noinline)) void start_program(struct trap_frame *f, const struct program *p,
                                                    u32 sp)
{
    memset(f, 0, sizeof(*f));
    f->ds = f->es = f->ss = USER_DS;
    f->cs = USER_CS;
    f->eip = p->header.e_entry + p->bias;
    f->esp = sp;
    f->eflags = EFLAGS_IF | 2;
}

/* For /proc/<pid>/cmdline: the arguments, each with its terminator, at most a page. The program
 * runs without it when there is no memory. */
static void remember_arguments(const struct strings *s)
{
    struct process *p = current->process;
    const char *text = page_virt(s->pages[0]);
    u32 len = 0, limit = MIN(s->used, PAGE_SIZE);
    for (u32 n = 0; n < s->argc && len < limit; n++)
        len += strnlen(text + len, limit - len) + 1;
    len = MIN(len, limit);
    kfree(p->command_line);
    p->command_line = len ? kmalloc(len) : NULL;
    p->command_line_len = p->command_line ? len : 0;
    if (p->command_line)
        memcpy(p->command_line, text, len);
}

/* Replaces the current task's address space; on failure the old one is untouched. */
static int load(const char *path, struct strings *s, struct trap_frame *frame)
{
    struct inode *inode = path_walk(NULL, path, 0);
    if (is_err(inode))
        return ptr_err(inode);
    int err = -EACCES;
    struct mm *old = current->mm, *mm = NULL;
    struct program *p = kzalloc(sizeof(*p));
    if (S_TYPE(inode->mode) != S_REG || !(inode->mode & 0111))
        goto fail;
    err = -ENOMEM;
    if (!p || !(mm = mm_new()))
        goto fail;
    err = read_headers(inode, p);
    if (!err)
        err = map_program(mm, inode, p);
    if (err)
        goto fail;

    current->mm = mm;
    mm_switch(mm);
    err = clear_bss(p);
    long sp = err ? err : build_stack(p, s);
    if (sp < 0 && sp > -4096) {
        err = sp;
        current->mm = old;
        mm_switch(old);
        goto fail;
    }

    vfork_release();
    mm_put(old);
    if (current->files)
        files_close_on_exec(current->files);
    const char *name = strrchr(path, '/');
    strlcpy(current->name, name ? name + 1 : path, TASK_NAME);
    strlcpy(current->process->name, current->name, TASK_NAME);
    current->process->did_exec = true;
    remember_arguments(s);
    memset(current->tls, 0, sizeof(current->tls));
    gdt_set_tls(current->tls);
    fpu_state_init(&current->fpu);
    fpu_restore(&current->fpu);
    current->clear_child_tid = current->set_child_tid = 0;
    trace(TRACE_EXEC, current->tid, 0);
    start_program(frame, p, sp);
    kfree(p);
    inode_put(inode);
    return 0;
fail:
    mm_put(mm);
    kfree(p);
    inode_put(inode);
    return err;
}

long sys_execve(const char __user *path, const u32 __user *argv, const u32 __user *envp)
{
    char *name = kmalloc(PATH_MAX_LEN);
    struct strings *s = kzalloc(sizeof(*s));
    long ret = -ENOMEM;
    if (!name || !s)
        goto end;
    ret = copyin_string(name, path, PATH_MAX_LEN);
    if (ret < 0)
        goto end;
    ret = strings_copyin(s, argv, &s->argc);
    if (ret == 0 && !s->argc) { /* a program always has a name */
        s->argc = 1;
        ret = strings_add(s, name);
    }
    if (ret == 0)
        ret = strings_copyin(s, envp, &s->envc);
    if (ret == 0)
        ret = load(name, s, current->frame);
end:
    if (s)
        strings_free(s);
    kfree(name);
    return ret;
}

void exec_init(const char *path, const char *arguments)
{
    struct strings *s = kzalloc(sizeof(*s));
    ASSERT(s);
    int err = strings_add(s, path);
    s->argc = 1;
    while (!err && *arguments) {
        char word[128];
        size_t n = 0;
        while (arguments[n] && arguments[n] != ' ')
            n++;
        strlcpy(word, arguments, MIN(n + 1, sizeof(word)));
        if (n) {
            err = strings_add(s, word);
            s->argc++;
        }
        arguments += n;
        while (*arguments == ' ')
            arguments++;
    }
    static const char *const environment[] = {"HOME=/", "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
                                              "TERM=linux"};
    for (u32 i = 0; i < ARRAY_LEN(environment) && !err; i++, s->envc++)
        err = strings_add(s, environment[i]);

    struct trap_frame *frame = task_user_frame(current);
    current->frame = frame;
    if (!err)
        err = load(path, s, frame);
    strings_free(s);
    if (err) {
        kprintf("cannot start %s: error %d\n", path, -err);
        power_fail();
    }
    irq_disable();
    tss_set_kernel_stack(current->kstack + KSTACK_SIZE);
    enter_user(frame);
}
