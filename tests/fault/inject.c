/* inject.c: calls of the C library that fail when the test wants them to. See inject.h.
 *
 * A fault is one that the kernel could bring. So EAGAIN on a socket is followed by an edge, as it
 * is when the kernel means it: the registration is made anew, by which epoll tells what is ready.
 */
#include "inject.h"

#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 1 << 16, EPOLLS_MAX = 4 };

static struct fault_page *page;

/* What a descriptor is registered for, by the epoll descriptor. */
static struct registration {
    int epoll_fd; /* 0: none */
    struct epoll_event event;
} registrations[FDS_MAX][EPOLLS_MAX];

static __thread int epoll_of_thread; /* that it waits on */

/* The function behind ours. A pointer to void is no function's: by way of memory. */
#define REAL(name)                                                                                 \
    static __typeof__(&(name)) real;                                                               \
    if (real == NULL) {                                                                            \
        void *found_ = dlsym(RTLD_NEXT, #name);                                                    \
        memcpy((void *)&real, (void *)&found_, sizeof(real));                                      \
    }

__attribute__((constructor)) static void map_page(void)
{
    const char *name = getenv("FAULT_PAGE");
    if (name == NULL)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        abort();
    void *mem = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mem == MAP_FAILED)
        abort();
    close(fd);
    page = mem;
}

/* splitmix64: of the number of the call, so that the same calls fail whatever thread makes them. */
static uint64_t mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15u;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

bool fault_strikes(const char *call, int *ret_error)
{
    if (page == NULL || __atomic_load_n(&page->armed, __ATOMIC_ACQUIRE) == 0 ||
        strcmp(page->call, call) != 0)
        return false;
    uint64_t number = __atomic_fetch_add(&page->calls, 1, __ATOMIC_RELAXED);
    if (number < page->from)
        return false;
    if (page->random ? mix(page->seed ^ number) % page->every != 0
                     : (number - page->from) % page->every != page->every - 1)
        return false;
    uint64_t before = __atomic_fetch_add(&page->faults, 1, __ATOMIC_RELAXED);
    if (page->limit != 0 && before >= page->limit) {
        __atomic_fetch_sub(&page->faults, 1, __ATOMIC_RELAXED);
        return false;
    }
    *ret_error = page->error;
    return true;
}

bool fault_is_cold(void)
{
    return page != NULL && __atomic_load_n(&page->armed, __ATOMIC_ACQUIRE) != 0 && page->cold != 0;
}

bool fault_fails(const char *call)
{
    int error;
    if (!fault_strikes(call, &error))
        return false;
    errno = error;
    return true;
}

/* ---- sockets ---- */

static struct registration *registration_of(int epoll_fd, int fd)
{
    struct registration *unused = NULL;
    if (fd < 0 || fd >= FDS_MAX)
        return NULL;
    for (int i = 0; i < EPOLLS_MAX; i++) {
        if (registrations[fd][i].epoll_fd == epoll_fd)
            return &registrations[fd][i];
        if (registrations[fd][i].epoll_fd == 0 && unused == NULL)
            unused = &registrations[fd][i];
    }
    return unused;
}

int epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    REAL(epoll_ctl)
    if (op == EPOLL_CTL_ADD && fault_fails("epoll_ctl"))
        return -1;
    struct registration *registration = registration_of(epoll_fd, fd);
    if (registration != NULL && op == EPOLL_CTL_DEL)
        registration->epoll_fd = 0;
    else if (registration != NULL)
        *registration = (struct registration){ epoll_fd, *event };
    return real(epoll_fd, op, fd, event);
}

int epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    REAL(epoll_wait)
    epoll_of_thread = epoll_fd;
    return fault_fails("epoll_wait") ? -1 : real(epoll_fd, events, max, timeout_ms);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    REAL(poll)
    return fault_fails("poll") ? -1 : real(fds, count, timeout_ms);
}

int select(int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
           struct timeval *restrict timeout)
{
    REAL(select)
    return fault_fails("select") ? -1 : real(count, reads, writes, others, timeout);
}

/* After an EAGAIN: an edge for what is ready. EPOLL_CTL_MOD is not allowed with EPOLLEXCLUSIVE. */
static void bring_edge(int fd)
{
    REAL(epoll_ctl)
    struct registration *registration = registration_of(epoll_of_thread, fd);
    int error = errno;
    if (error == EAGAIN && registration != NULL && registration->epoll_fd != 0 &&
        real(epoll_of_thread, EPOLL_CTL_DEL, fd, NULL) == 0)
        real(epoll_of_thread, EPOLL_CTL_ADD, fd, &registration->event);
    errno = error;
}

