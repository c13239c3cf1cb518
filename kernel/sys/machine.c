/* Calls about the machine as a whole: its names. */
#include <linux/utsname.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/sys.h"

struct new_utsname machine_name = {
    .sysname = UTS_SYSNAME,
    .nodename = "ferry",
    .release = UTS_RELEASE,
    .version = UTS_VERSION,
    .machine = "i686",
    .domainname = "(none)",
};

long sys_uname(void __user *to)
{
    return copyout(to, &machine_name, sizeof(machine_name));
}
