// Sessions, their frames, and the workers that paint them.
//
// A frame's life: the loop fills a slot and posts it; a worker takes it, works on it without any
// lock, and puts it on the done list; the loop sends the reply and the slot is free again. A
// session waits for its turn (turns.h) while a frame waits and fewer than LQ_IN_FLIGHT_MAX are
// being worked on or sent. Replies come out in the order in which frames were taken.
//
// The newest wins: who keeps to LQ_IN_FLIGHT_MAX unanswered frames has each of them answered; of
// whatever is sent beyond that one frame waits, and a newer one takes the place of all that wait.
// While other sessions' frames wait too, a lacquer.v1 frame takes the place of one of its session
// that has waited for a while already: else each session had two frames waiting, and every reply
// would be a turn of all sessions late.
//
// Threads: everything is the loop's, except that a worker owns the slot it took (state WORKING) and
// what is marked "lock" is guarded by the workers' one mutex, held for a few instructions.
// Owner: the loop opens and closes sessions; a session closed while a worker holds one of its slots
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
    LQ_REPLY_HEAD = 128,             // bytes before a reply's picture: socket framing and v1 header
    LQ_PARTS_MAX = 4,
    LQ_OVERTAKEN_US = 15000,         // who waited so long when a newer frame comes is out of date
    LQ_STALL_S = 10,                 // a worker that comes to no next step for so long will not
                                     // come back; of a large picture for longer
                                     // (lq_workers_stalled)
    LQ_STALL_PIXELS = 4000000,       // for which a step may take as long again
};

// DONE is still on the done list; READY has been collected from it and may be sent.
enum lq_slot_state { LQ_SLOT_FREE, LQ_SLOT_FILLING, LQ_SLOT_WAITING, LQ_SLOT_WORKING,
                     LQ_SLOT_DONE, LQ_SLOT_READY };

// How the picture lies in what came.
enum lq_body_form { LQ_BODY_PICTURE, LQ_BODY_JSON, LQ_BODY_URLENCODED, LQ_BODY_MULTIPART,
                    LQ_BODY_TEXT, // JSON, a form or a picture's text: its beginning says which
                    LQ_BODY_EVENT };

// How the answer is wanted.
enum lq_reply_form { LQ_REPLY_PICTURE, LQ_REPLY_V1, LQ_REPLY_V1_NAILS, LQ_REPLY_JSON,
                     LQ_REPLY_NAILS, LQ_REPLY_EVENT };

struct lq_frame_request {
    enum lq_body_form body_form;
    enum lq_reply_form reply_form;
    struct lq_look look;
    const struct lq_catalogue *catalogue; // where named looks are found; NULL: nowhere
    int jpeg_quality;
    bool live;                // over a WebSocket: errors are messages, not HTTP bodies
    size_t picture_at;        // where the picture's bytes or the event's JSON start in the body
    bool multi_scale;         // HTTP, "multiscale": more passes on enlarged parts
    bool smooth;              // steady outlines, where the session has a tracker
    uint32_t frame_id;        // v1
    uint64_t client_time;     // v1
    char boundary[72];        // multipart
    long long ack;            // Socket.IO: the acknowledgement asked for, or -1
    bool has_attachment;      // Socket.IO: the picture came as binary
    bool attachment_base64;   // … in text, over long polling
    bool typed_binary;        // … and goes back as Engine.IO 3 has it, after a byte 4
};

// Whether a lacquer.v1 header goes before the reply.
static inline bool lq_frame_request_is_v1(const struct lq_frame_request *ask)
{
    return ask->reply_form == LQ_REPLY_V1 || ask->reply_form == LQ_REPLY_V1_NAILS;
}

// A piece of a reply that goes out as one message.
struct lq_part {
    bool picture;  // binary from `picture`, else text from `message`
    size_t at, len;
};

struct lq_thread; // a worker's

struct lq_frame_slot {
    struct lq_session *session;
    struct lq_frame_slot *next_done;   // lock
    enum lq_slot_state state;    // lock
    enum lq_turn_kind turn_kind; // lock while it waits: which turn it has …
    uint64_t cost_us;            // … and what it will cost about (cost.h)
    struct lq_turn_taken taken;  // lock
    struct lq_thread *thread;    // that works on it
    struct lq_charge held;       // for its buffers
    struct lq_charge decoded;    // for the picture that is worked on
    // asked
    struct lq_frame_request request;
    struct lq_buf body;
    struct lq_buf attachment;
    uint64_t pixels;             // about, for how long a step may take
    uint64_t arrived_us;         // the last byte's arrival
    uint64_t stale_us;           // a live frame that waited longer is dropped
    bool exclusive;              // no other frame waited or was worked on when it was taken
    bool contended;              // others' live frames waited, none of its session was worked on
    // answered
    bool again;                  // not answered: it turned out to be heavy, and waits anew
    int status;                  // enum lq_status
    int retry_s;                 // refused: when to come again; 0: not said
    struct lq_error error;
    struct lq_buf picture;       // encoded reply (v1: or the nails'), after LQ_REPLY_HEAD bytes
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
    void (*ready)(struct lq_session *session); // on the loop: lq_session_reply has something
    void *owner;
    struct lq_tracker *tracker;                // of a live session, else NULL; any worker
    struct lq_surround_memory *surround;       // the same
    struct lq_frame_slot slots[LQ_SLOTS];
    struct lq_frame_slot *filling;
    uint32_t replaced;                         // frames that a newer one took the place of …
    uint32_t replaced_counted;                 // … and of these in the server's counters
    bool trimmed;                              // since the last post
    uint64_t used_us;                          // last time a frame was posted, at first the opening
    struct lq_load_client load_client;         // load.h's
    uint64_t rate_due_us;                      // when its frames so far were due at the allowed
                                               // rate
    struct lq_address address;                 // of its client
    struct lq_holder *holder;                  // account.h's; may be NULL
    uint8_t token[LQ_TOKEN_DIGEST_BYTES];      // that its client came with …
    bool has_token;                            // … if any
    bool revoked;                              // that is gone: the session is about to end
    struct lq_session *next, **link;           // of the server's list
    struct lq_trace trace;                     // that its client follows; set before the first post
    struct lq_frame_slot *waiting[LQ_IN_FLIGHT_MAX]; // lock; oldest first
    int waiting_count;                         // lock
    struct lq_frame_slot *flight[LQ_IN_FLIGHT_MAX];  // lock; oldest first
    int flight_count;                          // lock
    int held;                                  // lock: slots with workers or on the done list
    struct lq_turn turn;                       // lock
    bool closed;                               // lock
};