/* Who polls by a ring is woken by a change of the sending buffer's size (socket(7)), if there is
 * room; if there is none, poll(2) sees to it that the kernel tells of room when there is some. */
void fault_tell_of_room(int fd)
{
    int size, error = errno;
    socklen_t len = sizeof(size);
    struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
    const struct timespec now = { 0 };
    ppoll(&pollfd, 1, &now, NULL); /* the one that is not ours */
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0) {
        size /= 2; /* the kernel doubles it */
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    errno = error;
}

/* 0: the call is to be made with `*len`; -1: it has failed. */
static int socket_fault(const char *call, int fd, size_t *len)
{
    int error;
    if (!fault_strikes(call, &error))
        return 0;
    if (error == 0) {
        *len = *len > 2 ? *len / 3 : 1;
        return 0;
    }
    errno = error;
    bring_edge(fd);
    if (error == EAGAIN && strcmp(call, "sendfile") == 0)
        fault_tell_of_room(fd);
    return -1;
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict address_len, int flags)
{
    REAL(accept4)
    size_t none = 0;
    return socket_fault("accept4", fd, &none) < 0 ? -1 : real(fd, address, address_len, flags);
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict address_len)
{
    REAL(getpeername)
    return fault_fails("getpeername") ? -1 : real(fd, address, address_len);
}

int shutdown(int fd, int how)
{
    REAL(shutdown)
    return fault_fails("shutdown") ? -1 : real(fd, how);
}

/* Both take one argument more, of a register's size. */
int fcntl(int fd, int command, ...)
{
    REAL(fcntl)
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return fault_fails("fcntl") ? -1 : real(fd, command, argument);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    REAL(getsockopt)
    return fault_fails("getsockopt") ? -1 : real(fd, level, name, value, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    REAL(setsockopt)
    return fault_fails("setsockopt") ? -1 : real(fd, level, name, value, len);
}

ssize_t recv(int fd, void *mem, size_t len, int flags)
{
    REAL(recv)
    return socket_fault("recv", fd, &len) < 0 ? -1 : real(fd, mem, len, flags);
}

/* What is sent less must look like a full socket, which brings an edge. */
static ssize_t sent(int fd, size_t wanted, ssize_t n)
{
    if (n >= 0 && (size_t)n < wanted) {
        errno = EAGAIN;
        bring_edge(fd);
    }
    return n;
}

ssize_t send(int fd, const void *mem, size_t len, int flags)
{
    REAL(send)
    size_t allowed = len;
    if (socket_fault("send", fd, &allowed) < 0)
        return -1;
    return allowed == len ? real(fd, mem, len, flags)
                          : sent(fd, len, real(fd, mem, allowed, flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg)
    size_t first = message->msg_iov[0].iov_len, allowed = first;
    if (socket_fault("send", fd, &allowed) < 0)
        return -1;
    if (allowed == first)
        return real(fd, message, flags);
    struct iovec part = { message->msg_iov[0].iov_base, allowed };
    struct msghdr less = { .msg_iov = &part, .msg_iovlen = 1 };
    return sent(fd, first, real(fd, &less, flags));
}

ssize_t sendfile(int to_fd, int from_fd, off_t *off, size_t len)
{
    REAL(sendfile)
    return socket_fault("sendfile", to_fd, &len) < 0 ? -1 : real(to_fd, from_fd, off, len);
}

/* ---- files ---- */

static bool read_fault(const char *call, size_t *len)
{
    int error;
    if (!fault_strikes(call, &error))
        return false;
    if (error == 0) {
        *len = *len > 2 ? *len / 3 : 1;
        return false;
    }
    errno = error;
    return true;
}

ssize_t read(int fd, void *mem, size_t len)
{
    REAL(read)
    return fault_fails("read") ? -1 : real(fd, mem, len);
}

ssize_t write(int fd, const void *mem, size_t len)
{
    REAL(write)
    return fault_fails("write") ? -1 : real(fd, mem, len);
}

ssize_t pread(int fd, void *mem, size_t len, off_t off)
{
    REAL(pread)
    return read_fault("pread", &len) ? -1 : real(fd, mem, len, off);
}

ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    REAL(preadv2)
    struct iovec first = iov[0];
    if ((flags & RWF_NOWAIT) != 0 && fault_is_cold()) {
        errno = EAGAIN;
        return -1;
    }
    if (read_fault("preadv2", &first.iov_len))
        return -1;
    return count == 1 ? real(fd, &first, 1, off, flags) : real(fd, iov, count, off, flags);
}

int fstat(int fd, struct stat *st)
{
    REAL(fstat)
    return fault_fails("fstat") ? -1 : real(fd, st);
}

int fstatat(int fd, const char *restrict path, struct stat *restrict st, int flags)
{
    REAL(fstatat)
    return fault_fails("fstatat") ? -1 : real(fd, path, st, flags);
}

int faccessat(int fd, const char *path, int mode, int flags)
{
    REAL(faccessat)
    return fault_fails("faccessat") ? -1 : real(fd, path, mode, flags);
}

int fstatfs(int fd, struct statfs *ret_fs)
{
    REAL(fstatfs)
    return fault_fails("fstatfs") ? -1 : real(fd, ret_fs);
}

ssize_t readlinkat(int fd, const char *restrict path, char *restrict text, size_t size)
{
    REAL(readlinkat)
    return fault_fails("readlinkat") ? -1 : real(fd, path, text, size);
}

int openat(int fd, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
    va_end(list);
    return fault_fails("openat") ? -1 : (int)syscall(SYS_openat, fd, path, flags, mode);
}

/* openat2(2) and Linux AIO have no functions of their own. */
long syscall(long number, ...)
{
    REAL(syscall)
    long arguments[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2) {
        const struct open_how *how = (const struct open_how *)arguments[2];
        if ((how->resolve & RESOLVE_CACHED) != 0 && fault_is_cold()) {
            errno = EAGAIN;
            return -1;
        }
        if (fault_fails("openat2"))
            return -1;
    }
    if ((number == SYS_io_setup && fault_fails("io_setup")) ||
        (number == SYS_io_submit && fault_fails("io_submit")) ||
        (number == SYS_io_getevents && fault_fails("io_getevents")))
        return -1;
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                arguments[5]);
}

