// Moves the clock of the day, and no other, by the seconds that the file CLOCK_FILE holds: for every program that loads it.
// A timer by that clock is cancelled when the file is written, as the kernel does when the clock is set.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const volatile long *moved;

__attribute__((constructor)) static void look(void) {
    int file = open(CLOCK_FILE, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void *bytes = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (bytes != MAP_FAILED) moved = bytes;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && moved && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *moved;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept) *kept = exact.tv_sec;
    return exact.tv_sec;
}

static int timer = -1;

int timerfd_create(clockid_t clock, int flags) {
    if (clock != CLOCK_REALTIME) return (int)syscall(SYS_timerfd_create, clock, flags);
    timer = inotify_init1(flags);
    inotify_add_watch(timer, CLOCK_FILE, IN_MODIFY);
    return timer;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *was) {
    return fd == timer ? 0 : (int)syscall(SYS_timerfd_settime, fd, flags, at, was);
}

ssize_t read(int fd, void *bytes, size_t count) {
    if (fd != timer || timer < 0) return syscall(SYS_read, fd, bytes, count);
    char changes[1024];
    syscall(SYS_read, fd, changes, sizeof changes);
    errno = ECANCELED;
    return -1;
}
