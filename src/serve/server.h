// The server's insides: its network, its sessions, and what each connection is doing. server.c
// starts and ends it; listen.c opens its listeners; http.c takes requests, live.c (/ws) and
// sio_socket.c WebSockets; admit.c says who is let in and whose frames are taken.
// Threads: all of this is the loop's; workers touch sessions only (session.h).
// Owner: serve.h says who opens and closes a server; the network owns requests and sockets, what
// they are doing belongs to whoever set their state.
#pragma once

#include "base/limits.h"
#include "net/http.h"
#include "net/ws.h"
#include "serve/guard/account.h"
#include "serve/guard/client.h"
#include "serve/sched/cost.h"
#include "serve/sched/load.h"
#include "serve/sched/metrics.h"
#include "serve/guard/address_limits.h"
#include "serve/serve.h"
#include "serve/guard/token.h"

enum {
    LQ_STALL_S = 10,                // a worker that comes to no next step for so long will not come
                                    // back; of a large picture for longer (lq_workers_stalled)
    LQ_IDLE_TRIM_S = 5,             // a session without frames gives its buffers back
    LQ_BUFFER_FIRST = 64 * 1024,    // room for what comes, at first; more as it comes
    // When told to stop: who has been quiet for a way there and back on a slow network is done, who
    // goes on sending is cut off a little later; what is still worked on or taken goes on to its
    // end, and when nothing has moved for a while, or in any case at last, the server stops.
    LQ_DRAIN_QUIET_MS = 300,
    LQ_DRAIN_TAKE_MS = 1000,
    LQ_DRAIN_MS = 5000,
};

struct lq_sio;
struct lq_live;
struct lq_request;

// What a listener's requests come with.
struct lq_entry {
    struct lq_server *server;
    bool admin; // for operators alone (--admin-port)
};

// Refused pages that were told of already, by what their Origin and Host hash to.
enum { LQ_ACCESS_TOLD_MAX = 8 };
struct lq_access_told {
    uint32_t pairs[LQ_ACCESS_TOLD_MAX];
    int count;
};

struct lq_server {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_metrics metrics;
    struct lq_load load;
    struct lq_cost cost;
    struct lq_account *account;    // of all that clients make the server hold
    struct lq_charge queued;       // … of that, what waits in sockets' queues
    struct lq_workers *workers;
    struct lq_net *net;
    struct lq_entry entry, admin_entry;
    struct lq_listener *listener, *admin_listener;
    struct ssl_ctx_st *ssl;        // with TLS: what new connections are made from
    struct lq_tokens tokens;
    struct lq_access_told refused;
    struct lq_peers peers;         // who has which sessions
    struct lq_peers callers;       // who has which connections
    int admin_callers;
    struct lq_request *requests;   // all that are under way
    struct lq_live *lives;         // every /ws connection
    struct lq_sio *sios;           // every Socket.IO session, connected or between polls
    int session_count;
    struct lq_session *sessions;   // all of them
    struct lq_buf refusal;         // the body of the network's own last refusal
    bool tls;
    struct lq_watch signals;
    uint64_t started_us;
    bool told_to_stop;             // /readyz says no; still serving for options->drain_delay_s
    uint64_t drain_from_us;        // 0: not draining; from then on no new connections
    uint64_t moved_us;             // while draining: when something last went on …
    uint64_t moved_bytes;          // … by the network's count
    bool all_stalled;              // no worker is left for live frames
    bool has_spare;                // idle sessions gave memory back since the last tick
    bool stop;
    struct lq_timer tick, drain_timer;
};

// Hands the filled slot over. Of a live session nothing more is taken while stopping, and one that
// sent nothing for a while is answered BUSY instead when its frames would slow down others, one
// that sends more than --max-fps RATE. A still that would wait for too long is answered BUSY, too.
void lq_server_post(struct lq_server *server, struct lq_session *session);
// Whether such a still may come to this session; else why not and in *retry_s when to come again.
struct lq_still {
    enum lq_turn_kind kind;
    uint64_t cost_us;
};
LQ_MUST_CHECK int lq_server_check_still(const struct lq_server *server, struct lq_session *session,
                                        const struct lq_still *still, int *retry_s,
                                        struct lq_error *why);

