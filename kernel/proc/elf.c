/*
 * ELF programs: an executable, or a shared object such as a position-independent program, and the
 * interpreter it names (the dynamic linker), each mapped segment by segment.
 *
 * Nothing in a file is believed: every header field is checked against the file's size and the
 * user address range before it is used. Segments are private mappings of the file: text is never
 * copied, it is the page cache's own. System V ABI i386 supplement, chapters 3 to 5; elf(5); the
 * errors are those of Linux's fs/binfmt_elf.c.
 */
#include <elf.h>
#include <linux/mman.h>
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/program.h"

#define PHDRS_MAX   (PAGE_SIZE / sizeof(Elf32_Phdr))
#define ET_DYN_AT   0x56555000u /* where a position-independent program goes */
#define STACK_START (32 * PAGE_SIZE)

static bool header_ok(const Elf32_Ehdr *h)
{
    return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS32 &&
           h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == EM_386 &&
           (h->e_type == ET_EXEC || h->e_type == ET_DYN);
}

/* Takes over the inode's reference. */
static int read_image(struct elf_image *e, struct inode *inode)
{
    Elf32_Ehdr *h = &e->header;
    e->inode = inode;
    ssize_t n = file_read_kernel(inode, 0, h, sizeof(*h));
    if (n < 0)
        return n;
    if ((size_t)n < sizeof(*h) || !header_ok(h) || h->e_phentsize != sizeof(Elf32_Phdr) ||
        !h->e_phnum || h->e_phnum > PHDRS_MAX)
        return -ENOEXEC;
    u32 len = h->e_phnum * sizeof(Elf32_Phdr);
    e->phdrs = kmalloc(len);
    if (!e->phdrs)
        return -ENOMEM;
    n = file_read_kernel(inode, h->e_phoff, e->phdrs, len);
    return n < 0 ? n : (u32)n == len ? 0 : -ENOEXEC;
}

/* The segment of that type which comes first, or NULL. */
static const Elf32_Phdr *find_header(const struct elf_image *e, u32 type)
{
    for (u32 i = 0; i < e->header.e_phnum; i++)
        if (e->phdrs[i].p_type == type)
            return &e->phdrs[i];
    return NULL;
}

static int check_segment(const struct elf_image *e, const Elf32_Phdr *s)
{
    u32 start = s->p_vaddr + e->bias;
    if (s->p_filesz > s->p_memsz || (s->p_vaddr ^ s->p_offset) & (PAGE_SIZE - 1))
        return -ENOEXEC;
    if (s->p_offset > e->inode->size || s->p_filesz > e->inode->size - s->p_offset)
        return -ENOEXEC;
    if (start < s->p_vaddr || start < PAGE_SIZE || start >= MMAP_TOP ||
        s->p_memsz > MMAP_TOP - start)
        return -ENOEXEC;
    return 0;
}

