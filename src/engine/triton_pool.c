#include "engine/triton_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/kserve.h"
#include "engine/triton_ready.h"
#include "engine/triton_url.h"

enum {
    WATCH_DOWN_MS = 100, // between health checks of a server that is down
    WATCH_UP_MS = 1000,  // … and of one that is up
    MISSED_MAX = 2,      // failed health checks in a row that mark it down
    CUT_SHORT_MAX = 8,   // requests in a row that expired too early
    LATENCY_SAMPLES = 8, // time constant of the mean latency, in requests
    HOLD_FIRST_MS = 250,
    HOLD_LAST_MS = 8000,
};

struct lq_triton_pool {
    struct lq_triton_pool *next; // in `pools`
    int users;                   // guarded by pools_lock
    char model[LQ_TENSOR_NAME_MAX], version[24];
    int server_count;
    struct lq_triton_server servers[LQ_REMOTE_URLS_MAX];
    // One watcher per server, so that one silent server does not delay the others.
    struct watcher {
        struct lq_triton_pool *pool;
        struct lq_triton_server *server;
        struct lq_triton_probe probe;
        pthread_t thread;
    } watchers[LQ_REMOTE_URLS_MAX];
    int watching; // threads that run
    int probed;   // servers that were probed at least once; guarded by lock
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
};

static pthread_mutex_t pools_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lq_triton_pool *pools;

// ---- up and down (the pool is locked)

static void mark_down(struct lq_triton_pool *pool, struct lq_triton_server *server,
                      const char *why)
{
    if (!server->up)
        return;
    server->up = false;
    server->epoch++;
    server->refuses_memory = false;
    if (server->failures > 0) {
        int doublings = server->failures < 6 ? server->failures - 1 : 5;
        int hold_ms = HOLD_FIRST_MS << doublings;
        hold_ms = hold_ms < HOLD_LAST_MS ? hold_ms : HOLD_LAST_MS;
        // The first failure may be a restart: mark it up again as soon as it is ready.
        server->hold_until_us = server->failures == 1 ? 0 : lq_clock_us() + hold_ms * 1000u;
    }
    snprintf(server->why, sizeof server->why, "%s", why);
    server->lacks_model = false;
    lq_log_warn("triton %s is down: %s", server->url, why);
    pthread_cond_broadcast(&pool->changed);
}

static void mark_up(struct lq_triton_server *server)
{
    if (server->up)
        return;
    server->up = true;
    server->missed = server->cut_short = 0;
    server->latency_us = 0; // it may be on another machine now
    // The first success at start is not worth a message.
    if (server->why[0])
        lq_log_info("triton %s is up", server->url);
}

// Requests that fail at the same time count as one failure: the first marks the server down.
static void fail(struct lq_triton_pool *pool, struct lq_triton_server *server, const char *why)
{
    if (!server->up)
        return;
    server->failures++;
    mark_down(pool, server, why);
}

// Equal servers share the load by chance. A slower one gets a request only while the others are
// busy; its latency is then measured again.
static bool is_better(const struct lq_triton_server *a, const struct lq_triton_server *b)
{
    return a->in_flight < b->in_flight ||
           (a->in_flight == b->in_flight && a->latency_us < b->latency_us);
}

struct lq_triton_server *lq_triton_pool_take(struct lq_triton_pool *pool,
                                             const struct lq_triton_server *not_this)
{
    struct lq_triton_server *best = NULL;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->server_count; i++) {
        struct lq_triton_server *server = &pool->servers[i];
        if (server->up && server != not_this && (!best || is_better(server, best)))
            best = server;
    }
    if (best)
        best->in_flight++;
    pthread_mutex_unlock(&pool->lock);
    return best;
}

void lq_triton_pool_give(struct lq_triton_pool *pool, struct lq_triton_server *server, int status,
                         const struct lq_error *why)
{
    pthread_mutex_lock(&pool->lock);
    server->in_flight--;
    *(status == LQ_OK ? &server->answered : &server->failed) += 1;
    if (status == LQ_OK) {
        server->failures = server->cut_short = 0;
    } else {
        fail(pool, server, why->text);
    }
    pthread_mutex_unlock(&pool->lock);
}

