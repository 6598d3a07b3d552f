// The race of `lacquer tune` beside a server that has no kept answer yet: in a process of its own,
// of low priority, forked before the server has threads, a port or a sandbox. When it is
// done the answer is kept, and the server goes over to it: at once, or with its next start where
// that takes another ONEDNN_MAX_CPU_ISA, which stands for as long as a process runs.
// Threads: the main one; the watch is a thread of its own. Owner: the caller; fork/end by it.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "cli/tune_answer.h"
#include "serve/serve.h"

struct lq_tune_beside {
    pid_t child;  // 0: none
    int go, told; // pipes: the child begins; what it found
    int stop;     // an eventfd: the watch ends
    int after_s;  // from the watch's begin to the race's
    bool watching, racing;
    pthread_t thread;
    const struct lq_cli_model *asked;
    struct lq_server *server;
    struct lq_model *model; // what the server went over to
};

// Forks the process that may race later. `enter` (giving up rights) is called in each of its
// children first. Where there is nothing to race for, or no process can be had, there is none.
void lq_tune_beside_fork(struct lq_tune_beside *beside, struct lq_cli_model *asked,
                         int (*enter)(void *context, struct lq_error *err), void *context);

// Has it race so many seconds from now, and watches. `asked` is how the server computes meanwhile.
void lq_tune_beside_watch(struct lq_tune_beside *beside, const struct lq_cli_model *asked,
                          struct lq_server *server, int after_s);

// Ends both: when the server has stopped, before it is closed, for the watch may speak to it.
void lq_tune_beside_end(struct lq_tune_beside *beside);
// Closes what the server went over to, once that is closed.
void lq_tune_beside_release(struct lq_tune_beside *beside);