int aio_read(struct aiocb *control)
{
    REAL(aio_read)
    return fault_fails("aio_read") ? -1 : real(control);
}

int pipe2(int fds[2], int flags)
{
    REAL(pipe2)
    return fault_fails("pipe2") ? -1 : real(fds, flags);
}

/* The descriptor is closed all the same (close(2), of Linux). */
int close(int fd)
{
    REAL(close)
    int res = real(fd);
    return fault_fails("close") ? -1 : res;
}

int dup3(int fd, int at, int flags)
{
    REAL(dup3)
    return fault_fails("dup3") ? -1 : real(fd, at, flags);
}

/* Of an ioctl that asks something of a socket: one argument. */
int ioctl(int fd, unsigned long command, ...)
{
    REAL(ioctl)
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fault_fails("ioctl") ? -1 : real(fd, command, argument);
}

/* It returns its error. */
int posix_fadvise(int fd, off_t off, off_t len, int advice)
{
    REAL(posix_fadvise)
    int error;
    return fault_strikes("posix_fadvise", &error) ? error : real(fd, off, len, advice);
}

struct dirent *readdir(DIR *dir)
{
    REAL(readdir)
    return fault_fails("readdir") ? NULL : real(dir);
}

/* ---- time ---- */

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    REAL(clock_gettime)
    int res = real(clock, ret_now);
    if (res == 0 && page != NULL && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
        ret_now->tv_sec += __atomic_load_n(&page->ahead_s, __ATOMIC_RELAXED);
    return res;
}

/* ---- what a start needs ---- */

int eventfd(unsigned count, int flags);

int eventfd(unsigned count, int flags)
{
    REAL(eventfd)
    return fault_fails("eventfd") ? -1 : real(count, flags);
}

int epoll_create1(int flags)
{
    REAL(epoll_create1)
    return fault_fails("epoll_create1") ? -1 : real(flags);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                   void *(*start)(void *), void *restrict argument)
{
    REAL(pthread_create)
    int error;
    return fault_strikes("pthread_create", &error) ? error
                                                   : real(thread, attributes, start, argument);
}

pid_t fork(void)
{
    REAL(fork)
    return fault_fails("fork") ? -1 : real();
}

/* ---- memory: "malloc" where the program itself asks for it, "any malloc" where libraries do,
 * too ---- */

static uintptr_t program_begin, program_end;

static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        program_begin = info->dlpi_addr + segment->p_vaddr;
        program_end = program_begin + segment->p_memsz;
    }
    return 1; /* the first one is the program */
}

__attribute__((constructor)) static void look_up_program(void)
{
    dl_iterate_phdr(find_program, NULL);
}

static bool memory_fails(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    return (at >= program_begin && at < program_end && fault_fails("malloc")) ||
           fault_fails("any malloc");
}

/* dlsym(3) needs memory itself, so by the names that glibc gives these. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *mem, size_t size);

void *malloc(size_t size)
{
    return memory_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return memory_fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *mem, size_t size)
{
    return memory_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(mem, size);
}
