/* ioctl(2) on a socket: what waits in it, and the way to interfaces, routes and neighbours. */
#include <asm/ioctls.h>
#include <linux/sockios.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/route.h"
#include "kernel/net/socket.h"
#include "kernel/net/uapi.h"

static int give_int(void __user *argument, int value)
{
    return copyout(argument, &value, sizeof(value)) < 0 ? -EFAULT : 0;
}

static int give_waiting(struct socket *s, void __user *argument, bool to_send)
{
    int n = s->ops->waiting ? s->ops->waiting(s, to_send) : -EINVAL;
    return n < 0 ? n : give_int(argument, n);
}

int socket_ioctl(struct file *file, u32 request, u32 argument)
{
    struct socket *s = file->private;
    void __user *arg = (void __user *)argument;
    switch (request) {
    case FIONREAD: /* and SIOCINQ */
        return give_waiting(s, arg, false);
    case TIOCOUTQ: /* and SIOCOUTQ */
        return give_waiting(s, arg, true);
    case SIOCADDRT:
    case SIOCDELRT:
        return route_ioctl(request == SIOCADDRT, arg);
    case SIOCGARP:
    case SIOCSARP:
    case SIOCDARP:
        return neighbour_ioctl(request, arg);
    default:
        return request >= SIOCGIFNAME && request <= SIOCETHTOOL ? interface_ioctl(request, arg)
                                                                : -ENOTTY;
    }
}
