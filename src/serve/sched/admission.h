// Who is admitted, which frames are taken, and what they all hold: sessions by address, rate
// control by load, memory by account.
// Threads: the loop's, but for what its parts say of themselves (load.h, cost.h, account.h).
// Owner: the server holds the one struct; init/release. A session belongs to the connection that
// was admitted, until lq_admission_dismiss.
#pragma once

#include "net/http.h"
#include "serve/guard/access.h"
#include "serve/guard/account.h"
#include "serve/guard/address_limits.h"
#include "serve/sched/cost.h"
#include "serve/sched/load.h"
#include "serve/sched/metrics.h"
#include "serve/sched/session.h"

enum {
    // When told to stop: who has been quiet for a way there and back on a slow network is done, who
    // goes on sending is cut off a little later (drain.c).
    LQ_DRAIN_QUIET_MS = 300,
    LQ_DRAIN_TAKE_MS = 1000,
};

struct lq_admission {
    const struct lq_serve_options *options;
    const struct lq_access *access;
    struct lq_serve_metrics *metrics;
    struct lq_workers *workers;       // set when they run
    struct lq_load load;
    struct lq_cost cost;
    struct lq_account *account;       // of all that clients make the server hold
    struct lq_charge queued;          // … of that, what waits in sockets' queues
    struct lq_address_limits addresses; // who has which sessions
    struct lq_session *sessions;      // all of them
    int session_count;
    uint64_t drain_from_us;           // 0: not draining
    bool has_unused;                  // idle sessions gave memory back since the last tick
};

// False: no memory. Release is fine then, too.
LQ_MUST_CHECK bool lq_admission_init(struct lq_admission *admission,
                                     const struct lq_serve_options *options,
                                     const struct lq_access *access,
                                     struct lq_serve_metrics *metrics);
// After the last session and the workers have gone.
void lq_admission_release(struct lq_admission *admission);

// A new session for the client of `http`, or NULL with the reason: BUSY when the server is full or
// draining, RATE when this address has all the sessions it may have.
struct lq_session *lq_admission_admit(struct lq_admission *admission,
                                      const struct lq_http_request *http, enum lq_transport via,
                                      void *owner, void (*ready)(struct lq_session *session),
                                      struct lq_error *why);
// NULL is fine.
void lq_admission_dismiss(struct lq_admission *admission, enum lq_transport via,
                          struct lq_session *session);

// Hands the filled slot over. Of a live session nothing more is taken while stopping, and one that
// sent nothing for a while is answered BUSY instead when its frames would slow down others, one
// that sends more than --max-fps RATE. A still that would wait for too long is answered BUSY, too.
void lq_admission_post(struct lq_admission *admission, struct lq_session *session);
// Whether such a still may come to this session; else why not and in *retry_s when to come again.
struct lq_still {
    enum lq_turn_kind kind;
    uint64_t cost_us;
};
LQ_MUST_CHECK int lq_admission_check_still(const struct lq_admission *admission,
                                           struct lq_session *session,
                                           const struct lq_still *still, int *retry_s,
                                           struct lq_error *why);

// Whether a live client's frame may still be posted: false once it was cut off by a stop.
bool lq_admission_takes_frames(const struct lq_admission *admission);
// Whether the server stops and this session has all that it will get.
bool lq_admission_done_with(const struct lq_admission *admission, struct lq_session *session);
// Whether a live session had no frame for --idle-timeout.
bool lq_admission_is_idle(const struct lq_admission *admission, struct lq_session *session,
                          uint64_t now_us);

// Once a second: counts anew which address has how many live sessions.
void lq_admission_count_live(struct lq_admission *admission, uint64_t now_us);
// Once a second: has idle memory given back where clients hold too much; buffered: what the
// network keeps for connections.
void lq_admission_weigh(struct lq_admission *admission, size_t buffered);
// Of a live session, once a second: memory that it has not used of late goes back.
void lq_admission_trim(struct lq_admission *admission, struct lq_session *session,
                       uint64_t now_us);

// Counts a posted frame, a sent response.
void lq_admission_count_in(struct lq_admission *admission, enum lq_transport via, size_t bytes);
void lq_admission_count_out(struct lq_admission *admission, enum lq_transport via,
                            const struct lq_frame_slot *slot);
