// The Triton servers that may run a model: which one gets the next request, which are left out for
// now, and a thread per server that checks whether it is ready.
//
// A server is up or down. A request goes to the server with the fewest requests in flight;
// among equals, to the one with the lowest recent latency. A server that fails is marked down at
// once. Its watcher checks /v2/health/ready and the model's own /ready: ten times a second while
// the server is down, once a second while it is up. A server is marked up when both succeed. One
// that is ready but then fails again stays down for a while first, twice as long each time, so a
// server that wrongly reports ready costs little. When all servers are down, the engine above uses
// its fallback.
//
// Threads: any; take and give hold a lock for a few instructions.
// Owner: the engines of one model share a pool; open, share and close count its users.
#pragma once

#include "engine/engine.h"

struct lq_triton_server {
    char url[LQ_REMOTE_URL_MAX]; // without a slash at its end
    bool local;                  // on this host: shared memory can be tried
    // guarded by the pool's lock
    bool up;
    int in_flight;
    double latency_us;           // recent latency of a request; 0: none yet
    int failures;                // since the last success; determines how long it stays down
    int missed;                  // failed health checks in a row while up
    int cut_short;               // requests in a row while up (lq_triton_pool_cut_short)
    uint64_t hold_until_us;      // it is not marked up before
    // Changes when the server was down and may have been restarted; what was registered with it is
    // then void.
    unsigned epoch;
    bool refuses_memory;         // it refused shared memory; tried again in the next epoch
    char why[160];               // reason it is down
    bool lacks_model;            // … namely that it does not offer the model
    uint64_t answered, failed;   // requests
};

struct lq_triton_pool;

// Finds or creates the pool for these servers and this model. ARGUMENT: bad address or name.
LQ_MUST_CHECK int lq_triton_pool_open(struct lq_triton_pool **pool,
                                      const struct lq_remote_options *options,
                                      struct lq_error *err);
// Adds a user, who must also call close.
struct lq_triton_pool *lq_triton_pool_share(struct lq_triton_pool *pool);
void lq_triton_pool_close(struct lq_triton_pool *pool); // pool may be NULL

// The least busy server that is up, except `not_this`; NULL if there is none. Return it with give.
struct lq_triton_server *lq_triton_pool_take(struct lq_triton_pool *pool,
                                             const struct lq_triton_server *not_this);
// Returns a server. status: how the request ended; anything but LQ_OK marks the server down.
void lq_triton_pool_give(struct lq_triton_pool *pool, struct lq_triton_server *server, int status,
                         const struct lq_error *why);
// Reports how long a successful request took. Call it before give.
void lq_triton_pool_latency(struct lq_triton_pool *pool, struct lq_triton_server *server,
                            uint64_t latency_us);
// Reports a request whose frame expired before the server had its full time. One such request says
// nothing about the server; eight in a row mark it down.
void lq_triton_pool_cut_short(struct lq_triton_pool *pool, struct lq_triton_server *server);

// Number of servers that are up.
int lq_triton_pool_count(struct lq_triton_pool *pool);
// A server's index in its pool.
int lq_triton_pool_index(const struct lq_triton_pool *pool, const struct lq_triton_server *server);
// The server at that index if it is up, else NULL.
struct lq_triton_server *lq_triton_pool_server(struct lq_triton_pool *pool, int index);
// Fails with UNAVAILABLE and why the first server is down; with NOT_FOUND if it lacks the model.
int lq_triton_pool_explain(struct lq_triton_pool *pool, struct lq_error *err);

// Counts how often the server was marked down.
unsigned lq_triton_pool_epoch(struct lq_triton_pool *pool, const struct lq_triton_server *server);

// Whether the server accepts shared memory; if so, also its epoch.
bool lq_triton_pool_memory(struct lq_triton_pool *pool, const struct lq_triton_server *server,
                           unsigned *epoch);
// Records that the server refused shared memory. True for the first caller, so it is logged once.
bool lq_triton_pool_refuse_memory(struct lq_triton_pool *pool, struct lq_triton_server *server);

// Appends the state of every pool's servers for /metrics, as Prometheus text.
LQ_MUST_CHECK int lq_triton_pools_print(struct lq_buf *out);

// Writes "URL/v2/models/NAME[/versions/V]TAIL" to `out`.
void lq_triton_pool_url(const struct lq_triton_pool *pool, const struct lq_triton_server *server,
                        const char *tail, char *out, size_t size);
