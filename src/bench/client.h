// One user of a live server, as a page would be: sends frames one of three ways and times each
// reply by its frame id. Many of them are driven by one thread with poll().
// Threads: one. Owner: open/close by the caller; frames and the target outlive the client.
#pragma once

#include "bench/wire.h"

enum lq_client_way { LQ_CLIENT_HTTP, LQ_CLIENT_WS, LQ_CLIENT_SOCKETIO };

enum { LQ_CLIENT_IN_FLIGHT_MAX = 2, LQ_CLIENT_TIMEOUT_MS = 20000 };
// What a lacquer.v1 reply tells of its frame's time in the server: queue, decode, prepare, infer,
// nails, paint, encode, total.
enum { LQ_CLIENT_TIMES = 8 };

struct lq_client_target {
    struct lq_url url;
    enum lq_client_way way;
    const char *path; // of the HTTP endpoint or the WebSocket
    bool in_order;    // a reply settles older frames too: Lacquer replaced them by newer ones
    bool nails;       // ask for the nails instead of the picture (WebSocket)
    bool pace;        // ask to be told what to send, and keep to it (WebSocket)
};

// The same picture, ready for every way.
struct lq_client_frame {
    struct lq_buf jpeg;
    struct lq_buf base64;
};

struct lq_client_reply {
    double latency_ms; // from the frame's sending to its reply's last byte
    size_t len;        // of the picture, or of the nails
};

struct lq_client {
    const struct lq_client_target *target;
    char host[272]; // for the Host header
    int fd;
    struct lq_buf in, out, message; // message: a WebSocket message that came in pieces
    size_t in_done, out_done;
    struct lq_http_head head; // of the HTTP reply being read; size 0: none yet
    bool ready;               // hands are shaken
    enum lq_ws_opcode message_kind;
    uint32_t mask;
    uint32_t id; // of the frame last sent
    uint32_t binary_id; // Socket.IO: frame id of the picture about to arrive; 0: none
    struct {
        uint32_t id;
        uint64_t sent_us;
    } flight[LQ_CLIENT_IN_FLIGHT_MAX]; // oldest first
    int in_flight;
    uint64_t bytes; // both ways, protocol and all, since the connection was made
    long replaced; // frames the server gave up for newer ones
    long refused;  // frames answered BUSY
    uint64_t quiet_until_us; // told so, a client waits a while
    uint64_t times_us[LQ_CLIENT_TIMES]; // sums over …
    long timed;              // … so many replies
    long propagated;         // … of which this many had nails carried from the last frame
    double fps_told;         // what it may send; 0: at will
    void (*on_reply)(void *context, const struct lq_client_reply *reply);
    void *context;
};

// Whether it was told to come back later and that is not over.
bool lq_client_is_quiet(const struct lq_client *client, uint64_t now_us);

// Connects and shakes hands. On failure the client is closed.
LQ_MUST_CHECK int lq_client_open(struct lq_client *client, const struct lq_client_target *target,
                                 struct lq_error *err);
void lq_client_close(struct lq_client *client); // a zeroed or closed one is fine

// Frames that may be on their way at once.
int lq_client_in_flight_max(const struct lq_client *client);

LQ_MUST_CHECK int lq_client_send(struct lq_client *client, const struct lq_client_frame *frame,
                                 struct lq_error *err);

// What poll() shall wait for, and what to do when it came. Calls on_reply for each reply.
short lq_client_events(const struct lq_client *client);
LQ_MUST_CHECK int lq_client_pump(struct lq_client *client, short events, struct lq_error *err);

// One GET, start to end, for readiness. *status is the HTTP status.
LQ_MUST_CHECK int lq_client_get(const struct lq_url *url, const char *path, int *status,
                                struct lq_error *err);