// What a worker thread does. run may not fail: what went wrong is the slot's status. While it is at
// a long one it calls lq_workers_step between steps. heavy: the thread is for heavy stills alone.
struct lq_work {
    int (*open)(void *context, bool heavy, void **worker, struct lq_error *err);
    void (*run)(void *worker, struct lq_frame_slot *slot);
    void (*close)(void *worker);
    void *context;
    void (*refuse)(struct lq_frame_slot *slot); // by the loop: writes the response to one that no
                                                // worker sees, whose status and error are set
};

// Starts `count` threads, and some more for heavy stills (turns.h). wake(wake_context) is called
// from workers when the done list was empty.
LQ_MUST_CHECK int lq_workers_start(struct lq_workers **workers, const struct lq_work *work,
                                   int count, void (*wake)(void *context), void *wake_context,
                                   struct lq_error *err);
// Lets each worker finish its frame, then joins all; nothing is taken from then on.
void lq_workers_stop(struct lq_workers *workers);
// Stops if need be. After every session was closed. NULL is fine.
void lq_workers_free(struct lq_workers *workers);
// Deals with every finished frame: calls ready, frees sessions that were closed meanwhile.
void lq_workers_collect(struct lq_workers *workers);
// Sessions whose next live frame waits for a worker.
int lq_workers_waiting(struct lq_workers *workers);
// Whether a live session is in: light stills leave it a worker then.
void lq_workers_set_live(struct lq_workers *workers, bool someone);
// Amid the work on this slot, by the worker: it gets on. Returns whether it is a still while a live
// session is in, for which cores must be left.
bool lq_workers_step(struct lq_frame_slot *slot);
// What is in flight just now.
struct lq_workers_state {
    int waiting, working;  // frames that could be worked on, and those that are
    uint64_t oldest_us;    // when the oldest of those waiting came; 0: none waits
};
struct lq_workers_state lq_workers_state(struct lq_workers *workers);
// Workers that have not come from one step of a frame to the next for longer than limit_us, and as
// much again for every LQ_STALL_PIXELS of the picture: something below them hangs.
struct lq_workers_stalled {
    int count;
    bool all; // none is left for live frames
};
struct lq_workers_stalled lq_workers_stalled(struct lq_workers *workers, uint64_t now_us,
                                             uint64_t limit_us);
// Its frames are those of one stream from now on: nails keep their ids. No memory: false.
LQ_MUST_CHECK bool lq_session_track(struct lq_session *session);
// Of a client at this address, who holds what the session does; holder: with the caller's
// reference, or NULL. NULL when there is no memory: the reference stays the caller's then.
struct lq_session *lq_session_open(struct lq_workers *workers, const struct lq_address *address,
                                   struct lq_holder *holder, void *owner,
                                   void (*ready)(struct lq_session *session));
// Forgets what waits; nothing of this session is sent any more. NULL is fine.
void lq_session_close(struct lq_session *session);

// The slot that is being filled; a new empty one after each post.
struct lq_frame_slot *lq_session_fill(struct lq_session *session);
// Whether the slot may take so many bytes more; they are charged then.
bool lq_session_hold(struct lq_session *session, size_t bytes);
// Hands the filled slot over, which has its kind and cost.
void lq_session_post(struct lq_session *session);
// The filled slot holds its answer already: no worker sees it, and it replaces what waits. Counted
// as replaced itself when as many as may be are in flight.
void lq_session_answer(struct lq_session *session);
// The filled slot is refused: `refuse` of the workers writes its answer, which goes as above.
void lq_session_refuse(struct lq_session *session);
// Whether a session may post one more frame at `now_us`, at most `fps_max` a second in any second
// and on average; counts it then.
bool lq_session_check_rate(struct lq_session *session, uint64_t now_us, int fps_max);
// Throws the filled slot's contents away.
void lq_session_drop(struct lq_session *session);
// The oldest frame in flight if it is finished, else NULL. Stays until lq_session_release.
struct lq_frame_slot *lq_session_reply(struct lq_session *session);
void lq_session_release(struct lq_session *session);
// Stills of its address that wait or are worked on, and how long one of this kind and cost would
// wait now.
struct lq_session_stills {
    int count;
    uint64_t expected_us;
};
struct lq_session_stills lq_session_stills(struct lq_session *session, enum lq_turn_kind kind,
                                           uint64_t cost_us);
// Gives back what free slots keep for the next frames.
void lq_session_release_unused(struct lq_session *session);
// Whether anything waits, is worked on or is still to be sent.
bool lq_session_busy(struct lq_session *session);
// Gives back the memory of free slots and of the tracker when no frame has come for idle_us.
// True once after each such pause: something may have become free.
bool lq_session_trim(struct lq_session *session, uint64_t now_us, uint64_t idle_us);
