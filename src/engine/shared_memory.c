#include "engine/shared_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "lacquer-frame-";
static pthread_once_t once = PTHREAD_ONCE_INIT;

// The user of an object holds a lock on it. An object that can be locked was left by a process that
// ended; those of other users cannot be opened.
static void remove_left_behind(void)
{
    DIR *folder = opendir("/dev/shm");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0)
            continue;
        int fd = openat(dirfd(folder), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        struct stat info;
        // Size 0: another process is creating it and has not locked it yet.
        if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0 &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (folder)
        closedir(folder);
}

static int create(char name[LQ_SHARED_NAME_MAX], size_t size, struct lq_error *err)
{
    unsigned long long random[2];
    pthread_once(&once, remove_left_behind);
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return lq_fail(err, LQ_ERR_IO, "no random numbers: %s", strerror(errno));
    snprintf(name, LQ_SHARED_NAME_MAX, "/%s%016llx%016llx", prefix, random[0], random[1]);
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    int cause = fd < 0 ? errno : 0;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
        cause = errno;
    if (cause == 0)
        cause = posix_fallocate(fd, 0, (off_t)size);
    if (cause == 0)
        return fd;
    if (fd >= 0) {
        close(fd);
        shm_unlink(name);
    }
    return lq_fail(err, LQ_ERR_MEMORY, "no shared memory: %s%s", strerror(cause),
                   cause == ENOSPC ? "; /dev/shm is full, in a container see --shm-size" : "");
}

int lq_shared_memory_init(struct lq_shared_memory *memory, size_t size, struct lq_error *err)
{
    *memory = (struct lq_shared_memory){.size = size, .fd = -1};
    int fd = create(memory->name, size, err);
    if (fd < 0)
        return fd;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
        int status = lq_fail(err, LQ_ERR_MEMORY, "no shared memory: %s", strerror(errno));
        shm_unlink(memory->name);
        close(fd);
        return status;
    }
    memory->data = data;
    memory->fd = fd;
    return LQ_OK;
}

void lq_shared_memory_release(struct lq_shared_memory *memory)
{
    if (!memory->data)
        return;
    munmap(memory->data, memory->size);
    shm_unlink(memory->name);
    close(memory->fd);
    *memory = (struct lq_shared_memory){.fd = -1};
}