// A new session for the client of `http`, or NULL with the reason: BUSY when the server is full or
// draining, RATE when this address has all the sessions it may have.
struct lq_session *lq_server_admit(struct lq_server *server, const struct lq_http *http,
                                   enum lq_transport via, void *owner,
                                   void (*ready)(struct lq_session *session),
                                   struct lq_error *why);
void lq_server_dismiss(struct lq_server *server, enum lq_transport via,
                       struct lq_session *session);
// Whether a live client's frame may still be posted: false once it was cut off by a stop.
bool lq_server_takes_frames(const struct lq_server *server);
// Whether the server stops and this session has all that it will get.
bool lq_server_done_with(const struct lq_server *server, struct lq_session *session);

// Whether a live session had no frame for --idle-timeout.
bool lq_server_is_idle(const struct lq_server *server, struct lq_session *session,
                       uint64_t now_us);

// Once a second: counts anew which address has how many live sessions.
void lq_server_count_live(struct lq_server *server, uint64_t now_us);

// Once a second: has idle memory given back where clients hold too much.
void lq_server_weigh_frames(struct lq_server *server);

// Whether every worker hangs, so that nobody is served any more until a restart.
bool lq_server_is_stalled(const struct lq_server *server);

// Counts a posted frame, a sent reply.
void lq_server_count_in(struct lq_server *server, enum lq_transport via, size_t bytes);
void lq_server_count_out(struct lq_server *server, enum lq_transport via,
                         const struct lq_slot *slot);

// Where the next bytes go behind what is in `buf`, of `coming` that are known to come: room grows
// with what came, not with what is claimed. NULL: no memory, or beyond the buffer's maximum.
uint8_t *lq_server_room(struct lq_buf *buf, size_t coming, size_t *size);

// Sends the next part of the session's oldest finished frame, in a WebSocket's `writable`. False:
// there was no memory for an answer, and the connection must end.
LQ_MUST_CHECK bool lq_reply_send(struct lq_ws *ws, struct lq_session *session);
// Whether lq_reply_send has something to do.
bool lq_reply_waits(struct lq_session *session);
// That part was handed over (a WebSocket's `sent`).
void lq_reply_sent(struct lq_server *server, enum lq_transport via, struct lq_session *session);

// A WebSocket is asked for: upgrades it, or answers why not.
void lq_upgrade(struct lq_server *server, struct lq_http *http);
void lq_live_upgrade(struct lq_server *server, struct lq_http *http);
void lq_sio_upgrade(struct lq_server *server, struct lq_http *http);
// Answers with {"success": false, …}. headers: "name: value\r\n" lines, or NULL.
void lq_refuse(struct lq_server *server, struct lq_http *http, int code, const char *headers,
               const struct lq_error *error);
// Whether a request to /socket.io/ names a session: who was let in is given that name, a secret,
// and some clients send nothing else afterwards.
bool lq_sio_is_known(const struct lq_server *server, const struct lq_http *http);

// Sends away those whose session is marked as revoked.
void lq_live_end_revoked(struct lq_server *server);
void lq_sio_end_revoked(struct lq_server *server);

// Once a second: rate control, timeouts, memory of idle sessions.
void lq_live_tick(struct lq_server *server, uint64_t now_us);
void lq_sio_tick(struct lq_server *server, uint64_t now_us);
// The server stops: tells the clients, and later closes those who have all that they will get.
void lq_live_drain(struct lq_server *server);
void lq_live_end_done(struct lq_server *server);
void lq_sio_close_all(struct lq_server *server);

// What the network tells of requests (http.c).
extern const struct lq_http_handler lq_http_handler;

// Has the loop read the signals that are blocked (lq_serve_block_signals).
LQ_MUST_CHECK int lq_signals_watch(struct lq_server *server, struct lq_error *err);

// Reads certificate, key and tokens again (reload.c): all of them are changed or none. Sessions
// whose token is gone end.
void lq_server_reload(struct lq_server *server);

// Stopping without losing a reply (drain.c). Told a second time it stops at once. `wait`: say at
// /readyz first that no new users should come, and serve on for options->drain_delay_s.
void lq_drain_start(struct lq_server *server, bool wait);
bool lq_drain_is_over(struct lq_server *server);
