// Sessions, their frames, and the workers that paint them.
//
// A frame's life: the loop fills a slot and submits it; a worker takes it, processes it without a
// lock, and puts it on the done list; the loop sends the reply, and the slot is free again. A
// session waits for its turn (turns.h) while it has a waiting frame and fewer than LQ_IN_FLIGHT_MAX
// are being processed or sent. Replies are sent in the order in which frames were taken.
//
// The newest frame wins: a client with at most LQ_IN_FLIGHT_MAX unanswered frames gets a reply to
// each. Of frames beyond that, one waits, and a newer one replaces all that wait. While other
// sessions' frames wait too, a lacquer.v1 frame replaces a frame of its session that has waited for
// a while: otherwise each session would have two frames waiting, and every reply would be late by a
// round of all sessions.
//
// Threads: everything is the loop's, except that a worker owns the slot it took (state WORKING),
// and fields marked "lock" are guarded by the workers' only mutex, held for a few instructions.
// Owner: the loop opens and closes sessions. A session closed while a worker holds one of its slots
// lives on until that slot comes back.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/trace.h"
#include "frame/frame.h"
#include "serve/guard/account.h"
#include "serve/sched/load.h"
#include "serve/guard/token.h"
#include "serve/sched/turns.h"

enum {
    LQ_SLOTS = LQ_IN_FLIGHT_MAX + 2, // one filling, one waiting, the others in flight
    LQ_REPLY_HEAD = 128,             // before a reply's picture: for socket framing and the v1
                                     // header
    LQ_PARTS_MAX = 4,
    LQ_OVERTAKEN_US = 15000,         // a frame that waited this long is replaced when a newer one
                                     // arrives
    LQ_STALL_S = 10,                 // a worker that makes no progress for this long is considered
                                     // stuck; longer for a large picture (lq_workers_stalled)
    LQ_STALL_PIXELS = 4000000,       // a step may take that time again for each so many pixels
};

// DONE is still on the done list; READY has been collected from it and may be sent.
enum lq_slot_state { LQ_SLOT_FREE, LQ_SLOT_FILLING, LQ_SLOT_WAITING, LQ_SLOT_WORKING,
                     LQ_SLOT_DONE, LQ_SLOT_READY };

// How the picture is contained in the body.
enum lq_body_form { LQ_BODY_PICTURE, LQ_BODY_JSON, LQ_BODY_URLENCODED, LQ_BODY_MULTIPART,
                    LQ_BODY_TEXT, // JSON, a form or a picture as text: recognised by its beginning
                    LQ_BODY_EVENT };

// The requested form of the reply.
enum lq_reply_form { LQ_REPLY_PICTURE, LQ_REPLY_V1, LQ_REPLY_V1_NAILS, LQ_REPLY_JSON,
                     LQ_REPLY_NAILS, LQ_REPLY_EVENT };

struct lq_frame_request {
    enum lq_body_form body_form;
    enum lq_reply_form reply_form;
    struct lq_look look;
    const struct lq_catalogue *catalogue; // for named looks; NULL: none
    int jpeg_quality;
    bool live;                // over a WebSocket: errors are messages, not HTTP bodies
    size_t picture_at;        // position of the picture's bytes or the event's JSON in the body
    bool multi_scale;         // HTTP, "multiscale": additional passes on enlarged parts
    bool smooth;              // smooth outlines, if the session has a tracker
    uint32_t frame_id;        // v1
    uint64_t client_time;     // v1
    char boundary[72];        // multipart
    long long ack;            // Socket.IO: id of the requested acknowledgement, or -1
    bool has_attachment;      // Socket.IO: the picture was sent as binary
    bool attachment_base64;   // … as base64 text, over long polling
    bool typed_binary;        // … and is returned as in Engine.IO 3, after a byte 4
};

// Whether the reply begins with a lacquer.v1 header.
static inline bool lq_frame_request_is_v1(const struct lq_frame_request *request)
{
    return request->reply_form == LQ_REPLY_V1 || request->reply_form == LQ_REPLY_V1_NAILS;
}

// A part of a reply that is sent as one message.
struct lq_part {
    bool picture;  // binary data in `picture`, else text in `message`
    size_t at, len;
};

