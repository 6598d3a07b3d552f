// Each case gives up its rights in a child process and tells what it could still do.
#include "serve/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

static char readable[] = "/tmp/lacquer-readable-XXXXXX", writable[] = "/tmp/lacquer-writable-XXXXXX";

static int make_folders(void **state)
{
    (void)state;
    return mkdtemp(readable) && mkdtemp(writable) ? 0 : -1;
}

static int remove_folders(void **state)
{
    (void)state;
    return rmdir(readable) | rmdir(writable);
}

static int tcp; // made before the sandbox was entered

enum { HAS_NONE = 77 }; // the kernel has no such fence: nothing to see here

// Runs `check` in a child after entering; its exit status is what `check` returns.
static int in_child(int (*enter)(const struct lq_confine *confine, struct lq_error *err),
                    bool connect, int (*check)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct lq_confine confine = {.connect = connect};
        struct lq_error err;
        tcp = socket(AF_INET, SOCK_STREAM, 0);
        lq_confine_read(&confine, readable);
        lq_confine_read(&confine, "/nonexistent");
        lq_confine_write(&confine, writable);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
            _exit(1);
        status = enter(&confine, &err);
        _exit(status == LQ_ERR_UNAVAILABLE ? HAS_NONE : status != LQ_OK ? 1 : check());
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == HAS_NONE)
        skip();
    return WEXITSTATUS(status);
}

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
    assert_int_equal(in_child(lq_confine_landlock, false, check_files), 0);
}

static bool call_is_refused(long result)
{
    return result == -1 && errno == EPERM;
}

static bool makes(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd >= 0)
        close(fd);
    else if (errno != EAFNOSUPPORT)
        return true; // refused by something else: that shows nothing
    return fd >= 0;
}

static int check_calls(void)
{
    struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = htons(9)};
    char *const arguments[] = {(char[]){"/bin/true"}, NULL};
    bool right = tcp >= 0 && !makes(AF_PACKET, SOCK_RAW) && !makes(AF_UNIX, SOCK_STREAM) &&
                 !makes(AF_INET, SOCK_STREAM) && !makes(AF_INET6, SOCK_DGRAM) &&
                 !makes(AF_INET, SOCK_DGRAM) && makes(AF_NETLINK, SOCK_RAW);
    right &= call_is_refused(execv("/bin/true", arguments));
    right &= call_is_refused(bind(tcp, (struct sockaddr *)&nowhere, sizeof nowhere));
    right &= call_is_refused(listen(tcp, 1));
    right &= call_is_refused(connect(tcp, (struct sockaddr *)&nowhere, sizeof nowhere));
    right &= call_is_refused(unshare(CLONE_NEWUSER));
    right &= call_is_refused(syscall(SYS_bpf, 0, NULL, 0));
    right &= call_is_refused(kill(getppid(), 0));
    right &= call_is_refused(syscall(SYS_tgkill, getppid(), getppid(), 0));
    right &= signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0; // itself it may
#if !defined(LQ_SANITIZE)
    right &= call_is_refused(fork());
#endif
    return !right;
}

static void seccomp_fences_calls(void **state)
{
    (void)state;
    assert_int_equal(in_child(lq_confine_seccomp, false, check_calls), 0);
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
    assert_int_equal(in_child(lq_confine_seccomp, true, check_threads_and_connect), 0);
    assert_int_equal(in_child(lq_confine_landlock, true, check_threads_and_connect), 0);
}

static int enter_memory(const struct lq_confine *confine, struct lq_error *err)
{
    (void)confine, (void)err;
    lq_confine_memory();
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

static int enter_user(const struct lq_confine *confine, struct lq_error *err)
{
    (void)confine;
    return lq_confine_user("nobody", err);
}

static int check_user(void)
{
    return geteuid() == 0 || getuid() == 0 || getegid() == 0 || setuid(0) == 0;
}

static void root_is_given_up(void **state)
{
    (void)state;
    struct lq_error err;
    assert_int_equal(lq_confine_user("no-such-user-here", &err), LQ_ERR_ARGUMENT);
    assert_int_equal(lq_confine_user("root", &err), LQ_ERR_ARGUMENT);
    if (geteuid() != 0) {
        assert_int_equal(lq_confine_user("nobody", &err), LQ_ERR_ARGUMENT);
        return;
    }
    assert_int_equal(in_child(enter_user, false, check_user), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(landlock_fences_files),
        cmocka_unit_test(seccomp_fences_calls),
        cmocka_unit_test(threads_go_on_and_connecting_can_be_kept),
        cmocka_unit_test(no_core_is_written),
        cmocka_unit_test(root_is_given_up),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
