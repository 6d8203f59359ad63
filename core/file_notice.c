/* file_notice.c: the folders that are watched, and the thread that counts what is told of them. */
#include "core/file_notice.h"

#include "core/check.h"
#include "core/file_notice_own.h"
#include "core/log_repeat.h"
#include "core/mount_number.h"
#include "core/mounts.h"
#include "core/stats.h"
#include "core/thread_start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_NOTICE_MAGIC 0xf17e0071u

enum {
    OF_NAMES = IN_ATTRIB | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVED_TO |
               IN_MOVE_SELF,
    OF_CONTENTS = IN_MODIFY | IN_CLOSE_WRITE,
    OF_PLACE = IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB, /* of a folder: what is known
                                                                       of all below it is over */
    OF_FOLDER = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED,
    READ_SIZE = 64 * 1024,
    LOOK_MS = 30000, /* how often folders are looked for that nobody names any more */
};

struct watched {
    int watch; /* 0: a free place */
    int64_t used_s;
};

struct file_notice {
    unsigned magic;
    int fd;   /* inotify */
    int wake; /* eventfd: the thread is to end */
    bool running;
    pthread_t thread;
    FILE *mountinfo; /* the thread's; NULL: there is none */
    uint32_t again_ms;
    struct file_notice_counters counters;
    pthread_mutex_t lock; /* on what follows */
    bool told_limit, told_kernel, told_access, told_proc;
    bool mounts_known; /* not while they are read again */
    struct mounts mounts;
    size_t watches_max, count;
    size_t places_mask;
    struct watched places[]; /* by watch, linear probing */
};

int file_notice_create(uint32_t watches_max, uint32_t again_ms, struct file_notice **ret_notice)
{
    size_t places = 16;

    while (places < 2 * (size_t)watches_max)
        places *= 2;
    struct file_notice *notice = calloc(1, sizeof(*notice) + places * sizeof(notice->places[0]));
    if (notice == NULL)
        return -ENOMEM;
    notice->magic = FILE_NOTICE_MAGIC;
    notice->watches_max = watches_max;
    notice->places_mask = places - 1;
    notice->again_ms = again_ms;
    notice->wake = -1;
    MUST(pthread_mutex_init(&notice->lock, NULL) == 0);
    notice->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (notice->fd >= 0)
        notice->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (notice->wake < 0) {
        int error = -errno;
        file_notice_destroy(notice);
        return error;
    }
    *ret_notice = notice;
    return 0;
}

const struct file_notice_counters *file_notice_counters(const struct file_notice *notice)
{
    CHECK_OBJ(notice, FILE_NOTICE_MAGIC);
    return &notice->counters;
}

static int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

/* FNV-1a: who may make names in a document root may also change files. */
uint16_t file_notice_counter(int watch, const char *name)
{
    uint32_t hash = 0x811c9dc5u ^ (uint32_t)watch * 0x9e3779b1u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x01000193u;
    return (uint16_t)((hash ^ hash >> 15) % FILE_NOTICE_COUNTERS);
}

