/* Preloaded before `valetkey serve`: a disk that fails and a wall clock that jumps, switched from outside while it runs.
 *
 * The switch is a page that faults.py maps too. Only files whose path begins with VALETKEY_FAULTS_UNDER fail; files are
 * known by their descriptors, which are looked up only while a fault lasts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct page {
    volatile int32_t fault;   /* one of the letters below, 0 for none */
    volatile int32_t percent; /* of the calls that fail */
    volatile int64_t shift;   /* seconds that the wall clock is ahead */
};

static struct page quiet, *page = &quiet;
static const char *under;
static size_t under_length;

__attribute__((constructor)) static void map_switch(void) {
    const char *path = getenv("VALETKEY_FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    under = getenv("VALETKEY_FAULTS_UNDER");
    under_length = under ? strlen(under) : 0;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        page = mapped;
}

static int unlucky(void) {
    static __thread uint32_t state;
    if (page->percent >= 100)
        return 1;
    if (state == 0)
        state = (uint32_t)(uintptr_t)&state ^ (uint32_t)getpid() ^ 2463534242u;
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return (int32_t)(state % 100) < page->percent;
}

static int ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return under_length && length >= (ssize_t)under_length && memcmp(path, under, under_length) == 0;
}

static int hits(const char *letters, int fd) {
    int fault = page->fault;
    return fault && strchr(letters, fault) && ours(fd) && unlucky();
}

static int fail(int error) {
    errno = error;
    return -1;
}

/* What a write must do: 0 go on, -1 fail with errno set, otherwise only so many bytes. */
static ssize_t write_fault(int fd, size_t count, off_t end) {
    struct stat status;
    if (!page->fault || !hits("FRIS", fd))
        return 0;
    switch (page->fault) {
    case 'F': /* full: what is there can be written over, nothing can grow */
        return fstat(fd, &status) == 0 && end <= status.st_size ? 0 : fail(ENOSPC);
    case 'R': /* mounted read-only */
        return fail(EROFS);
    case 'I':
        return fail(EIO);
    default: /* S: half of it, and then no more */
        return count > 64 ? (ssize_t)(count / 2) : fail(ENOSPC);
    }
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) \
        next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *data, size_t count, offset_type offset) { \
        NEXT(name); \
        ssize_t verdict = write_fault(fd, count, (off_t)offset + (off_t)count); \
        return verdict < 0 ? -1 : next(fd, data, verdict ? (size_t)verdict : count, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PREAD(name, offset_type) \
    ssize_t name(int fd, void *data, size_t count, offset_type offset) { \
        NEXT(name); \
        return hits("X", fd) ? fail(EIO) : next(fd, data, count, offset); \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

int fsync(int fd) {
    NEXT(fsync);
    return hits("Y", fd) ? fail(EIO) : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return hits("Y", fd) ? fail(EIO) : next(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    NEXT(clock_gettime);
    int result = next(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += page->shift;
    return result;
}

time_t time(time_t *where) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (where)
        *where = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    NEXT(gettimeofday);
    int result = next(now, zone);
    now->tv_sec += page->shift;
    return result;
}
