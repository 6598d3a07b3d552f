// The Triton servers that may run a model: which of them is asked, which is left alone for now, and
// a thread for each that watches whether it is ready.
//
// A server is in or out. Whoever needs one gets the server with the fewest requests under way, of
// several the one that has answered soonest of late. One
// that fails goes out at once. Its watcher asks a server that is out, ten times a second, and one
// that is in every second, for /v2/health/ready and the model's own /ready; a server comes back
// when both say yes. One that says so and then fails again stays out for a while first, each time
// twice as long: a server that is ready in word only costs little. With every server out the engine
// above runs its spare.
//
// Threads: any; take and give hold a lock for a few instructions.
// Owner: pools are shared by the engines of one model; open, share and close count its users.
#pragma once

#include "engine/engine.h"

struct lq_triton_server {
    char url[LQ_REMOTE_URL_MAX]; // without a slash at its end
    bool local;                  // on this host: shared memory can be tried
    // guarded by the pool
    bool in;
    int in_flight;
    double latency_us;           // a request of late; 0: none yet
    int failures;                // since the last success: how long it stays out
    int missed;                  // health checks in a row while in
    int cut_short;               // requests in a row, while in
    uint64_t hold_until_us;      // it is not asked back before
    // Changes when the server went out and may have been restarted: what it was told is forgotten.
    unsigned epoch;
    bool refuses_memory;         // it does not take shared memory; asked again in another epoch
    char why[160];               // it went out, or never came in
    bool lacks_model;            // … which was that it does not offer the model
    uint64_t answered, failed;   // requests
};

struct lq_triton_pool;

// Finds or makes the pool for these servers and this model. ARGUMENT for a bad address or name.
LQ_MUST_CHECK int lq_triton_pool_open(struct lq_triton_pool **pool,
                                      const struct lq_remote_options *options,
                                      struct lq_error *err);
// One more user, who closes it too.
struct lq_triton_pool *lq_triton_pool_share(struct lq_triton_pool *pool);
void lq_triton_pool_close(struct lq_triton_pool *pool); // NULL is fine

// The least busy server that is in, other than `not_this`; NULL when there is none. Give it back.
struct lq_triton_server *lq_triton_pool_take(struct lq_triton_pool *pool,
                                             const struct lq_triton_server *not_this);
// status: how the request ended; anything but LQ_OK puts the server out.
void lq_triton_pool_give(struct lq_triton_pool *pool, struct lq_triton_server *server, int status,
                         const struct lq_error *why);
// How long a request that it answered took. Before it is given back.
void lq_triton_pool_latency(struct lq_triton_pool *pool, struct lq_triton_server *server,
                            uint64_t latency_us);
// Of a request whose frame grew too old before the server had its time: one says nothing about the
// server, but with eight in a row it is out too.
void lq_triton_pool_cut_short(struct lq_triton_pool *pool, struct lq_triton_server *server);

// Servers that are in.
int lq_triton_pool_count(struct lq_triton_pool *pool);
// A server's place among its pool's.
int lq_triton_pool_index(const struct lq_triton_pool *pool, const struct lq_triton_server *server);
// The server at that place while it is in, else NULL.
struct lq_triton_server *lq_triton_pool_server(struct lq_triton_pool *pool, int index);
// UNAVAILABLE, with the first server and why it is out; NOT_FOUND when that is for want of the
// model.
int lq_triton_pool_explain(struct lq_triton_pool *pool, struct lq_error *err);

// Counts how often it went out.
unsigned lq_triton_pool_epoch(struct lq_triton_pool *pool, const struct lq_triton_server *server);

// Where a server's shared memory stands: false when it does not take any; else its epoch.
bool lq_triton_pool_memory(struct lq_triton_pool *pool, const struct lq_triton_server *server,
                           unsigned *epoch);
// It refused; true for the first to be told, so that it is said once.
bool lq_triton_pool_refuse_memory(struct lq_triton_pool *pool, struct lq_triton_server *server);

// Every pool's servers for /metrics, as Prometheus text.
LQ_MUST_CHECK int lq_triton_pools_print(struct lq_buf *out);

// "URL/v2/models/NAME[/versions/V]TAIL" in `out`.
void lq_triton_pool_url(const struct lq_triton_pool *pool, const struct lq_triton_server *server,
                        const char *tail, char *out, size_t size);
