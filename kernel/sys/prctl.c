/* prctl(2): odds and ends of a process. What we have not answers EINVAL, as an old Linux would. */
#include <linux/prctl.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal_state.h"
#include "kernel/sys/sys.h"

static long set_name(const char __user *from)
{
    char name[TASK_NAME] = "";
    ssize_t n = copyin_string(name, from, sizeof(name));
    if (n == -EFAULT)
        return n;
    name[TASK_NAME - 1] = 0; /* longer ones are cut */
    memcpy(current->name, name, TASK_NAME);
    if (current->tid == current->process->pid)
        memcpy(current->process->name, name, TASK_NAME);
    return 0;
}

static long put_u32(u32 to, u32 value)
{
    return copyout((void __user *)to, &value, sizeof(value));
}

long sys_prctl(u32 option, u32 a, u32 b, u32 c, u32 d)
{
    struct process *p = current->process;
    switch (option) {
    case PR_SET_NAME:
        return set_name((const char __user *)a);
    case PR_GET_NAME:
        return copyout((void __user *)a, current->name, TASK_NAME);
    case PR_SET_PDEATHSIG:
        if (a > NR_SIGNALS)
            return -EINVAL;
        p->death_signal = a;
        return 0;
    case PR_GET_PDEATHSIG:
        return put_u32(a, p->death_signal);
    case PR_SET_CHILD_SUBREAPER:
        p->subreaper = a != 0;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_u32(a, p->subreaper);
    case PR_SET_KEEPCAPS:
        if (a > 1)
            return -EINVAL;
        current->cred.keep_capabilities = a;
        return 0;
    case PR_GET_KEEPCAPS:
        return current->cred.keep_capabilities;
    case PR_GET_DUMPABLE: /* there are no core files */
        return 0;
    case PR_GET_TIMERSLACK:
        return 50000; /* nanoseconds, Linux's default; sleeps are exact to a tick anyway */
    default:
        return -EINVAL;
    }
}
