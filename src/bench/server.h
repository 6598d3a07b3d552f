// Server processes that the bench starts, watches and ends: `lacquer serve` and the comparison
// stack. Only what was started here is ever signalled, by its process id; should the bench die,
// the kernel ends them (PR_SET_PDEATHSIG).
// Threads: one. Owner: start/stop by the caller; stop copes with one that never started.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bench/url.h"

struct lq_bench_server {
    pid_t pid;          // 0: not running
    int words;          // file that holds what it writes on stderr; 0: none
    struct lq_url url;
    double ready_ms;    // from its start until it answered that it is ready
};

// Takes a free port of 127.0.0.1 for server->url.
LQ_MUST_CHECK int lq_bench_server_port(struct lq_bench_server *server, struct lq_error *err);

// Runs argv and waits until ready_path answers 200. When it ends before that, or is not ready in
// time, the error carries its last line on stderr, and it is stopped.
LQ_MUST_CHECK int lq_bench_server_start(struct lq_bench_server *server, char *const argv[],
                                        const char *ready_path, int timeout_ms,
                                        struct lq_error *err);
void lq_bench_server_stop(struct lq_bench_server *server);

// Runs argv to its end, at most timeout_ms, and gives what it wrote on stdout.
LQ_MUST_CHECK int lq_bench_run_program(char *const argv[], int timeout_ms, struct lq_buf *out,
                                       struct lq_error *err);

// Processor seconds a process, its threads and its children have used; negative when it is
// unknown (pid 0).
double lq_process_cpu_seconds(pid_t pid);

// Share of all cores busy during the next half second, 0..100, before anything is started.
double lq_machine_busy_percent(void);

// Of the last minute (getloadavg); negative: unknown.
double lq_machine_load_average(void);

// Whether others use so much of this machine that ratios of times mean nothing: a seventh of its
// cores just now, or as many runnable threads as it has cores over the last minute.
bool lq_machine_is_busy(double busy_percent, double load_average);

// "AMD EPYC, 2 cores, bf16, Linux 6.1.0 x86_64"
void lq_machine_name(char *text, size_t size);
