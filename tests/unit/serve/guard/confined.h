// Runs a check in a child process that has given up its rights, for the tests of the sandbox and of
// its filter of system calls. Include in one file of a program.
// Threads: one. Owner: make_folders and remove_folders, as a group's set-up and tear-down.
#pragma once

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/guard/sandbox.h"
#include "unit/unit.h"

static char readable[] = "/tmp/lacquer-readable-XXXXXX",
    writable[] = "/tmp/lacquer-writable-XXXXXX";

static inline int make_folders(void **state)
{
    (void)state;
    return mkdtemp(readable) && mkdtemp(writable) ? 0 : -1;
}

static inline int remove_folders(void **state)
{
    (void)state;
    return rmdir(readable) | rmdir(writable);
}

static int tcp; // created before entering the sandbox

enum { HAS_NONE = 77 }; // the kernel does not support this: skip

// Runs `check` in a child after entering; its exit status is what `check` returns.
static inline int in_child(int (*enter)(const struct lq_sandbox *confine, struct lq_error *err),
                    bool connect, int (*check)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct lq_sandbox confine = {.connect = connect};
        struct lq_error err;
        tcp = socket(AF_INET, SOCK_STREAM, 0);
        lq_sandbox_read(&confine, readable);
        lq_sandbox_read(&confine, "/nonexistent");
        lq_sandbox_write(&confine, writable);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
            _exit(1);
        err.text[0] = 0;
        status = enter(&confine, &err);
        if (status != LQ_OK)
            print_error("%s\n", err.text);
        _exit(status == LQ_ERR_UNAVAILABLE ? HAS_NONE : status != LQ_OK ? 1 : check());
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == HAS_NONE)
        skip();
    return WEXITSTATUS(status);
}

static inline bool call_is_refused(long result)
{
    return result == -1 && errno == EPERM;
}

static inline bool makes(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd >= 0)
        close(fd);
    else if (errno != EAFNOSUPPORT)
        return true; // rejected for another reason, which proves nothing
    return fd >= 0;
}
