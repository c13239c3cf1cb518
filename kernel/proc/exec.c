/*
 * execve(2): another program takes the place of the calling one.
 *
 * The arguments are gathered first, then the file decides what it is: a script is replaced by its
 * interpreter (script.c), an ELF file becomes a new address space (elf.c). Only when that stands,
 * with its stack, does it take the old one's place: until then every error finds the caller as it
 * was.
 */
#include "kernel/proc/exec.h"
#include <linux/fcntl.h>
#include <linux/mount.h>
#include "kernel/cpu/segments.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/proc/timer_calls.h"
#include "kernel/proc/program.h"
#include "kernel/sys/lookup.h"

#define SCRIPTS_MAX                                                               \
    5 /* a script's interpreter may be a script, and so on: then -ELOOP, as Linux \
       */

static int may_execute(const struct inode *inode)
{
    if (S_TYPE(inode->mode) != S_REG || (inode->super->flags & MS_NOEXEC))
        return -EACCES;
    int err = inode_permission(inode, MAY_EXECUTE);
    return !err && inode->writers ? -ETXTBSY : err;
}

struct inode *program_open(struct inode *start, const char *path, u32 walk_flags)
{
    struct inode *inode = path_walk(start, path, walk_flags);
    if (is_err(inode))
        return inode;
    int err = S_TYPE(inode->mode) == S_LNK ? -ELOOP : may_execute(inode);
    if (!err)
        return inode;
    inode_put(inode);
    return err_ptr(err);
}

/* Follows scripts to the ELF file that will read them. */
static int find_elf(struct program *p)
{
    for (u32 scripts = 0;; scripts++) {
        if (scripts > SCRIPTS_MAX)
            return -ELOOP;
        ssize_t n = file_read_kernel(p->inode, 0, p->head, PROGRAM_HEAD);
        if (n < 0)
            return n;
        p->head_len = n;
        inode_accessed(p->inode);
        int ret = script_parse(p);
        if (ret <= 0)
            return ret;
        struct inode *inode = program_open(NULL, p->interpreter, 0);
        if (is_err(inode))
            return ptr_err(inode);
        inode_put(p->inode);
        p->inode = inode;
    }
}

/* The stack's last words, and zeroes where the file must not show: in the new address space,
 * which is loaded for that alone. The stack pointer, or a negative errno. */
static long finish_space(struct program *p, struct mm *mm)
{
    struct mm *old = current->mm;
    Elf32_auxv_t aux[AUX_MAX];
    current->mm = mm;
    mm_switch(mm);
    long sp = elf_clear(p);
    if (sp == 0)
        sp = arguments_finish(p->arguments, aux, elf_aux(p, aux));
    current->mm = old;
    mm_switch(old);
    return sp;
}

/* Not inlined: gdb loads the program's symbols when it gets here (tools/gdb/ferry.py). */
static __attribute__((noinline)) void start_program(struct trap_frame *f, u32 entry, u32 sp)
{
    memset(f, 0, sizeof(*f));
    f->ds = f->es = f->ss = USER_DS;
    f->cs = USER_CS;
    f->eip = entry;
    f->esp = sp;
    f->eflags = EFLAGS_IF | 2;
}

/* A program does not share with what it was before: the other threads end, and files and signal
 * actions become its own. */
static int exec_alone(void)
{
    int err = threads_end_others();
    if (!err && current->files && current->files->refs > 1) {
        struct files *own = files_copy(current->files);
        if (!own)
            return -ENOMEM;
        files_put(current->files);
        current->files = own;
    }
    return err ? err : signal_actions_unshare();
}

/* The point of no return: what becomes of the task when it starts another program. */
static void exec_commit(struct program *p, struct mm *mm)
{
    struct mm *old = current->mm;
    futex_thread_ends(); /* its locks are in the old memory, under its old number */
    current->tid = current->process->pid;
    current->cred = p->cred;
    current->mm = mm;
    mm_switch(mm);
    vfork_release();
    mm_put(old);
    if (current->files)
        files_close_on_exec(current->files);
    const char *name = strrchr(p->path, '/');
    strlcpy(current->name, name ? name + 1 : p->path, TASK_NAME);
    strlcpy(current->process->name, current->name, TASK_NAME);
    current->process->did_exec = true;
    memset(current->tls, 0, sizeof(current->tls));
    gdt_set_tls(current->tls);
    fpu_state_init(&current->fpu);
    fpu_restore(&current->fpu);
    current->set_child_tid = 0;
    signal_exec();
    posix_timers_delete(current->process);
    trace(TRACE_EXEC, current->tid, 0);
}

/* With p->path, p->inode and p->arguments set. On failure the caller is as it was. */
static int load(struct program *p, struct trap_frame *frame)
{
    struct mm *mm = NULL;
    int err = find_elf(p);
    if (!err && !(mm = mm_new()))
        err = -ENOMEM;
    if (!err)
        err = elf_load(p, mm);
    if (!err)
        p->secure = cred_after_exec(p->inode, &p->cred);
    if (!err)
        err = arguments_install(p->arguments, mm);
    long sp = err ? err : finish_space(p, mm);
    if (sp < 0 && sp > -4096) {
        mm_put(mm);
        return sp;
    }
    err = exec_alone();
    if (err) {
        mm_put(mm);
        return err;
    }
    mm->start_stack = sp;
    exec_commit(p, mm);
    start_program(frame, elf_entry(p), sp);
    return 0;
}

