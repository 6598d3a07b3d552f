// The probe of an engine whose library is searched in another folder.
#pragma once

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine.h"
#include "unit/unit.h"

// A process loads a library only once, so each probe runs in a child process, which must start
// before this process loads the library. `variable`: the environment variable of the folder.
static inline void probe_elsewhere(const struct lq_engine_ops *engine, const char *variable,
                                   const char *where, char *text, size_t size)
{
    int pipes[2], status = -1;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lq_error why = {0};
        setenv(variable, where, 1);
        int found = engine->probe(NULL, &why);
        _exit(found == LQ_ERR_UNAVAILABLE && write(pipes[1], why.text, strlen(why.text)) > 0 ? 0
                                                                                            : 1);
    }
    close(pipes[1]);
    ssize_t len = read(pipes[0], text, size - 1);
    text[len > 0 ? len : 0] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}