void lq_triton_pool_latency(struct lq_triton_pool *pool, struct lq_triton_server *server,
                            uint64_t latency_us)
{
    pthread_mutex_lock(&pool->lock);
    double latest = (double)latency_us;
    double mean = server->latency_us > 0 ? server->latency_us : latest;
    server->latency_us = mean + (latest - mean) / LATENCY_SAMPLES;
    pthread_mutex_unlock(&pool->lock);
}

void lq_triton_pool_cut_short(struct lq_triton_pool *pool, struct lq_triton_server *server)
{
    pthread_mutex_lock(&pool->lock);
    server->in_flight--;
    if (++server->cut_short >= CUT_SHORT_MAX)
        fail(pool, server, "it has completed no frame in time");
    pthread_mutex_unlock(&pool->lock);
}

int lq_triton_pool_count(struct lq_triton_pool *pool)
{
    int count = 0;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->server_count; i++)
        count += pool->servers[i].up;
    pthread_mutex_unlock(&pool->lock);
    return count;
}

int lq_triton_pool_index(const struct lq_triton_pool *pool, const struct lq_triton_server *server)
{
    return (int)(server - pool->servers);
}

struct lq_triton_server *lq_triton_pool_server(struct lq_triton_pool *pool, int index)
{
    pthread_mutex_lock(&pool->lock);
    struct lq_triton_server *server =
        index < pool->server_count && pool->servers[index].up ? &pool->servers[index] : NULL;
    pthread_mutex_unlock(&pool->lock);
    return server;
}

int lq_triton_pool_explain(struct lq_triton_pool *pool, struct lq_error *err)
{
    const struct lq_triton_server *first = &pool->servers[0];
    pthread_mutex_lock(&pool->lock);
    int status = lq_fail(err, first->lacks_model ? LQ_ERR_NOT_FOUND : LQ_ERR_UNAVAILABLE,
                         "no Triton server is up: %.60s: %.159s", first->url, first->why);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

unsigned lq_triton_pool_epoch(struct lq_triton_pool *pool, const struct lq_triton_server *server)
{
    pthread_mutex_lock(&pool->lock);
    unsigned epoch = server->epoch;
    pthread_mutex_unlock(&pool->lock);
    return epoch;
}

bool lq_triton_pool_memory(struct lq_triton_pool *pool, const struct lq_triton_server *server,
                           unsigned *epoch)
{
    pthread_mutex_lock(&pool->lock);
    bool takes = server->local && !server->refuses_memory;
    *epoch = server->epoch;
    pthread_mutex_unlock(&pool->lock);
    return takes;
}

bool lq_triton_pool_refuse_memory(struct lq_triton_pool *pool, struct lq_triton_server *server)
{
    pthread_mutex_lock(&pool->lock);
    bool first = !server->refuses_memory;
    server->refuses_memory = true;
    pthread_mutex_unlock(&pool->lock);
    return first;
}

void lq_triton_pool_url(const struct lq_triton_pool *pool, const struct lq_triton_server *server,
                        const char *tail, char *out, size_t size)
{
    snprintf(out, size, "%s/v2/models/%s%s%s%s", server->url, pool->model,
             pool->version[0] ? "/versions/" : "", pool->version, tail);
}

// ---- watching

// Checks whether a server is ready, and marks it up or down.
static void check_server(struct watcher *watcher)
{
    struct lq_triton_pool *pool = watcher->pool;
    struct lq_triton_server *server = watcher->server;
    struct lq_error err;
    pthread_mutex_lock(&pool->lock);
    unsigned epoch = server->epoch;
    pthread_mutex_unlock(&pool->lock);
    int status =
        lq_triton_probe_ready(&watcher->probe, server->url, pool->model, pool->version, &err);
    pthread_mutex_lock(&pool->lock);
    if (epoch != server->epoch) {
        // A request has marked it down meanwhile; that is newer.
    } else if (status == LQ_OK) {
        server->missed = 0;
        mark_up(server);
    } else if (!server->up) {
        snprintf(server->why, sizeof server->why, "%.159s", err.text);
        server->lacks_model = status == LQ_ERR_NOT_FOUND;
    } else if (++server->missed >= MISSED_MAX) {
        mark_down(pool, server, err.text);
    }
    pthread_mutex_unlock(&pool->lock);
}

// Waits until the next health check is due; false when the pool closes.
static bool wait_until_due(struct watcher *watcher, uint64_t checked_us)
{
    struct lq_triton_pool *pool = watcher->pool;
    struct lq_triton_server *server = watcher->server;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        uint64_t due = checked_us + (server->up ? WATCH_UP_MS : WATCH_DOWN_MS) * 1000u;
        if (!server->up && due < server->hold_until_us)
            due = server->hold_until_us;
        if (lq_clock_us() >= due)
            break;
        struct timespec until = {(time_t)(due / 1000000), (long)(due % 1000000) * 1000};
        pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    }
    bool stop = pool->stop;
    pthread_mutex_unlock(&pool->lock);
    return !stop;
}

