// Decides who is admitted and which frames are accepted, and tracks what they hold: sessions per
// address, rate control by load, memory by account.
// Threads: the loop's, except where its parts say otherwise (load.h, cost.h, account.h).
// Owner: the server holds the only struct; init/release. A session belongs to the connection that
// was admitted, until lq_admission_dismiss.
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
    // When the server stops: a session that was quiet for one round trip on a slow network is
    // finished; one that keeps sending is cut off a little later (drain.c).
    LQ_DRAIN_QUIET_MS = 300,
    LQ_DRAIN_TAKE_MS = 1000,
};

struct lq_admission {
    const struct lq_serve_options *options;
    const struct lq_access *access;
    struct lq_serve_metrics *metrics;
    struct lq_workers *workers;       // set once they run
    struct lq_load load;
    struct lq_cost cost;
    struct lq_account *account;       // all memory that clients make the server hold
    struct lq_charge queued;          // … and the part of it in sockets' queues
    struct lq_address_limits addresses; // sessions per address
    struct lq_session *sessions;      // list of all sessions
    int session_count;
    uint64_t drain_from_us;           // 0: not draining
    bool has_unused;                  // idle sessions freed memory since the last tick
};

// False: out of memory. Call release in any case.
LQ_MUST_CHECK bool lq_admission_init(struct lq_admission *admission,
                                     const struct lq_serve_options *options,
                                     const struct lq_access *access,
                                     struct lq_serve_metrics *metrics);
// Call it after the last session and the workers have gone.
void lq_admission_release(struct lq_admission *admission);

// Creates a session for the client of `http`, or returns NULL with the reason. BUSY: the server is
// full or draining. RATE: this address has its maximum of sessions.
struct lq_session *lq_admission_admit(struct lq_admission *admission,
                                      const struct lq_http_request *http, enum lq_transport via,
                                      void *owner, void (*ready)(struct lq_session *session),
                                      struct lq_error *why);
// session may be NULL.
void lq_admission_dismiss(struct lq_admission *admission, enum lq_transport via,
                          struct lq_session *session);

// Submits the filled slot. A frame of a live session is refused while the server stops; with BUSY
// if the session has not sent for a while and its frames would slow down others; with RATE above
// --max-fps. A still that would wait too long is refused with BUSY.
void lq_admission_post(struct lq_admission *admission, struct lq_session *session);
// Whether this session may submit such a still; if not, sets the reason, and *retry_s to when to
// retry.
struct lq_still {
    enum lq_turn_kind kind;
    uint64_t cost_us;
};
LQ_MUST_CHECK int lq_admission_check_still(const struct lq_admission *admission,
                                           struct lq_session *session,
                                           const struct lq_still *still, int *retry_s,
                                           struct lq_error *why);

// Whether a live client may still submit frames: false once a stop cut it off.
bool lq_admission_takes_frames(const struct lq_admission *admission);
// Whether the server is stopping and this session has received all its replies.
bool lq_admission_done_with(const struct lq_admission *admission, struct lq_session *session);
// Whether a live session has had no frame for --idle-timeout.
bool lq_admission_is_idle(const struct lq_admission *admission, struct lq_session *session,
                          uint64_t now_us);

// Called once a second: recounts the live sessions of each address.
void lq_admission_count_live(struct lq_admission *admission, uint64_t now_us);
// Called once a second: frees idle memory if clients hold too much. buffered: what the network
// holds for connections.
void lq_admission_weigh(struct lq_admission *admission, size_t buffered);
// Called once a second for a live session: frees memory that it has not used recently.
void lq_admission_trim(struct lq_admission *admission, struct lq_session *session,
                       uint64_t now_us);

// Count a submitted frame, and a sent response.
void lq_admission_count_in(struct lq_admission *admission, enum lq_transport via, size_t bytes);
void lq_admission_count_out(struct lq_admission *admission, enum lq_transport via,
                            const struct lq_frame_slot *slot);
