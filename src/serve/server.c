// A server's start, its once-a-second work, and its end.
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/drain.h"
#include "serve/listen.h"
#include "serve/live/live.h"
#include "serve/reload.h"
#include "serve/routes.h"
#include "serve/serve.h"
#include "serve/signals.h"
#include "serve/sio/clients.h"
#include "serve/work.h"

enum { TICK_US = 1000000 };

// All parts; each gets pointers to what it shares with others.
struct lq_server {
    const struct lq_serve_options *options;
    struct lq_serve_metrics metrics;
    struct lq_access access;
    struct lq_admission admission;
    struct lq_routes routes;
    struct lq_web web;
    struct lq_live_connections live;
    struct lq_sio_clients sio;
    struct lq_listeners listeners;
    struct lq_drain drain;
    struct lq_reload reload;
    struct lq_signals signals;
    struct lq_timer tick;
    _Atomic(const struct lq_model *) offered; // the model that workers switch to; NULL: none
};

// A thread that hangs in a library cannot be ended. It is reported at /healthz, so that the service
// manager or load balancer restarts the server.
static void watch_workers(struct lq_server *server, uint64_t now_us)
{
    struct lq_workers_stalled now =
        lq_workers_stalled(server->admission.workers, now_us, LQ_STALL_S * UINT64_C(1000000));
    int stalled = now.count;
    server->web.stalled = now.all;
    int before = atomic_exchange_explicit(&server->metrics.stalled, stalled, memory_order_relaxed);
    if (stalled > before)
        lq_log_error("%d of %d workers have made no progress with their frame for %d s", stalled,
                     server->options->workers, LQ_STALL_S);
    else if (stalled == 0 && before > 0)
        lq_log_info("all workers go on");
}

static void set_tick(struct lq_server *server)
{
    struct lq_loop *loop = lq_net_loop(server->listeners.net);
    if (!lq_timer_set(loop, &server->tick, lq_clock_us() + TICK_US))
        lq_drain_start(&server->drain, 0); // without this timer the limits do not work
}

static void on_tick(struct lq_timer *timer, uint64_t now_us)
{
    struct lq_server *server =
        (struct lq_server *)((char *)timer - offsetof(struct lq_server, tick));
    struct lq_admission *admission = &server->admission;
    // Before lq_live_tick, which sends the new rate to clients.
    lq_load_tick(&admission->load, now_us);
    lq_live_tick(&server->live, now_us);
    watch_workers(server, now_us);
    lq_admission_count_live(admission, now_us);
    lq_sio_tick(&server->sio, now_us);
    lq_admission_weigh(admission, lq_net_buffered(server->listeners.net));
    const struct lq_model *offered = atomic_load(&server->offered);
    if (offered)
        server->web.model = server->live.model = server->sio.model = offered;
    // Freed memory is scattered in the heap; only malloc_trim returns it to the system.
    if (admission->has_unused)
        malloc_trim(0);
    admission->has_unused = false;
    set_tick(server);
}

// Workers have finished frames.
static void on_wake(void *context)
{
    struct lq_server *server = context;
    if (server->admission.workers)
        lq_workers_collect(server->admission.workers);
}

static void wake(void *context)
{
    struct lq_server *server = context;
    lq_loop_wake(lq_net_loop(server->listeners.net));
}

// ---- its parts ---------------------------------------------------------------------------------

static void join_parts(struct lq_server *server, const struct lq_serve_options *options)
{
    struct lq_serve_metrics *metrics = &server->metrics;
    struct lq_admission *admission = &server->admission;
    struct lq_web *web = &server->web;
    server->options = options;
    server->access.options = options;
    *web = (struct lq_web){.options = options, .access = &server->access, .admission = admission,
                           .metrics = metrics, .routes = server->routes.all};
    lq_web_init(web);
    server->live = (struct lq_live_connections){.options = options, .admission = admission,
                                                .metrics = metrics, .web = web};
    server->sio = (struct lq_sio_clients){.options = options, .admission = admission,
                                          .metrics = metrics, .web = web};
    lq_routes_init(&server->routes, &server->live, &server->sio);
    server->listeners = (struct lq_listeners){.options = options, .metrics = metrics};
    server->drain = (struct lq_drain){.listeners = &server->listeners, .admission = admission,
                                      .web = web, .live = &server->live, .sio = &server->sio};
    server->reload = (struct lq_reload){.listeners = &server->listeners, .access = &server->access,
                                        .admission = admission, .live = &server->live,
                                        .sio = &server->sio};
    server->signals = (struct lq_signals){.watch.fd = -1, .drain = &server->drain,
                                          .reload = &server->reload};
}

int lq_server_open(struct lq_server **out, const struct lq_serve_options *options,
                   struct lq_error *err)
{
    struct lq_server *server = calloc(1, sizeof *server);
    *out = NULL;
    if (!server)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    join_parts(server, options);
    int status = lq_admission_init(&server->admission, options, &server->access, &server->metrics)
                     ? LQ_OK
                     : lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (status == LQ_OK && options->token_file)
        status = lq_tokens_read(&server->access.tokens, options->token_file, err);
    if (status == LQ_OK)
        status = lq_listeners_open(&server->listeners, &server->web, err);
    if (status == LQ_OK)
        status = lq_signals_watch(&server->signals, err);
    if (status == LQ_OK)
        *out = server;
    else
        lq_server_close(server);
    return status;
}

static void serve_until_stopped(struct lq_server *server)
{
    while (!server->drain.stop && lq_net_turn(server->listeners.net, -1) == LQ_OK)
        server->drain.stop |= lq_drain_is_over(&server->drain);
}

int lq_server_run(struct lq_server *server, const struct lq_model *model, struct lq_error *err)
{
    struct lq_admission *admission = &server->admission;
    struct lq_work_context shared = {model, &server->metrics, &admission->load, &admission->cost,
                                     (uint32_t)server->options->max_age_ms,
                                     server->options->propagate, &server->offered};
    struct lq_work work = lq_work_with(&shared);
    server->web.model = server->live.model = server->sio.model = model;
    int status =
        lq_workers_start(&admission->workers, &work, server->options->workers, wake, server, err);
    if (status != LQ_OK)
        return status;
    malloc_trim(0); // returns memory freed after compiling the model
    lq_loop_set_wake(lq_net_loop(server->listeners.net), on_wake, server);
    server->tick.due = on_tick;
    set_tick(server);
    lq_listeners_print(&server->listeners);
    serve_until_stopped(server);
    watch_workers(server, lq_clock_us());
    if (atomic_load_explicit(&server->metrics.stalled, memory_order_relaxed) > 0) {
        lq_log_error("stopped without waiting for the workers that hang");
        _exit(1); // hung workers still use memory that must not be freed
    }
    lq_workers_stop(admission->workers); // from here on nobody wakes the loop
    return LQ_OK;
}

void lq_server_offer_model(struct lq_server *server, const struct lq_model *model)
{
    atomic_store(&server->offered, model);
}

void lq_server_close(struct lq_server *server)
{
    if (!server)
        return;
    lq_sio_close_all(&server->sio);
    lq_signals_close(&server->signals);
    lq_listeners_close(&server->listeners);
    lq_web_release(&server->web);
    lq_workers_free(server->admission.workers);
    lq_admission_release(&server->admission);
    free(server);
}