static void *watch(void *context)
{
    struct watcher *watcher = context;
    struct lq_triton_pool *pool = watcher->pool;
    uint64_t checked_us = lq_clock_us();
    check_server(watcher);
    pthread_mutex_lock(&pool->lock);
    pool->probed++;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    while (wait_until_due(watcher, checked_us)) {
        checked_us = lq_clock_us();
        check_server(watcher);
    }
    return NULL;
}

// ---- opening

static int add_server(struct lq_triton_pool *pool, const char *url, enum lq_remote_memory memory,
                      struct lq_error *err)
{
    struct lq_triton_server *server = &pool->servers[pool->server_count];
    struct watcher *watcher = &pool->watchers[pool->server_count];
    *server = (struct lq_triton_server){0};
    int status = lq_triton_url_read(server->url, sizeof server->url, url, err);
    if (status != LQ_OK)
        return status;
    server->local = memory == LQ_REMOTE_MEMORY_ON ||
                    (memory == LQ_REMOTE_MEMORY_AUTO && lq_triton_url_is_local(server->url));
    pool->server_count++;
    watcher->pool = pool;
    watcher->server = server;
    return lq_triton_probe_init(&watcher->probe, err);
}

static void pool_free(struct lq_triton_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->server_count; i++) {
        if (i < pool->watching)
            pthread_join(pool->watchers[i].thread, NULL);
        lq_triton_probe_release(&pool->watchers[i].probe);
    }
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static int pool_new(struct lq_triton_pool **out, const struct lq_remote_options *options,
                    struct lq_error *err)
{
    const char *version = options->version ? options->version : "";
    if (options->url_count < 1)
        return lq_fail(err, LQ_ERR_ARGUMENT, "engine triton needs --triton-url http://HOST:PORT");
    if (!options->model || !lq_kserve_name_is_plain(options->model) ||
        strlen(options->model) >= LQ_TENSOR_NAME_MAX)
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "engine triton needs --triton-model NAME, of letters, digits, '_', '-', "
                       "'.'");
    struct lq_triton_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&pool->lock, NULL);
    snprintf(pool->model, sizeof pool->model, "%s", options->model);
    snprintf(pool->version, sizeof pool->version, "%s", version);
    int status = LQ_OK;
    if (strspn(version, "0123456789") != strlen(version) || strlen(version) >= sizeof pool->version)
        status = lq_fail(err, LQ_ERR_ARGUMENT, "'%.40s' is no version of a Triton model: a whole "
                         "number from 1 on", version);
    for (int i = 0; i < options->url_count && status == LQ_OK; i++)
        status = add_server(pool, options->urls[i], options->memory, err);
    if (status != LQ_OK) {
        pool_free(pool);
        return status;
    }
    *out = pool;
    return LQ_OK;
}

static bool is_for(const struct lq_triton_pool *pool, const struct lq_triton_pool *other)
{
    bool same = pool->server_count == other->server_count &&
                strcmp(pool->model, other->model) == 0 &&
                strcmp(pool->version, other->version) == 0;
    for (int i = 0; same && i < pool->server_count; i++)
        same = strcmp(pool->servers[i].url, other->servers[i].url) == 0 &&
               pool->servers[i].local == other->servers[i].local;
    return same;
}

