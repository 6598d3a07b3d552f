// Each case gives up its rights in a child process and checks what it can still do.
#include "unit/serve/guard/confined.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

static bool opens(const char *folder, const char *name, int flags)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int check_files(void)
{
    bool right = opens(readable, ".", O_RDONLY | O_DIRECTORY) &&
                 !opens(readable, "new", O_WRONLY | O_CREAT) &&
                 opens(writable, "new", O_RDWR | O_CREAT | O_TRUNC) &&
                 !opens("/etc", "passwd", O_RDONLY) && !opens("/tmp", "new", O_WRONLY | O_CREAT);
    char path[256];
    snprintf(path, sizeof path, "%s/new", writable);
    return !right || unlink(path) != 0;
}

static void landlock_fences_files(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_landlock, false, check_files), 0);
}

// The calls of the C library, the loop and an engine that generates code must still work.
static int check_good_calls(void)
{
    char name[64], text[64] = "";
    int pair[2], event = eventfd(0, EFD_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event wanted = {.events = EPOLLIN};
    bool right = event >= 0 && timer >= 0 && loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, event,
                                                                    &wanted) == 0;
    right &= socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], "a", 1) == 1 &&
             read(pair[1], text, 1) == 1;
    snprintf(name, sizeof name, "%s/new", writable);
    FILE *file = fopen(name, "w");
    right &= file && fprintf(file, "text") == 4 && fflush(file) == 0 &&
             ftruncate(fileno(file), 2) == 0;
    if (file)
        fclose(file);
    snprintf(text, sizeof text, "%s/newer", writable);
    right &= rename(name, text) == 0 && unlink(text) == 0;
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    right &= memory != MAP_FAILED && mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0 &&
             madvise(memory, 4096, MADV_DONTNEED) == 0 && munmap(memory, 4096) == 0;
    uint8_t random[8];
    right &= getrandom(random, sizeof random, 0) == sizeof random;
    cpu_set_t cores;
    right &= sched_getaffinity(0, sizeof cores, &cores) == 0 &&
             sched_setaffinity(0, sizeof cores, &cores) == 0;
    return !right;
}

static void a_servers_own_calls_still_work(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, false, check_good_calls), 0);
    assert_int_equal(in_child(lq_sandbox_enter, false, check_good_calls), 0);
}

static void *say_done(void *done)
{
    *(bool *)done = true;
    return NULL;
}

static int check_threads_and_connect(void)
{
    struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = htons(9)};
    bool done = false;
    pthread_t thread;
    if (socket(AF_INET, SOCK_STREAM, 0) < 0)
        return 1;
    int failed = connect(tcp, (struct sockaddr *)&nowhere, sizeof nowhere);
    if (failed == 0 || errno == EPERM || errno == EACCES)
        return 1;
    return pthread_create(&thread, NULL, say_done, &done) != 0 ||
           pthread_join(thread, NULL) != 0 || !done;
}

static void threads_go_on_and_connecting_can_be_kept(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_sandbox_seccomp, true, check_threads_and_connect), 0);
    assert_int_equal(in_child(lq_sandbox_landlock, true, check_threads_and_connect), 0);
}

static int enter_memory(const struct lq_sandbox *confine, struct lq_error *err)
{
    (void)confine, (void)err;
    lq_sandbox_memory();
    return LQ_OK;
}

static int check_memory(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0 ||
           prctl(PR_GET_DUMPABLE) != 0;
}

static void no_core_is_written(void **state)
{
    (void)state;
    assert_int_equal(in_child(enter_memory, false, check_memory), 0);
}

static int enter_user(const struct lq_sandbox *confine, struct lq_error *err)
{
    (void)confine;
    return lq_sandbox_user("nobody", err);
}

static int check_user(void)
{
    return geteuid() == 0 || getuid() == 0 || getegid() == 0 || setuid(0) == 0;
}

static void root_is_given_up(void **state)
{
    (void)state;
    struct lq_error err;
    assert_int_equal(lq_sandbox_user("no-such-user-here", &err), LQ_ERR_ARGUMENT);
    assert_int_equal(lq_sandbox_user("root", &err), LQ_ERR_ARGUMENT);
    if (geteuid() != 0) {
        assert_int_equal(lq_sandbox_user("nobody", &err), LQ_ERR_ARGUMENT);
        return;
    }
    assert_int_equal(in_child(enter_user, false, check_user), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(landlock_fences_files),
        cmocka_unit_test(a_servers_own_calls_still_work),
        cmocka_unit_test(threads_go_on_and_connecting_can_be_kept),
        cmocka_unit_test(no_core_is_written),
        cmocka_unit_test(root_is_given_up),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