struct lq_thread; // a worker's

struct lq_frame_slot {
    struct lq_session *session;
    struct lq_frame_slot *next_done;   // lock
    enum lq_slot_state state;    // lock
    enum lq_turn_kind turn_kind; // lock while it waits: its queue …
    uint64_t cost_us;            // … and its estimated cost (cost.h)
    struct lq_turn_taken taken;  // lock
    struct lq_thread *thread;    // that processes it
    struct lq_charge held;       // for its buffers
    struct lq_charge decoded;    // for the picture being processed
    // request
    struct lq_frame_request request;
    struct lq_buf body;
    struct lq_buf attachment;
    uint64_t pixels;             // approximate; determines how long a step may take
    uint64_t arrived_us;         // when the last byte arrived
    uint64_t stale_us;           // a live frame that waited longer is dropped
    bool exclusive;              // no other frame waited or was being processed when it was taken
    bool contended;              // other sessions' live frames waited, and none of its own session
                                 // was being processed
    // response
    bool again;                  // no response: it turned out to be heavy, and waits again
    int status;                  // enum lq_status
    int retry_s;                 // after a refusal: when to retry; 0: not stated
    struct lq_error error;
    struct lq_buf picture;       // encoded reply (v1: or the nails), after LQ_REPLY_HEAD bytes
    struct lq_buf message;       // text of the reply, each part after LQ_REPLY_HEAD bytes
    struct lq_part parts[LQ_PARTS_MAX];
    int part_count, part_next;
    enum lq_picture_kind kind;
    int width, height, nails;
    bool propagated;             // frame.h
    uint32_t stage_us[LQ_STAGE_COUNT], total_us, queue_us;
};

struct lq_workers;

struct lq_session {
    struct lq_workers *workers;
    void (*ready)(struct lq_session *session); // called by the loop: lq_session_reply has a reply
    void *owner;
    struct lq_tracker *tracker;                // of a live session, else NULL; used by any worker
    struct lq_surround_memory *surround;       // the same
    struct lq_frame_slot slots[LQ_SLOTS];
    struct lq_frame_slot *filling;
    uint32_t replaced;                         // number of frames replaced by a newer one …
    // … and how many of them the server's counters include
    uint32_t replaced_counted;
    bool trimmed;                              // since the last post
    // time of the last submitted frame, initially of opening
    uint64_t used_us;
    struct lq_load_client load_client;         // load.h's
    // when its frames so far were due at the maximum rate
    uint64_t rate_due_us;
    struct lq_address address;                 // of its client
    struct lq_holder *holder;                  // account.h's; may be NULL
    uint8_t token[LQ_TOKEN_DIGEST_BYTES];      // the digest of its client's token …
    bool has_token;                            // … if any
    // that token was removed: the session is about to end
    bool revoked;
    struct lq_session *next, **link;           // in the server's list
    struct lq_trace trace;                     // the client's trace; set before the first frame
    struct lq_frame_slot *waiting[LQ_IN_FLIGHT_MAX]; // lock; oldest first
    int waiting_count;                         // lock
    struct lq_frame_slot *flight[LQ_IN_FLIGHT_MAX];  // lock; oldest first
    int flight_count;                          // lock
    int held;                                  // lock: slots with workers or on the done list
    struct lq_turn turn;                       // lock
    bool closed;                               // lock
};

// What a worker thread does. run cannot fail: errors go to the slot's status. In a long job it
// calls lq_workers_step between steps. heavy: the thread only processes heavy stills.
struct lq_work {
    int (*open)(void *context, bool heavy, void **worker, struct lq_error *err);
    void (*run)(void *worker, struct lq_frame_slot *slot);
    void (*close)(void *worker);
    void *context;
    // called by the loop: writes the response for a frame that no worker sees, from its status and
    // error
    void (*refuse)(struct lq_frame_slot *slot);
};

// Starts `count` threads, plus some for heavy stills (turns.h). Workers call wake(wake_context)
// when the done list was empty.
LQ_MUST_CHECK int lq_workers_start(struct lq_workers **workers, const struct lq_work *work,
                                   int count, void (*wake)(void *context), void *wake_context,
                                   struct lq_error *err);