static void count_up(_Atomic uint32_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* What was counted before is seen by whoever sees this. */
static void publish(struct file_notice *notice)
{
    atomic_fetch_add_explicit(&notice->counters.generation, 1, memory_order_release);
}

/* The place of the watch, or the free one where it would be. */
static size_t place_of(const struct file_notice *notice, int watch)
{
    size_t i = (uint32_t)watch * 0x9e3779b1u & notice->places_mask;

    while (notice->places[i].watch != 0 && notice->places[i].watch != watch)
        i = (i + 1) & notice->places_mask;
    return i;
}

/* Frees a place, and puts those behind it where they are found. */
static void free_place(struct file_notice *notice, size_t i)
{
    notice->places[i].watch = 0;
    notice->count--;
    stats_change(STATS_CACHE_WATCHES, -1);
    for (size_t j = (i + 1) & notice->places_mask; notice->places[j].watch != 0;
         j = (j + 1) & notice->places_mask) {
        struct watched moved = notice->places[j];

        notice->places[j].watch = 0;
        notice->places[place_of(notice, moved.watch)] = moved;
    }
}

static void forget_watch(struct file_notice *notice, int watch)
{
    MUST(pthread_mutex_lock(&notice->lock) == 0);
    size_t i = place_of(notice, watch);
    if (notice->places[i].watch == watch)
        free_place(notice, i);
    MUST(pthread_mutex_unlock(&notice->lock) == 0);
}

/* Lets go of what nobody has named for a while, once those who rely on it can see that. */
static void let_go_unused(struct file_notice *notice)
{
    int64_t before_s = now_s() - FILE_NOTICE_UNUSED_S;

    MUST(pthread_mutex_lock(&notice->lock) == 0);
    for (size_t i = 0; i <= notice->places_mask; i++) {
        struct watched *place = &notice->places[i];

        while (place->watch != 0 && place->used_s < before_s) {
            count_up(&notice->counters.each[file_notice_counter(place->watch, "")]);
            publish(notice);
            (void)inotify_rm_watch(notice->fd, place->watch);
            free_place(notice, i);
        }
    }
    MUST(pthread_mutex_unlock(&notice->lock) == 0);
}

static void lost_some(struct file_notice *notice)
{
    stats_count(STATS_NOTICE_OVERFLOW);
    log_fault("cache_valid = notify: more files have changed at once than the kernel remembers "
              "(fs.inotify.max_queued_events); each file is looked at once again",
              EOVERFLOW);
    count_up(&notice->counters.all);
}

static void note(struct file_notice *notice, const struct inotify_event *event)
{
    struct file_notice_counters *counters = &notice->counters;

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        lost_some(notice);
        return;
    }
    stats_count(STATS_NOTICE_CHANGE);
    if (((event->mask & IN_ISDIR) != 0 && (event->mask & OF_PLACE) != 0) ||
        (event->mask & (IN_MOVE_SELF | IN_UNMOUNT)) != 0)
        count_up(&counters->all);
    count_up(&counters->each[file_notice_counter(event->wd, event->len > 0 ? event->name : "")]);
    if ((event->mask & OF_FOLDER) != 0)
        count_up(&counters->each[file_notice_counter(event->wd, "")]);
    if ((event->mask & IN_IGNORED) != 0)
        forget_watch(notice, event->wd);
}

/* Notes events as inotify(7) gives them. */
static void note_all(struct file_notice *notice, const char *events, size_t len)
{
    for (size_t at = 0; at + sizeof(struct inotify_event) <= len;) {
        const struct inotify_event *event = (const void *)(events + at);

        note(notice, event);
        at += sizeof(*event) + event->len;
    }
    if (len > 0)
        publish(notice);
}

/* Reads anew what is mounted, while nobody is told of which type it is. */
static void read_mounts(struct file_notice *notice)
{
    struct mounts old, read = { 0 };
    int res = notice->mountinfo != NULL ? mounts_read(notice->mountinfo, &read) : -ENOENT;

    if (res < 0)
        log_fault("cache_valid = notify: cannot read /proc/self/mountinfo; what is in file systems "
                  "that it does not name is looked at again after a time",
                  -res);
    MUST(pthread_mutex_lock(&notice->lock) == 0);
    old = notice->mounts;
    for (size_t i = 0; i < read.count; i++) {
        const struct mount *same = mounts_find(&old, read.all[i].number);

        read.all[i].told = same != NULL && same->told;
    }
    notice->mounts = read;
    notice->mounts_known = true;
    MUST(pthread_mutex_unlock(&notice->lock) == 0);
    mounts_free(&old);
}

/* Anything may be somewhere else now, and the number of a mount that has gone may be another's. */
static void mounts_changed(struct file_notice *notice)
{
    MUST(pthread_mutex_lock(&notice->lock) == 0);
    notice->mounts_known = false;
    MUST(pthread_mutex_unlock(&notice->lock) == 0);
    count_up(&notice->counters.all);
    publish(notice);
    read_mounts(notice);
}

static void *run(void *context)
{
    struct file_notice *notice = context;
    _Alignas(struct inotify_event) char events[READ_SIZE];
    int mountinfo = notice->mountinfo != NULL ? fileno(notice->mountinfo) : -1;
    struct pollfd fds[3] = { { .fd = notice->fd, .events = POLLIN },
                             { .fd = notice->wake, .events = POLLIN },
                             { .fd = mountinfo, .events = POLLPRI } };
    int64_t looked_s = now_s();

    while (fds[1].revents == 0) {
        if (fds[2].revents != 0)
            mounts_changed(notice);
        ssize_t len = read(notice->fd, events, sizeof(events));

        if (len > 0)
            note_all(notice, events, (size_t)len);
        if (now_s() >= looked_s + LOOK_MS / 1000) {
            looked_s = now_s();
            let_go_unused(notice);
        }
        (void)poll(fds, ARRAY_LEN(fds), len > 0 ? 0 : LOOK_MS);
    }
    stats_leave();
    return NULL;
}

