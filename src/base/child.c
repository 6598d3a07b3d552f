#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

struct result {
    int status;
    struct lq_error err;
};

// False if the child ended first, or `until_us` passed (*late).
static bool read_all(int fd, void *bytes, size_t len, uint64_t until_us, bool *late)
{
    char *at = bytes;
    while (len > 0) {
        uint64_t now_us = lq_clock_us();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        *late = now_us >= until_us;
        int ready = *late ? 0 : poll(&wait, 1, (int)((until_us - now_us) / 1000) + 1);
        if (*late)
            return false;
        if (ready <= 0)
            continue;
        ssize_t got = read(fd, at, len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

// Unblocks signals that the parent may have blocked. Silences output: what libraries print about a
// file that is then refused would only repeat the error.
static void settle_in(pid_t parent, int timeout_ms)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)timeout_ms / 1000 + 5); // in case a change of user clears PDEATHSIG
    if (getppid() != parent)
        _exit(1);
    lq_log_set_level(LQ_LOG_ERROR);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
}

static void be_child(int fd, pid_t parent, int (*job)(void *, struct lq_error *), void *data,
                     size_t size, int timeout_ms)
{
    struct result result = {0};
    settle_in(parent, timeout_ms);
    result.status = job(data, &result.err);
    bool reported = lq_file_write_fd(fd, &result, sizeof result) == LQ_OK &&
                    lq_file_write_fd(fd, data, size) == LQ_OK;
    // Not exit(): the parent's atexit handlers must not run in the child.
    _exit(reported ? 0 : 1);
}

const char *lq_child_reason(int signal)
{
    switch (signal) {
    case SIGSEGV:
        return "SIGSEGV, a bad memory access";
    case SIGABRT:
        return "SIGABRT, it gave up";
    case SIGILL:
        return "SIGILL, an instruction that this processor lacks";
    case SIGFPE:
        return "SIGFPE, a division by zero";
    case SIGBUS:
        return "SIGBUS, a bad memory access";
    case SIGKILL:
        return "SIGKILL, out of memory or stopped from outside";
    default:
        return "a signal";
    }
}

static int wait_for(pid_t child)
{
    int ended = 0;
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    return ended;
}

int lq_child_run(int (*job)(void *data, struct lq_error *err), void *data, size_t size,
                 int timeout_ms, struct lq_error *err)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return lq_fail(err, LQ_ERR_IO, "cannot start a separate process: %s", strerror(errno));
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(pipes[0]);
        be_child(pipes[1], parent, job, data, size, timeout_ms);
    }
    close(pipes[1]);
    if (child < 0) {
        close(pipes[0]);
        return lq_fail(err, LQ_ERR_IO, "cannot start a separate process: %s", strerror(errno));
    }
    struct result result;
    bool late = false;
    uint64_t until_us = lq_clock_us() + (uint64_t)timeout_ms * 1000;
    bool reported = read_all(pipes[0], &result, sizeof result, until_us, &late) &&
                    (size == 0 || read_all(pipes[0], data, size, until_us, &late));
    close(pipes[0]);
    if (!reported && late)
        kill(child, SIGKILL);
    int ended = wait_for(child);
    if (reported)
        return result.status == LQ_OK ? LQ_OK
                                      : lq_fail(err, result.status, "%s", result.err.text);
    if (late)
        return lq_fail(err, LQ_ERR_ENGINE, "it took longer than %d s", timeout_ms / 1000);
    if (WIFSIGNALED(ended))
        return lq_fail(err, LQ_ERR_ENGINE, "it ended by signal %d (%s)", WTERMSIG(ended),
                       lq_child_reason(WTERMSIG(ended)));
    return lq_fail(err, LQ_ERR_ENGINE, "it ended with status %d", WEXITSTATUS(ended));
}