static u32 protection(u32 flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

/* The file's part is mapped; what the program wants beyond it is anonymous. */
static int map_segment(struct mm *mm, struct elf_image *e, const Elf32_Phdr *s)
{
    u32 address = s->p_vaddr + e->bias;
    virt_t start = address & PAGE_MASK, end = ROUND_UP(address + s->p_memsz, PAGE_SIZE);
    virt_t file_end = s->p_filesz ? ROUND_UP(address + s->p_filesz, PAGE_SIZE) : start;
    if (start == end)
        return 0;
    if (!mm_range_free(mm, start, end))
        return -ENOEXEC; /* segments that overlap */
    int err = 0;
    if (file_end > start)
        err = vma_add(mm, start, file_end, protection(s->p_flags), false, e->inode,
                      s->p_offset >> PAGE_SHIFT);
    if (!err && end > file_end)
        err = vma_add(mm, file_end, end, protection(s->p_flags), false, NULL, 0);
    e->end = MAX(e->end, end);
    return err;
}

/* How many bytes from its first segment to its last; 0 when there is none. */
static u32 span(const struct elf_image *e)
{
    u32 low = UINT32_MAX, high = 0;
    for (u32 i = 0; i < e->header.e_phnum; i++) {
        const Elf32_Phdr *s = &e->phdrs[i];
        if (s->p_type != PT_LOAD || !s->p_memsz)
            continue;
        if (s->p_vaddr >= MMAP_TOP || s->p_memsz > MMAP_TOP - s->p_vaddr)
            return 0;
        low = MIN(low, s->p_vaddr & PAGE_MASK);
        high = MAX(high, ROUND_UP(s->p_vaddr + s->p_memsz, PAGE_SIZE));
    }
    return high > low ? high - low : 0;
}

static int map_image(struct mm *mm, struct elf_image *e)
{
    const Elf32_Ehdr *h = &e->header;
    for (u32 i = 0; i < h->e_phnum; i++) {
        const Elf32_Phdr *s = &e->phdrs[i];
        if (s->p_type != PT_LOAD)
            continue;
        int err = check_segment(e, s);
        if (!err)
            err = map_segment(mm, e, s);
        if (err)
            return err;
        if (h->e_phoff >= s->p_offset && h->e_phoff < s->p_offset + s->p_filesz)
            e->phdrs_at = s->p_vaddr + e->bias + (h->e_phoff - s->p_offset);
    }
    return vma_find(mm, h->e_entry + e->bias) ? 0 : -ENOEXEC;
}

/* PT_INTERP: the file that the program wants to be loaded with it. */
static int open_linker(struct program *p, const Elf32_Phdr *s)
{
    if (s->p_filesz > PATH_MAX_LEN || s->p_filesz < 2)
        return -ENOEXEC;
    char *name = kmalloc(s->p_filesz);
    if (!name)
        return -ENOMEM;
    ssize_t n = file_read_kernel(p->main.inode, s->p_offset, name, s->p_filesz);
    int err = n < 0 ? n : (u32)n != s->p_filesz ? -EIO : name[n - 1] ? -ENOEXEC : 0;
    struct inode *inode = err ? err_ptr(err) : program_open(NULL, name, 0);
    kfree(name);
    if (is_err(inode))
        return ptr_err(inode);
    if (inode->size < sizeof(Elf32_Ehdr)) {
        inode_put(inode);
        return -EIO;
    }
    err = read_image(&p->linker, inode);
    return err == -ENOEXEC ? -ELIBBAD : err;
}

int elf_load(struct program *p, struct mm *mm)
{
    struct elf_image *e = &p->main, *linker = &p->linker;
    int err = read_image(e, inode_hold(p->inode));
    if (err)
        return err;
    const Elf32_Phdr *interp = find_header(e, PT_INTERP);
    if (interp && (err = open_linker(p, interp)))
        return err;
    e->bias = e->header.e_type == ET_DYN ? ET_DYN_AT : 0;
    if ((err = map_image(mm, e)))
        return err;
    mm->brk_start = mm->brk = e->end;
    mm->exe = inode_run(e->inode);

    /* Without PT_GNU_STACK it is an old program, which may have code on its stack. */
    const Elf32_Phdr *stack = find_header(e, PT_GNU_STACK);
    u32 exec = !stack || stack->p_flags & PF_X ? PROT_EXEC : 0;
    err = vma_add(mm, USER_STACK_TOP - STACK_START, USER_STACK_TOP, PROT_READ | PROT_WRITE | exec,
                  false, NULL, 0);
    if (err)
        return err;
    vma_find(mm, USER_STACK_TOP - 1)->grows_down = true;

    if (!linker->inode)
        return 0;
    if (linker->header.e_type == ET_DYN) {
        u32 len = span(linker);
        virt_t at = len ? mm_find_free(mm, len) : 0;
        if (!at)
            return len ? -ENOMEM : -ELIBBAD;
        linker->bias = at - (find_header(linker, PT_LOAD)->p_vaddr & PAGE_MASK);
    }
    return map_image(mm, linker);
}

/* Behind p_filesz the last page of a segment belongs to .bss: zeroes, not the file's next bytes. */
static int clear_image(const struct elf_image *e)
{
    for (u32 i = 0; e->inode && i < e->header.e_phnum; i++) {
        const Elf32_Phdr *s = &e->phdrs[i];
        if (s->p_type != PT_LOAD || s->p_memsz == s->p_filesz || !s->p_filesz)
            continue;
        u32 from = s->p_vaddr + e->bias + s->p_filesz;
        if (s->p_flags & PF_W && zero_user((void __user *)from, ROUND_UP(from, PAGE_SIZE) - from))
            return -ENOEXEC;
    }
    return 0;
}

int elf_clear(const struct program *p)
{
    int err = clear_image(&p->main);
    return err ? err : clear_image(&p->linker);
}

u32 elf_entry(const struct program *p)
{
    const struct elf_image *e = p->linker.inode ? &p->linker : &p->main;
    return e->header.e_entry + e->bias;
}

/* Neither AT_SYSINFO nor AT_SYSINFO_EHDR: there is no vDSO, and calls are made by int 0x80. */
u32 elf_aux(const struct program *p, Elf32_auxv_t aux[AUX_MAX])
{
    const struct arguments *a = p->arguments;
    const struct elf_image *e = &p->main;
    const Elf32_auxv_t all[] = {
        {AT_HWCAP, {cpu_capabilities}},
        {AT_PAGESZ, {PAGE_SIZE}},
        {AT_CLKTCK, {TIMER_HZ}},
        {AT_PHDR, {e->phdrs_at}},
        {AT_PHENT, {sizeof(Elf32_Phdr)}},
        {AT_PHNUM, {e->header.e_phnum}},
        {AT_BASE, {p->linker.bias}},
        {AT_FLAGS, {0}},
        {AT_ENTRY, {e->header.e_entry + e->bias}},
        {AT_UID, {p->cred.uid}},
        {AT_EUID, {p->cred.euid}},
        {AT_GID, {p->cred.gid}},
        {AT_EGID, {p->cred.egid}},
        {AT_SECURE, {p->secure}},
        {AT_RANDOM, {a->random}},
        {AT_EXECFN, {a->execfn}},
        {AT_PLATFORM, {a->platform}},
        {AT_NULL, {0}},
    };
    memcpy(aux, all, sizeof(all));
    return ARRAY_LEN(all);
}

void elf_free(struct program *p)
{
    struct elf_image *images[] = {&p->main, &p->linker};
    for (u32 i = 0; i < ARRAY_LEN(images); i++) {
        kfree(images[i]->phdrs);
        if (images[i]->inode)
            inode_put(images[i]->inode);
    }
}
