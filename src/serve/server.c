// A server's beginning, its seconds, and its end.
#include "serve/server.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/listen.h"
#include "serve/work.h"

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

static void on_tick(lws_sorted_usec_list_t *sul)
{
    struct lq_server *server = lws_container_of(sul, struct lq_server, tick);
    uint64_t now_us = lq_clock_us();
    lq_load_tick(&server->load, now_us); // before the connections, which tell their clients of it
    for (struct lq_conn *conn = server->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->ops->tick)
            conn->ops->tick(conn, now_us);
    }
    watch_workers(server, now_us);
    lq_server_count_live(server, now_us);
    lq_sio_tick(server, now_us);
    lq_server_weigh_frames(server);
    // What was freed lies scattered in the heap; the system gets it back only when told to.
    if (server->has_spare)
        malloc_trim(0);
    server->has_spare = false;
    lws_sul_schedule(server->context, 0, sul, on_tick, LWS_US_PER_SEC);
}

static void wake(void *context)
{
    struct lq_server *server = context;
    lws_cancel_service(server->context);
}

int lq_server_open(struct lq_server **out, const struct lq_serve_options *options,
                   struct lq_error *err)
{
    struct lq_server *server = calloc(1, sizeof *server);
    *out = NULL;
    if (!server)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_cost_init(&server->cost);
    server->account = lq_account_new(options->frame_bytes_max);
    if (!server->account ||
        !lq_peers_init(&server->peers, options->sessions_max, options->address_sessions_max)) {
        lq_server_close(server);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    }
    server->options = options;
    server->tls = options->tls_cert || options->tls_self_signed;
    server->started_us = lq_clock_us();
    server->listen_fd = -1;
    server->load.workers = options->workers;
    server->load.limit_ms = options->wait_ms_max;
    int status = options->token_file
                     ? lq_tokens_read(&server->tokens, options->token_file, err)
                     : LQ_OK;
    if (status == LQ_OK)
        status = lq_listen_context(server, err);
    if (status == LQ_OK)
        status = lq_listen_open(server, lq_protocols, err);
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
    while (!server->stop && lws_service(server->context, 0) >= 0) {
        if (lq_drain_is_over(server))
            server->stop = true;
    }
}

int lq_server_run(struct lq_server *server, const struct lq_model *model, struct lq_error *err)
{
    struct lq_work_context shared = {model, &server->metrics, &server->load, &server->cost,
                                     (uint32_t)server->options->max_age_ms,
                                     server->options->carry};
    struct lq_work work = lq_work_with(&shared);
    server->model = model;
    int status =
        lq_workers_start(&server->workers, &work, server->options->workers, wake, server, err);
    if (status != LQ_OK)
        return status;
    malloc_trim(0); // what compiling the model left behind
    lws_sul_schedule(server->context, 0, &server->tick, on_tick, LWS_US_PER_SEC);
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
    lws_sul_cancel(&server->tick);
    lws_sul_cancel(&server->drain_timer);
    lq_sio_close_all(server);
    if (server->context)
        lws_context_destroy(server->context);
    lq_workers_free(server->workers);
    lq_account_free(server->account);
    lq_cost_release(&server->cost);
    lq_peers_release(&server->peers);
    lq_peers_release(&server->callers);
    free(server);
}