static struct program *program_new(const char *path)
{
    struct program *p = kzalloc(sizeof(*p));
    if (!p)
        return NULL;
    p->path = path;
    p->arguments = arguments_new();
    p->interpreter = kzalloc(PROGRAM_HEAD);
    if (p->arguments && p->interpreter)
        return p;
    arguments_free(p->arguments);
    kfree(p->interpreter);
    kfree(p);
    return NULL;
}

static void program_free(struct program *p)
{
    if (!p)
        return;
    elf_free(p);
    if (p->inode)
        inode_put(p->inode);
    arguments_free(p->arguments);
    kfree(p->interpreter);
    kfree(p);
}

/* A program without arguments gets an empty one: many would not survive argv[0] == NULL. */
static int gather(struct program *p, const u32 __user *argv, const u32 __user *envp)
{
    struct arguments *a = p->arguments;
    u32 argc = 0;
    int err = arguments_count(argv, &argc);
    a->argc = MAX(argc, 1u);
    if (!err)
        err = arguments_count(envp, &a->envc);
    if (!err)
        err = arguments_push(a, p->path);
    a->execfn = a->lowest;
    if (!err)
        err = arguments_push_vector(a, envp, a->envc);
    a->env_start = a->lowest;
    if (!err)
        err = argc ? arguments_push_vector(a, argv, argc) : arguments_push(a, "");
    return err;
}

static bool closes_on_exec(u32 fd)
{
    return current->files->cloexec[fd / 8] >> fd % 8 & 1;
}

/* What (dirfd, name) is, as execveat(2) has it; `path`, of PATH_MAX_LEN bytes, becomes the name
 * by which the program can be found. */
static int find_file(struct program *p, s32 dirfd, const char *name, u32 flags, char *path)
{
    bool empty = !*name && flags & AT_EMPTY_PATH;
    if (dirfd == AT_FDCWD || *name == '/') {
        strlcpy(path, name, PATH_MAX_LEN);
    } else {
        snprintf(path, PATH_MAX_LEN, *name ? "/dev/fd/%d/%s" : "/dev/fd/%d", dirfd, name);
        struct file *f = fd_get(dirfd);
        if (!f)
            return -EBADF;
        p->closed_by_exec = closes_on_exec(dirfd);
        if (empty)
            p->inode = inode_hold(f->inode);
        file_put(f);
    }
    if (empty)
        return p->inode ? may_execute(p->inode) : -EACCES; /* AT_FDCWD: a directory */
    struct inode *start = directory_of(dirfd, name);
    if (is_err(start))
        return ptr_err(start);
    struct inode *inode =
        program_open(start, name, flags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0);
    inode_put(start);
    if (is_err(inode))
        return ptr_err(inode);
    p->inode = inode;
    return 0;
}

long sys_execveat(s32 dirfd, const char __user *name_at, const u32 __user *argv,
                  const u32 __user *envp, u32 flags)
{
    if (flags & ~(u32)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    char *name = path_copyin(name_at);
    if (is_err(name))
        return ptr_err(name);
    char *path = kmalloc(PATH_MAX_LEN);
    struct program *p = program_new(path);
    long ret = p && path ? find_file(p, dirfd, name, flags, path) : -ENOMEM;
    if (ret == 0)
        ret = gather(p, argv, envp);
    if (ret == 0)
        ret = load(p, current->frame);
    program_free(p);
    kfree(path);
    kfree(name);
    return ret;
}

long sys_execve(const char __user *path, const u32 __user *argv, const u32 __user *envp)
{
    return sys_execveat(AT_FDCWD, path, argv, envp, 0);
}

/* Pushes the blank-separated words of the text, last one first. */
static int push_words(struct arguments *a, const char *text)
{
    int err = 0;
    for (u32 end = strlen(text); !err;) {
        while (end && text[end - 1] == ' ')
            end--;
        if (!end)
            break;
        u32 start = end;
        while (start && text[start - 1] != ' ')
            start--;
        char word[128];
        strlcpy(word, text + start, MIN(end - start + 1, sizeof(word)));
        err = arguments_push(a, word);
        a->argc++;
        end = start;
    }
    return err;
}

static int gather_init(struct program *p, const char *arguments)
{
    static const char *const environment[] = {"HOME=/", "PATH=/bin:/sbin:/usr/bin:/usr/sbin",
                                              "TERM=linux"};
    struct arguments *a = p->arguments;
    int err = arguments_push(a, p->path);
    a->execfn = a->lowest;
    for (u32 i = ARRAY_LEN(environment); i-- && !err; a->envc++)
        err = arguments_push(a, environment[i]);
    a->env_start = a->lowest;
    if (!err)
        err = push_words(a, arguments);
    a->argc++;
    return err ? err : arguments_push(a, p->path);
}

void exec_init(const char *path, const char *arguments)
{
    struct program *p = program_new(path);
    ASSERT(p);
    struct trap_frame *frame = task_user_frame(current);
    current->frame = frame;
    current->process->unkillable = true; /* until it does wrong itself: kill(2), NOTES */
    struct inode *inode = program_open(NULL, path, 0);
    int err = is_err(inode) ? ptr_err(inode) : 0;
    if (!err) {
        p->inode = inode;
        err = gather_init(p, arguments);
    }
    if (!err)
        err = load(p, frame);
    program_free(p);
    if (err) {
        kprintf("cannot start %s: error %d\n", path, -err);
        power_fail();
    }
    irq_disable();
    tss_set_kernel_stack(current->kstack + KSTACK_SIZE);
    enter_user(frame);
}
