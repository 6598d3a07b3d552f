// What goes wrong on a machine, on demand: put before a program by LD_PRELOAD, steered through the
// memory of the file that LACQUER_FAULTS names (struct faults, also in tests/e2e/faults.py), which
// a test maps too. Memory that runs out at the n-th call, no more descriptors, a full disk, a
// decoder that hangs, a clock that jumps. With `walk`, one run tries every allocation of a start
// (walk_at).
// Threads: any. Owner: nothing is owned.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LQ_PUBLIC __attribute__((visibility("default"), noinline))

struct faults {
    atomic_long count;       // allocations by the program's own code so far
    atomic_long fail_at;     // that one of them fails; 0: none
    atomic_long fail_count;  // and so many after it
    atomic_long failed;      // how many did
    atomic_long stall_ms;    // each JPEG takes so much longer to decode
    atomic_long no_files;    // accept finds no free descriptor
    atomic_long disk_full;   // this write to a file, counted from 1, and all later find no room
    atomic_long clock_jump_s;// the wall clock is off by so much
    atomic_long walk;        // each walk-th allocation fails in a copy of the process: see walk_at
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
int jpeg_start_decompress(void *decoder);

static struct faults none, *faults = &none;
static int walk_fd = -1; // what the copies say and how they end

// The program's own code, and that of the small libraries whose refusals it must cope with.
enum { RANGES_MAX = 8 };
static struct { uintptr_t from, to; } ranges[RANGES_MAX];
static int range_count;

static int is_watched(const char *name)
{
    static const char *const libraries[] = {"libjansson", "libjpeg", "libturbojpeg", "libspng"};
    if (!*name)
        return 1; // the program
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strstr(name, libraries[i]))
            return 1;
    return 0;
}

static int note_ranges(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    if (!is_watched(info->dlpi_name))
        return 0;
    for (int i = 0; i < info->dlpi_phnum && range_count < RANGES_MAX; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        ranges[range_count].from = info->dlpi_addr + part->p_vaddr;
        ranges[range_count++].to = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    }
    return 0;
}

__attribute__((constructor)) static void open_faults(void)
{
    const char *path = getenv("LACQUER_FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *memory = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return;
    dl_iterate_phdr(note_ranges, NULL);
    faults = memory;
    char name[4096];
    if (atomic_load(&faults->walk) && snprintf(name, sizeof name, "%s.walk", path) > 0)
        walk_fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

// ---- a walk through a start --------------------------------------------------------------------

enum { WALK_MS = 60000, POLL_MS = 2, WALK_FILES = 64 };

// A copy has the calling thread alone, so only a process of one thread can be copied.
static int is_exclusive(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;
}

// Whether the copy says, in what it wrote since `from`, that it is a server now.
static int listens(off_t from)
{
    char text[4096];
    ssize_t len = pread(walk_fd, text, sizeof text - 1, from);
    text[len > 0 ? len : 0] = 0;
    return strstr(text, "listening on") != NULL;
}

// How a copy ends, as waitpid tells it. One that became a server in spite of it all is asked to
// stop, one that hangs is killed.
static int end_of(pid_t copy, off_t from)
{
    const struct timespec wait = {0, POLL_MS * 1000000};
    int status = 0;
    for (int ms = 0, asked = 0; waitpid(copy, &status, WNOHANG) == 0; ms += POLL_MS) {
        if (ms > WALK_MS)
            kill(copy, SIGKILL);
        else if (!asked && ms % 20 == 0 && listens(from))
            asked = kill(copy, SIGTERM) == 0;
        nanosleep(&wait, NULL);
    }
    return status;
}

// Fails the call of that number in a copy of this process, which then goes on to its end while this
// one waits: a start is walked through once, instead of run once for each of its allocations.
// Returns whether it is the copy that asks. What could not be tried (the process has more threads
// than one, or its sandbox forbids copies) is left out of the walk's report.
static int walk_at(long number)
{
    off_t from = lseek(walk_fd, 0, SEEK_END), places[WALK_FILES];
    for (int fd = 0; fd < WALK_FILES; fd++)
        places[fd] = lseek(fd, 0, SEEK_CUR);
    pid_t copy = is_exclusive() ? fork() : -1;
    if (copy == 0) {
        static struct faults own;
        own.fail_at = number;
        own.fail_count = atomic_load(&faults->fail_count);
        own.count = number - 1;
        faults = &own;
        dup2(walk_fd, 1);
        dup2(walk_fd, 2);
        return 1;
    }
    if (copy > 0)
        dprintf(walk_fd, "\n= %ld %d\n", number, end_of(copy, from));
    for (int fd = 0; fd < WALK_FILES; fd++) // both read on from the same place of a file
        if (places[fd] >= 0)
            lseek(fd, places[fd], SEEK_SET);
    return 0;
}

// ---- what fails --------------------------------------------------------------------------------

// Whether the call that will return to `caller` is to fail.
static int runs_out(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    int watched = 0;
    for (int i = 0; i < range_count; i++)
        watched |= at >= ranges[i].from && at < ranges[i].to;
    if (!watched)
        return 0;
    long number = atomic_fetch_add(&faults->count, 1) + 1;
    long walk = atomic_load(&faults->walk);
    if (walk && number % walk == 0 && walk_at(number))
        atomic_fetch_add(&faults->count, 1); // in its own account, which stands before this call
    long first = atomic_load(&faults->fail_at);
    if (!first || number < first || number > first + atomic_load(&faults->fail_count))
        return 0;
    atomic_fetch_add(&faults->failed, 1);
    errno = ENOMEM;
    return 1;
}

LQ_PUBLIC void *malloc(size_t size)
{
    return runs_out(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

LQ_PUBLIC void *calloc(size_t count, size_t size)
{
    return runs_out(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

LQ_PUBLIC void *realloc(void *memory, size_t size)
{
    return runs_out(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

LQ_PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
    return runs_out(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

LQ_PUBLIC int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    static int (*real)(int, struct sockaddr *, socklen_t *, int);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "accept4");
    if (atomic_load(&faults->no_files)) {
        errno = EMFILE;
        return -1;
    }
    return real(fd, address, len, flags);
}

LQ_PUBLIC int accept(int fd, struct sockaddr *address, socklen_t *len)
{
    return accept4(fd, address, len, 0);
}

LQ_PUBLIC ssize_t write(int fd, const void *bytes, size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    struct stat info;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    static atomic_long writes;
    long full = atomic_load(&faults->disk_full);
    if (full && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
        atomic_fetch_add(&writes, 1) + 1 >= full) {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, len);
}

LQ_PUBLIC int jpeg_start_decompress(void *decoder)
{
    static __typeof__(jpeg_start_decompress) *real;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "jpeg_start_decompress");
    long ms = atomic_load(&faults->stall_ms);
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
    if (ms)
        nanosleep(&wait, NULL);
    return real(decoder);
}

LQ_PUBLIC int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && clock == CLOCK_REALTIME)
        now->tv_sec += atomic_load(&faults->clock_jump_s);
    return failed;
}

LQ_PUBLIC time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
