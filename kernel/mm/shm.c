/*
 * System V shared memory: segments that programs find by a number, and that live until somebody
 * removes them. A segment is a file of shared memory without a name; to attach it is to map it.
 * shmget(2), shmop(2), shmctl(2), svipc(7).
 */
#include "kernel/mm/shm.h"
#include <linux/capability.h>
#include <linux/ipc.h>
#include <linux/mman.h>
#include <linux/shm.h>
#include "drivers/rtc.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"

#define SHM_DEST 01000 /* in the mode that IPC_STAT shows: removed, as <linux/shm.h> has it */

struct shm {
    s32 id, key;
    u32 size; /* bytes, as asked for */
    u32 mode; /* permission bits */
    u32 uid, gid, creator_uid, creator_gid;
    struct inode *inode;
    u32 attached; /* regions that show it */
    bool removed; /* goes with the last of them; nobody finds it by its key */
    u32 creator, last_user;
    u32 attach_time, detach_time, change_time;
    TAILQ_ENTRY(shm) link;
};

static TAILQ_HEAD(, shm) segments = TAILQ_HEAD_INITIALIZER(segments);
static u32 nr_segments;
static s32 next_id;

static u32 now(void)
{
    return rtc_boot_time() + (u32)timer_ms() / 1000;
}

static struct shm *find_id(s32 id)
{
    struct shm *s;
    TAILQ_FOREACH (s, &segments, link)
        if (s->id == id)
            return s;
    return NULL;
}

static struct shm *find_key(s32 key)
{
    struct shm *s;
    TAILQ_FOREACH (s, &segments, link)
        if (s->key == key && key != IPC_PRIVATE)
            return s;
    return NULL;
}

enum { MAY_ATTACH_WRITE = 2, MAY_ATTACH_READ = 4 };

/* As of a file: the owner's rights, the group's, or everybody's (svipc(7)). */
static bool allowed(const struct shm *s, u32 wanted)
{
    u32 user = current->cred.euid, mode = s->mode;
    if (user == s->uid || user == s->creator_uid)
        mode >>= 6;
    else if (in_group(s->gid) || in_group(s->creator_gid))
        mode >>= 3;
    return !(wanted & ~mode & 7) || capable(CAP_IPC_OWNER);
}

static bool owned(const struct shm *s)
{
    u32 user = current->cred.euid;
    return user == s->uid || user == s->creator_uid || capable(CAP_SYS_ADMIN);
}

static void destroy(struct shm *s)
{
    TAILQ_REMOVE(&segments, s, link);
    nr_segments--;
    inode_put(s->inode);
    kfree(s);
}

void shm_attached(struct shm *s)
{
    s->attached++;
}

void shm_detached(struct shm *s)
{
    s->attached--;
    s->last_user = current->process->pid;
    s->detach_time = now();
    if (s->removed && !s->attached)
        destroy(s);
}

static long create(s32 key, u32 size, u32 flags)
{
    if (size < SHMMIN || size > MMAP_TOP || flags & SHM_HUGETLB)
        return -EINVAL;
    if (nr_segments >= SHMMNI)
        return -ENOSPC;
    if (ROUND_UP(size, PAGE_SIZE) >> PAGE_SHIFT > total_frames + swap_totals().total)
        return -ENOMEM;
    struct shm *s = kzalloc(sizeof(*s));
    if (!s || !(s->inode = shared_memory_inode(ROUND_UP(size, PAGE_SIZE)))) {
        kfree(s);
        return -ENOMEM;
    }
    s->id = next_id;
    next_id = (next_id + 1) & 0x7FFFFFFF;
    s->key = key;
    s->size = size;
    s->mode = flags & 0777;
    s->uid = s->creator_uid = current->cred.euid;
    s->gid = s->creator_gid = current->cred.egid;
    s->creator = current->process->pid;
    s->change_time = now();
    TAILQ_INSERT_TAIL(&segments, s, link);
    nr_segments++;
    return s->id;
}

long sys_shmget(s32 key, u32 size, u32 flags)
{
    struct shm *s = find_key(key);
    if (!s)
        return key == IPC_PRIVATE || flags & IPC_CREAT ? create(key, size, flags) : -ENOENT;
    if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
        return -EEXIST;
    if (s->size < size)
        return -EINVAL;
    return allowed(s, (flags >> 6 | flags >> 3 | flags) & 7) ? s->id : -EACCES;
}

/* Where a segment of that length goes; 0 or a negative errno. */
static int choose_address(struct mm *mm, u32 *address, u32 len, u32 flags)
{
    if (!*address) {
        if (flags & SHM_REMAP)
            return -EINVAL;
        *address = mm_find_free(mm, len);
        return *address ? 0 : -ENOMEM;
    }
    if (flags & SHM_RND)
        *address &= PAGE_MASK;
    if (*address & (PAGE_SIZE - 1) || *address < PAGE_SIZE || *address >= USER_END ||
        len > USER_END - *address)
        return -EINVAL;
    if (flags & SHM_REMAP)
        return mm_unmap(mm, *address, *address + len);
    return mm_range_free(mm, *address, *address + len) ? 0 : -EINVAL;
}

