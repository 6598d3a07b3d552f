// Server processes that the bench starts, watches and stops: `lacquer serve` and the comparison
// servers. It signals only processes that it started, by id; if the bench dies, the kernel ends
// them (PR_SET_PDEATHSIG).
// Threads: one. Owner: start/stop by the caller; stop accepts a server that never started.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "bench/url.h"

struct lq_bench_server {
    pid_t pid;          // 0: not running
    int log_fd;         // file that receives its stderr; 0: none
    struct lq_url url;
    double ready_ms;    // from its start until it reported ready
};

// Chooses a free port of 127.0.0.1 for server->url.
LQ_MUST_CHECK int lq_bench_server_port(struct lq_bench_server *server, struct lq_error *err);

// Runs argv and waits until ready_path responds with 200. If it ends before, or is not ready in
// time, it is stopped, and the error contains its last line on stderr.
LQ_MUST_CHECK int lq_bench_server_start(struct lq_bench_server *server, char *const argv[],
                                        const char *ready_path, int timeout_ms,
                                        struct lq_error *err);
void lq_bench_server_stop(struct lq_bench_server *server);

// Runs argv to completion, at most timeout_ms, and returns its stdout.
LQ_MUST_CHECK int lq_bench_run_program(char *const argv[], int timeout_ms, struct lq_buf *out,
                                       struct lq_error *err);

// Processor seconds used by a process, its threads and its children; negative if unknown (pid 0).
double lq_process_cpu_seconds(pid_t pid);

// Measures for half a second how busy all cores are, 0..100; call it before starting anything.
double lq_machine_busy_percent(void);

// Load average of the last minute (getloadavg); negative: unknown.
double lq_machine_load_average(void);

// Whether other programs use so much of this machine that ratios are meaningless: a seventh of its
// cores now, or as many runnable threads as cores over the last minute.
bool lq_machine_is_busy(double busy_percent, double load_average);

// "AMD EPYC, 2 cores, bf16, Linux 6.1.0 x86_64"
void lq_machine_name(char *text, size_t size);