// Returns after the first check of every server, so that the caller knows which are up.
static int begin(struct lq_triton_pool *pool, struct lq_error *err)
{
    for (int i = 0; i < pool->server_count; i++) {
        struct watcher *watcher = &pool->watchers[i];
        if (pthread_create(&watcher->thread, NULL, watch, watcher) != 0)
            return lq_fail(err, LQ_ERR_MEMORY, "cannot start a thread");
        pool->watching++;
    }
    pthread_mutex_lock(&pool->lock);
    while (pool->probed < pool->server_count)
        pthread_cond_wait(&pool->changed, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return LQ_OK;
}

int lq_triton_pool_open(struct lq_triton_pool **out, const struct lq_remote_options *options,
                        struct lq_error *err)
{
    struct lq_triton_pool *made = NULL;
    int status = pool_new(&made, options, err);
    if (status != LQ_OK)
        return status;
    pthread_mutex_lock(&pools_lock);
    struct lq_triton_pool *pool = pools;
    while (pool && !is_for(pool, made))
        pool = pool->next;
    if (pool) {
        pool_free(made);
    } else {
        status = begin(made, err);
        if (status == LQ_OK) {
            pool = made;
            pool->next = pools;
            pools = pool;
        } else {
            pool_free(made);
        }
    }
    if (status == LQ_OK) {
        pool->users++;
        *out = pool;
    }
    pthread_mutex_unlock(&pools_lock);
    return status;
}

struct lq_triton_pool *lq_triton_pool_share(struct lq_triton_pool *pool)
{
    pthread_mutex_lock(&pools_lock);
    pool->users++;
    pthread_mutex_unlock(&pools_lock);
    return pool;
}

void lq_triton_pool_close(struct lq_triton_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pools_lock);
    bool last = --pool->users == 0;
    if (last) {
        struct lq_triton_pool **link = &pools;
        while (*link != pool)
            link = &(*link)->next;
        *link = pool->next;
    }
    pthread_mutex_unlock(&pools_lock);
    if (last)
        pool_free(pool);
}

// ---- metrics

static int print_up(struct lq_buf *out, const struct lq_triton_server *server)
{
    return lq_buf_printf(out, "lacquer_triton_up{url=\"%s\"} %d\n", server->url, server->up);
}

static int print_requests(struct lq_buf *out, const struct lq_triton_server *server)
{
    return lq_buf_printf(out, "lacquer_triton_requests_total{url=\"%s\",result=\"ok\"} %llu\n"
                              "lacquer_triton_requests_total{url=\"%s\",result=\"failed\"} %llu\n",
                         server->url, (unsigned long long)server->answered, server->url,
                         (unsigned long long)server->failed);
}

// Prometheus wants all samples of a family in one block, over all servers. URLs need no escaping
// (triton_url.h).
static const struct family {
    const char *head;
    int (*print)(struct lq_buf *out, const struct lq_triton_server *server);
} families[] = {
    {"# HELP lacquer_triton_up Whether a Triton server is in: it is ready and has the model.\n"
     "# TYPE lacquer_triton_up gauge\n", print_up},
    {"# HELP lacquer_triton_requests_total Requests to a Triton server, by how they ended.\n"
     "# TYPE lacquer_triton_requests_total counter\n", print_requests},
};

static int print_servers(struct lq_triton_pool *pool, const struct family *family,
                         struct lq_buf *out)
{
    int status = LQ_OK;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->server_count && status == LQ_OK; i++)
        status = family->print(out, &pool->servers[i]);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

int lq_triton_pools_print(struct lq_buf *out)
{
    int status = LQ_OK;
    pthread_mutex_lock(&pools_lock);
    for (size_t i = 0; i < LQ_COUNT(families) && status == LQ_OK; i++) {
        status = lq_buf_printf(out, "%s", families[i].head);
        for (struct lq_triton_pool *pool = pools; pool && status == LQ_OK; pool = pool->next)
            status = print_servers(pool, &families[i], out);
    }
    pthread_mutex_unlock(&pools_lock);
    return status;
}
