// Users of a live server, as pages would be: each sends frames one of three ways and times each
// reply by its frame id. A set of them is driven by one thread; libcurl connects, speaks HTTP and
// waits, net/ws_frame.h has the WebSocket's frames.
// Threads: one. Owner: open/close by the caller; frames, the target and the set outlive a client.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "bench/url.h"

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
    struct lq_buf json; // the body of an HTTP request
};

struct lq_client_reply {
    double latency_ms; // from the frame's sending to its reply's last byte
    size_t len;        // of the picture, or of the nails
};

struct lq_client {
    const struct lq_client_target *target;
    struct lq_client_set *set; // NULL: not open
    void *curl;     // libcurl's: a connection (WebSocket), or what its requests share (HTTP) …
    void *headers;  // … and the headers that these have
    int fd;         // of the WebSocket
    struct lq_buf in, out, message; // message: a WebSocket message that came in pieces
    size_t in_done, out_done;
    bool upgraded;  // the server has become a WebSocket
    bool ready;     // frames may be sent
    uint8_t message_kind; // its opcode; 0: none has begun
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

// Clients that one thread drives together.
struct lq_client_set {
    struct lq_client **clients;
    int count, max;
    void *multi; // libcurl's: the HTTP requests on their way
    void *waits; // the WebSockets', for it to wait for
};

LQ_MUST_CHECK int lq_client_set_init(struct lq_client_set *set, int clients_max,
                                     struct lq_error *err);
void lq_client_set_release(struct lq_client_set *set); // its clients are closed; zeroed is fine

// Waits until something came for a client, at most wait_ms; reads it, and goes on sending. Calls
// on_reply for each reply. The first failure of any client ends it.
LQ_MUST_CHECK int lq_client_set_turn(struct lq_client_set *set, int wait_ms, struct lq_error *err);

// Whether it was told to come back later and that is not over.
bool lq_client_is_quiet(const struct lq_client *client, uint64_t now_us);

// A WebSocket connects and shakes hands; HTTP connects with its first frame. On failure the client
// is closed.
LQ_MUST_CHECK int lq_client_open(struct lq_client *client, struct lq_client_set *set,
                                 const struct lq_client_target *target, struct lq_error *err);
void lq_client_close(struct lq_client *client); // a zeroed or closed one is fine

// One frame of HTTP may be on its way at once, LQ_CLIENT_IN_FLIGHT_MAX of a WebSocket.
LQ_MUST_CHECK int lq_client_send(struct lq_client *client, const struct lq_client_frame *frame,
                                 struct lq_error *err);