// Lets each worker finish its frame, then joins all; no more frames are taken.
void lq_workers_stop(struct lq_workers *workers);
// Stops the workers if needed. Call it after every session was closed. workers may be NULL.
void lq_workers_free(struct lq_workers *workers);
// Handles every finished frame: calls ready, and frees sessions that were closed meanwhile.
void lq_workers_collect(struct lq_workers *workers);
// Number of sessions whose next live frame waits for a worker.
int lq_workers_waiting(struct lq_workers *workers);
// Sets whether a live session is active: light stills then leave it a worker.
void lq_workers_set_live(struct lq_workers *workers, bool someone);
// Called by the worker between steps of this slot's job, to report progress. Returns whether the
// job is a still while a live session is active, so it must leave cores for it.
bool lq_workers_step(struct lq_frame_slot *slot);
// Frames in flight.
struct lq_workers_state {
    int waiting, working;  // frames that can be processed, and those being processed
    uint64_t oldest_us;    // when the oldest waiting frame arrived; 0: none waits
};
struct lq_workers_state lq_workers_state(struct lq_workers *workers);
// Counts workers that have not reached the next step of their frame for longer than limit_us, plus
// the same time again for every LQ_STALL_PIXELS of the picture: something below them hangs.
struct lq_workers_stalled {
    int count;
    bool all; // none is left for live frames
};
struct lq_workers_stalled lq_workers_stalled(struct lq_workers *workers, uint64_t now_us,
                                             uint64_t limit_us);
// Treats the session's frames as one video from now on: nails keep their ids. False: out of memory.
LQ_MUST_CHECK bool lq_session_track(struct lq_session *session);
// Opens a session of a client at this address. holder: what the session holds is charged to it;
// takes over the caller's reference; may be NULL. Returns NULL if out of memory; the caller then
// keeps the reference.
struct lq_session *lq_session_open(struct lq_workers *workers, const struct lq_address *address,
                                   struct lq_holder *holder, void *owner,
                                   void (*ready)(struct lq_session *session));
// Discards waiting frames; nothing of this session is sent any more. session may be NULL.
void lq_session_close(struct lq_session *session);

// The slot being filled; a new, empty one after each submission.
struct lq_frame_slot *lq_session_fill(struct lq_session *session);
// Whether the slot may hold this many more bytes; if so, they are charged.
bool lq_session_hold(struct lq_session *session, size_t bytes);
// Submits the filled slot, whose kind and cost are set.
void lq_session_post(struct lq_session *session);
// Submits a filled slot that already holds its response: it bypasses the workers and replaces
// waiting frames. It counts as replaced itself if the maximum is in flight.
void lq_session_answer(struct lq_session *session);
// Refuses the filled slot: the workers' `refuse` writes its response, which is sent as above.
void lq_session_refuse(struct lq_session *session);
// Whether a session may submit another frame at `now_us`, at most `fps_max` a second in any second
// and on average; if so, counts it.
bool lq_session_check_rate(struct lq_session *session, uint64_t now_us, int fps_max);
// Discards the contents of the filled slot.
void lq_session_drop(struct lq_session *session);
// The oldest frame in flight if it is finished, else NULL. Valid until lq_session_release.
struct lq_frame_slot *lq_session_reply(struct lq_session *session);
void lq_session_release(struct lq_session *session);
// The number of stills of its address that wait or are being processed, and the expected wait of
// another one of this kind and cost.
struct lq_session_stills {
    int count;
    uint64_t expected_us;
};
struct lq_session_stills lq_session_stills(struct lq_session *session, enum lq_turn_kind kind,
                                           uint64_t cost_us);
// Frees the memory that free slots keep for later frames.
void lq_session_release_unused(struct lq_session *session);
// Whether any frame waits, is being processed or is still to be sent.
bool lq_session_busy(struct lq_session *session);
// Frees the memory of free slots and of the tracker if no frame has arrived for idle_us. True once
// after each such pause, because memory may have been freed.
bool lq_session_trim(struct lq_session *session, uint64_t now_us, uint64_t idle_us);
