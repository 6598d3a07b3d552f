// Runs `lacquer tune` beside a server that has no stored choice yet: in a separate, low-priority
// process that is forked before the server has threads, a port or a sandbox. When it is done, the
// choice is stored and the server switches to it: at once, or at its next start if that needs
// another ONEDNN_MAX_CPU_ISA, which cannot change while a process runs.
// Threads: the main one; watching uses a thread of its own. Owner: the caller, who calls fork and
// end.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "cli/tune_choice.h"
#include "serve/serve.h"

struct lq_tune_beside {
    pid_t child;  // 0: none
    int go, result; // pipes: start the child; receive its result
    int stop;     // an eventfd: stop watching
    int after_s;  // seconds from starting to watch until the race starts
    bool watching, racing;
    pthread_t thread;
    const struct lq_cli_model *config;
    struct lq_server *server;
    struct lq_model *model; // the model that the server switched to
};

// Forks the process that may race later. `enter` (drops privileges) is called first in each of its
// children. Does nothing if there is nothing to tune or no process can be created.
void lq_tune_beside_fork(struct lq_tune_beside *beside, struct lq_cli_model *config,
                         int (*enter)(void *context, struct lq_error *err), void *context);

// Starts the race after this many seconds, and watches it. `config`: the model and settings that
// the server uses until then.
void lq_tune_beside_watch(struct lq_tune_beside *beside, const struct lq_cli_model *config,
                          struct lq_server *server, int after_s);

// Stops both. Call it after the server has stopped and before it is closed, since the watcher uses
// it.
void lq_tune_beside_end(struct lq_tune_beside *beside);
// Leaves the model that the server switched to (lq_model_leave); call it after closing the server.
void lq_tune_beside_release(struct lq_tune_beside *beside);
