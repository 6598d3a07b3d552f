// A server's beginning, its seconds, and its end.
#include "serve/server.h"

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/listen.h"
#include "serve/work.h"

enum { TICK_US = 1000000 };

bool lq_server_is_stalled(const struct lq_server *server)
{
    return server->all_stalled;
}

// A thread that hangs in a library cannot be ended; it can be told, so that the service manager or
// balancer that asks /healthz starts the server anew.
static void watch_workers(struct lq_server *server, uint64_t now_us)
{
    struct lq_workers_stalled now =
        lq_workers_stalled(server->workers, now_us, LQ_STALL_S * UINT64_C(1000000));
    int stalled = now.count;
    server->all_stalled = now.all;
    int before = atomic_exchange_explicit(&server->metrics.stalled, stalled, memory_order_relaxed);
    if (stalled > before)
        lq_log_error("%d of %d workers have been at one frame for %d s without getting on", stalled,
                     server->options->workers, LQ_STALL_S);
    else if (stalled == 0 && before > 0)
        lq_log_info("all workers go on");
}

static void set_tick(struct lq_server *server)
{
    if (!lq_timer_set(lq_net_loop(server->net), &server->tick, lq_clock_us() + TICK_US))
        lq_drain_start(server, false); // without its seconds a server has no limits
}

static void on_tick(struct lq_timer *timer, uint64_t now_us)
{
    struct lq_server *server =
        (struct lq_server *)((char *)timer - offsetof(struct lq_server, tick));
    lq_load_tick(&server->load, now_us); // before the connections, which tell their clients of it
    lq_live_tick(server, now_us);
    watch_workers(server, now_us);
    lq_server_count_live(server, now_us);
    lq_sio_tick(server, now_us);
    lq_server_weigh_frames(server);
    // What was freed lies scattered in the heap; the system gets it back only when told to.
    if (server->has_spare)
        malloc_trim(0);
    server->has_spare = false;
    set_tick(server);
}

// Workers have finished frames.
static void on_wake(void *context)
{
    struct lq_server *server = context;
    if (server->workers)
        lq_workers_collect(server->workers);
}

static void wake(void *context)
{
    struct lq_server *server = context;
    lq_loop_wake(lq_net_loop(server->net));
}

static bool open_account(struct lq_server *server, const struct lq_serve_options *options)
{
    const struct lq_address nobody = {{0}};
    server->account = lq_account_new(options->frame_bytes_max);
    struct lq_holder *holder = server->account ? lq_holder_open(server->account, &nobody) : NULL;
    lq_charge_begin(&server->queued, holder);
    lq_holder_release(holder);
    return holder != NULL;
}

int lq_server_open(struct lq_server **out, const struct lq_serve_options *options,
                   struct lq_error *err)
{
    struct lq_server *server = calloc(1, sizeof *server);
    *out = NULL;
    if (!server)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    server->signals.fd = -1;
    lq_cost_init(&server->cost);
    if (!open_account(server, options) ||
        !lq_peers_init(&server->peers, options->sessions_max, options->address_sessions_max)) {
        lq_server_close(server);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    }
    server->options = options;
    server->tls = options->tls_cert || options->tls_self_signed;
    server->started_us = lq_clock_us();
    lq_buf_init(&server->refusal, 1024);
    server->load.workers = options->workers;
    server->load.limit_ms = options->wait_ms_max;
    int status = options->token_file
                     ? lq_tokens_read(&server->tokens, options->token_file, err)
                     : LQ_OK;
    if (status == LQ_OK)
        status = lq_listen_open(server, err);
    if (status == LQ_OK)
        status = lq_signals_watch(server, err);
    if (status == LQ_OK)
        *out = server;
    else
        lq_server_close(server);
    return status;
}

static void serve_until_stopped(struct lq_server *server)
{
    while (!server->stop && lq_net_turn(server->net, -1) == LQ_OK)
        server->stop |= lq_drain_is_over(server);
}

int lq_server_run(struct lq_server *server, const struct lq_model *model, struct lq_error *err)
{
    struct lq_work_context shared = {model,
                                     &server->metrics,
                                     &server->load,
                                     &server->cost,
                                     (uint32_t)server->options->max_age_ms,
                                     server->options->propagate};
    struct lq_work work = lq_work_with(&shared);
    server->model = model;
    int status =
        lq_workers_start(&server->workers, &work, server->options->workers, wake, server, err);
    if (status != LQ_OK)
        return status;
    malloc_trim(0); // what compiling the model left behind
    lq_loop_set_wake(lq_net_loop(server->net), on_wake, server);
    server->tick.due = on_tick;
    set_tick(server);
    lq_listen_print(server);
    serve_until_stopped(server);
    watch_workers(server, lq_clock_us());
    if (atomic_load_explicit(&server->metrics.stalled, memory_order_relaxed) > 0) {
        lq_log_error("stopped without waiting for the workers that hang");
        _exit(1); // what they use must not be freed under them
    }
    lq_workers_stop(server->workers); // from here on nobody wakes the loop
    return LQ_OK;
}

void lq_server_close(struct lq_server *server)
{
    if (!server)
        return;
    lq_sio_close_all(server);
    if (server->signals.fd >= 0) {
        lq_watch_stop(lq_net_loop(server->net), &server->signals);
        close(server->signals.fd);
    }
    lq_net_free(server->net);
    SSL_CTX_free(server->ssl);
    lq_buf_release(&server->refusal);
    lq_workers_free(server->workers);
    lq_charge_end(&server->queued);
    lq_account_free(server->account);
    lq_cost_release(&server->cost);
    lq_peers_release(&server->peers);
    lq_peers_release(&server->callers);
    free(server);
}