int file_notice_start(struct file_notice *notice)
{
    CHECK_OBJ(notice, FILE_NOTICE_MAGIC);
    notice->mountinfo = mounts_open();
    read_mounts(notice);
    int res = thread_start(READ_SIZE + 64 * 1024, run, notice, &notice->thread);

    notice->running = res == 0;
    return res;
}

void file_notice_destroy(struct file_notice *notice)
{
    if (notice == NULL)
        return;
    CHECK_OBJ(notice, FILE_NOTICE_MAGIC);
    if (notice->running) {
        MUST(eventfd_write(notice->wake, 1) == 0);
        MUST(pthread_join(notice->thread, NULL) == 0);
    }
    stats_change(STATS_CACHE_WATCHES, -(int64_t)notice->count);
    if (notice->fd >= 0)
        close(notice->fd);
    if (notice->wake >= 0)
        close(notice->wake);
    if (notice->mountinfo != NULL)
        fclose(notice->mountinfo);
    mounts_free(&notice->mounts);
    MUST(pthread_mutex_destroy(&notice->lock) == 0);
    notice->magic = 0;
    free(notice);
}

/* Says once why files are looked at again after a time all the same. */
static void tell(const struct file_notice *notice, bool *told, const char *why)
{
    if (*told)
        return;
    *told = true;
    log_warn("cache_valid = notify: %s; what is there is looked at again after %u ms", why,
             notice->again_ms);
}

/* Does the file system of the mount tell? 0, -EOPNOTSUPP, or -EAGAIN: it is being found out. */
static int mount_tells(struct file_notice *notice, uint64_t mount)
{
    char why[160];
    struct mount *found = mounts_find(&notice->mounts, mount);

    if (!notice->mounts_known)
        return -EAGAIN;
    if (found == NULL) {
        tell(notice, &notice->told_proc, "a file system is not named by /proc/self/mountinfo");
        return -EOPNOTSUPP;
    }
    if (found->tells)
        return 0;
    snprintf(why, sizeof(why), "a file system of type %s does not tell of all changes",
             found->type);
    tell(notice, &found->told, why);
    return -EOPNOTSUPP;
}

/* The kernel is asked under the lock, so that no watch is let go that has just been given. */
static int add_watch(struct file_notice *notice, int fd, bool contents)
{
    uint32_t mask = OF_NAMES | (contents ? OF_CONTENTS : 0);
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int watch = inotify_add_watch(notice->fd, path, mask | IN_MASK_ADD | IN_ONLYDIR);
    if (watch < 0) {
        int error = -errno;

        if (error == -ENOSPC)
            tell(notice, &notice->told_kernel,
                 "fs.inotify.max_user_watches is reached, and further folders are not watched");
        else if (error == -EACCES)
            tell(notice, &notice->told_access,
                 "some folders may not be read by this user, and are not watched");
        return error;
    }
    size_t i = place_of(notice, watch);
    if (notice->places[i].watch == 0 && notice->count >= notice->watches_max) {
        (void)inotify_rm_watch(notice->fd, watch);
        tell(notice, &notice->told_limit,
             "cache_watches is reached, and further folders are not watched");
        return -ENOSPC;
    }
    if (notice->places[i].watch == 0) {
        notice->count++;
        stats_change(STATS_CACHE_WATCHES, 1);
    }
    notice->places[i] = (struct watched){ watch, now_s() };
    return watch;
}

int file_notice_watch(struct file_notice *notice, int fd, bool contents,
                      struct file_notice_folder *ret_folder)
{
    struct statx stx = { 0 };

    CHECK_OBJ(notice, FILE_NOTICE_MAGIC);
    uint64_t mount = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) == 0
                         ? mount_number(&stx)
                         : 0;
    MUST(pthread_mutex_lock(&notice->lock) == 0);
    int res = mount_tells(notice, mount);
    if (res == 0)
        res = add_watch(notice, fd, contents);
    MUST(pthread_mutex_unlock(&notice->lock) == 0);
    if (res < 0) {
        if (res != -EAGAIN)
            stats_count(STATS_NOTICE_UNWATCHED);
        return res;
    }
    ret_folder->watch = res;
    ret_folder->mount = mount;
    ret_folder->counter = file_notice_counter(res, "");
    ret_folder->seen =
        atomic_load_explicit(&notice->counters.each[ret_folder->counter], memory_order_acquire);
    return 0;
}