/* The address, or a negative errno. */
static long attach(s32 id, u32 address, u32 flags)
{
    struct mm *mm = current->mm;
    struct shm *s = id < 0 ? NULL : find_id(id);
    if (!s)
        return -EINVAL;
    u32 len = ROUND_UP(s->size, PAGE_SIZE);
    bool read_only = flags & SHM_RDONLY;
    if (!allowed(s, MAY_ATTACH_READ | (read_only ? 0 : MAY_ATTACH_WRITE)))
        return -EACCES;
    struct vma like = {.prot = PROT_READ | (read_only ? 0 : PROT_WRITE) |
                               (flags & SHM_EXEC ? PROT_EXEC : 0),
                       .shared = true,
                       .no_write = read_only,
                       .inode = s->inode,
                       .shm = s};
    int err = mm_may_grow(mm, len, false, true);
    shm_attached(s); /* choose_address may sleep */
    if (!err)
        err = choose_address(mm, &address, len, flags);
    if (!err)
        err = vma_copy(mm, &like, address, address + len, 0);
    if (err) {
        shm_detached(s);
        return err;
    }
    s->attached--;
    s->attach_time = now();
    s->last_user = current->process->pid;
    return address;
}

long sys_shmat(s32 id, u32 address, u32 flags)
{
    return attach(id, address, flags);
}

/* All regions of the segment that was attached there: parts of it may have been unmapped. */
long sys_shmdt(u32 address)
{
    struct mm *mm = current->mm;
    struct shm *s = NULL;
    if (address & (PAGE_SIZE - 1))
        return -EINVAL;
    for (virt_t at = mm_next_start(mm, address), end; at < USER_END; at = mm_next_start(mm, end)) {
        struct vma *v = vma_find(mm, at);
        end = v->end;
        if (!v->shm || (s && v->shm != s) || v->start - address != v->pgoff << PAGE_SHIFT)
            continue;
        s = v->shm;
        int err = mm_unmap(mm, v->start, v->end);
        if (err)
            return err;
    }
    return s ? 0 : -EINVAL;
}

static int stat(const struct shm *s, void __user *buf)
{
    struct shmid64_ds d;
    memset(&d, 0, sizeof(d));
    d.shm_perm.key = s->key;
    d.shm_perm.uid = s->uid;
    d.shm_perm.gid = s->gid;
    d.shm_perm.cuid = s->creator_uid;
    d.shm_perm.cgid = s->creator_gid;
    d.shm_perm.mode = s->mode | (s->removed ? SHM_DEST : 0);
    d.shm_segsz = s->size;
    d.shm_atime = s->attach_time;
    d.shm_dtime = s->detach_time;
    d.shm_ctime = s->change_time;
    d.shm_cpid = s->creator;
    d.shm_lpid = s->last_user;
    d.shm_nattch = s->attached;
    return copyout(buf, &d, sizeof(d));
}

static int set(struct shm *s, const void __user *buf)
{
    struct shmid64_ds d;
    if (copyin(&d, buf, sizeof(d)) < 0)
        return -EFAULT;
    s->uid = d.shm_perm.uid;
    s->gid = d.shm_perm.gid;
    s->mode = d.shm_perm.mode & 0777;
    s->change_time = now();
    return 0;
}

static void remove(struct shm *s)
{
    s->key = IPC_PRIVATE;
    s->removed = true;
    if (!s->attached)
        destroy(s);
}

static long info(void __user *buf)
{
    struct shminfo64 i;
    memset(&i, 0, sizeof(i));
    i.shmmax = MMAP_TOP;
    i.shmmin = SHMMIN;
    i.shmmni = i.shmseg = SHMMNI;
    i.shmall = total_frames;
    return copyout(buf, &i, sizeof(i)) < 0 ? -EFAULT : (long)MAX(nr_segments, 1u) - 1;
}

long sys_shmctl(s32 id, u32 command, void __user *buf)
{
    command &= ~(u32)IPC_64;
    if (id < 0)
        return -EINVAL;
    if (command == IPC_INFO)
        return info(buf);
    struct shm *s = find_id(id);
    if (!s)
        return -EINVAL;
    switch (command) {
    case IPC_STAT:
        return allowed(s, MAY_ATTACH_READ) ? stat(s, buf) : -EACCES;
    case IPC_SET:
        return owned(s) ? set(s, buf) : -EPERM;
    case IPC_RMID:
        if (!owned(s))
            return -EPERM;
        remove(s);
        return 0;
    case SHM_LOCK:
    case SHM_UNLOCK:
        if (!capable(CAP_IPC_LOCK) && (!owned(s) || (command == SHM_LOCK && !may_lock())))
            return -EPERM;
        s->inode->mapping.stays = command == SHM_LOCK;
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_ipc(u32 call, s32 first, u32 second, u32 third, u32 ptr, u32 fifth)
{
    long address;
    switch (call & 0xFFFF) {
    case SHMGET:
        return sys_shmget(first, second, third);
    case SHMDT:
        return sys_shmdt(ptr);
    case SHMCTL: /* without IPC_64: structures of old, with 16 bits for a user */
        return second & IPC_64 || second == IPC_RMID ? sys_shmctl(first, second, (void __user *)ptr)
                                                     : -EINVAL;
    case SHMAT:
        if (call >> 16 == 1) /* of a system that was not Linux */
            return -EINVAL;
        address = attach(first, ptr, second);
        if (address < 0 && address > -4096)
            return address;
        return copyout((void __user *)third, &address, sizeof(u32));
    default:
        return -ENOSYS;
    }
}
