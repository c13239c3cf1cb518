/*
 * Inside of execve(2): a program on its way into a task.
 *
 *   arguments.c   the strings, gathered where the new program will find them
 *   script.c      "#!": another program is to be started instead
 *   elf.c         an ELF file, and its interpreter, become an address space
 *   exec.c        the order of these, and the moment when the task becomes the new program
 */
#ifndef KERNEL_PROC_PROGRAM_H
#define KERNEL_PROC_PROGRAM_H

#include <elf.h>
#include "kernel/proc/cred.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/mm.h"

#define PROGRAM_HEAD 256 /* bytes of a file that decide what it is; a script's first line */

/*
 * argv, envp and the name of the program, in pages that become the top of its stack:
 *
 *   top of the stack   four bytes of zero
 *   execfn             the name that execve got
 *   env_start          envp's strings, the first one lowest
 *   arg_start          argv's strings, the first one lowest
 *   random, platform   what the auxiliary vector points to
 *   lowest             what is pushed next goes below
 *
 * Strings are pushed last one first, so that a script can have its argv[0] replaced.
 */
#define ARGUMENT_PAGES 512u         /* 2 MiB at most; else a quarter of RLIMIT_STACK, as on Linux */
#define STRING_MAX     (128u << 10) /* of one string: MAX_ARG_STRLEN of <linux/binfmts.h> */
struct arguments {
    struct page *pages[ARGUMENT_PAGES]; /* from the top of the stack down */
    virt_t lowest, execfn, env_start, arg_start, random, platform;
    u32 limit; /* bytes, the pointers to the strings included */
    u32 argc, envc;
};

struct arguments *arguments_new(void);
void arguments_free(struct arguments *a);
/* 0, -E2BIG, -ENOMEM, -EFAULT. The first pushes a string of the kernel's. */
int arguments_push(struct arguments *a, const char *text);
int arguments_push_vector(struct arguments *a, const u32 __user *vector, u32 count);
/* The length of a vector; a NULL one counts as empty, as on Linux. -EFAULT, -E2BIG, -EINTR */
int arguments_count(const u32 __user *vector, u32 *count);
void arguments_drop_first(struct arguments *a); /* argv[0]; argc is the caller's business */
/* All strings are there: the pages become the top of the stack that `mm` has. 0 or a negative
 * errno. */
int arguments_install(struct arguments *a, struct mm *mm);
/* Writes argc, argv, envp and the auxiliary vector below the strings, in the address space that
 * is loaded now. The stack pointer, or a negative errno. */
long arguments_finish(struct arguments *a, const Elf32_auxv_t *aux, u32 nr_aux);

/* One ELF file that was read and mapped. */
struct elf_image {
    struct inode *inode; /* a reference */
    Elf32_Ehdr header;
    Elf32_Phdr *phdrs; /* header.e_phnum of them */
    u32 bias;          /* what was added to its addresses */
    virt_t end;        /* behind its last segment */
    virt_t phdrs_at;   /* where the program finds its own headers; 0: nowhere */
};

struct program {
    const char *path;    /* as the caller said it; of a script, the script's */
    struct inode *inode; /* what is to be loaded: a reference */
    char head[PROGRAM_HEAD];
    u32 head_len;
    bool closed_by_exec; /* its path leads through a descriptor that will not be open any more */
    struct arguments *arguments;
    char *interpreter; /* what script.c found, PROGRAM_HEAD bytes */
    struct elf_image main, linker;
    struct cred cred; /* what the task will be when it runs the program */
    bool secure;      /* and that it has more rights then than its caller (AT_SECURE) */
};

/* Is it a script? Then its interpreter's name is in p->interpreter, and the arguments are as that
 * one shall get them: 1. Not a script: 0. Or a negative errno. */
int script_parse(struct program *p);

/* Maps the program and its interpreter into mm, which is not loaded yet. -ENOEXEC where the
 * file is no program for us. */
int elf_load(struct program *p, struct mm *mm);
/* With mm loaded: clears what has to be zero in pages of the file. */
int elf_clear(const struct program *p);
u32 elf_entry(const struct program *p);
#define AUX_MAX 20
u32 elf_aux(const struct program *p, Elf32_auxv_t aux[AUX_MAX]); /* how many it made */
void elf_free(struct program *p);

/* The file that is to be executed, checked as execve(2) asks: a reference, or err_ptr. */
struct inode *program_open(struct inode *start, const char *path, u32 walk_flags);

#endif
