// Simulated users of a live server, who behave like pages: each sends frames in one of three ways
// and times each reply by its frame id. One thread drives a set of them; libcurl connects, handles
// HTTP and waits; net/ws_frame.h handles WebSocket frames.
// Threads: one. Owner: open/close by the caller; frames, target and set must outlive a client.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "bench/url.h"

enum lq_client_way { LQ_CLIENT_HTTP, LQ_CLIENT_WS, LQ_CLIENT_SOCKETIO };

enum { LQ_CLIENT_IN_FLIGHT_MAX = 2, LQ_CLIENT_TIMEOUT_MS = 20000 };
// The times that a lacquer.v1 reply reports for its frame: queue, decode, prepare, infer, nails,
// paint, encode, total.
enum { LQ_CLIENT_TIMES = 8 };

struct lq_client_target {
    struct lq_url url;
    enum lq_client_way way;
    const char *path; // of the HTTP endpoint or the WebSocket
    bool in_order;    // a reply also settles older frames: Lacquer replaced them by newer ones
    bool nails;       // request nails instead of the picture (WebSocket)
    bool rate_control; // use rate control (WebSocket)
};

// One picture, prepared for all ways of sending.
struct lq_client_frame {
    struct lq_buf jpeg;
    struct lq_buf json; // the body of an HTTP request
};

struct lq_client_reply {
    double latency_ms; // from sending the frame to the last byte of its reply
    size_t len;        // of the picture, or of the nails
};

struct lq_client {
    const struct lq_client_target *target;
    struct lq_client_set *set; // NULL: not open
    void *curl;     // libcurl handle: the connection (WebSocket), or shared by requests (HTTP) …
    void *headers;  // … and the headers of those requests
    int fd;         // of the WebSocket
    struct lq_buf in, out, message; // message: a WebSocket message received in pieces
    size_t in_done, out_done;
    bool upgraded;  // the connection was upgraded to a WebSocket
    bool ready;     // frames may be sent
    uint8_t message_kind; // its opcode; 0: none has started
    uint32_t mask;
    uint32_t id; // of the frame last sent
    uint32_t binary_id; // Socket.IO: frame id of the picture about to arrive; 0: none
    struct {
        uint32_t id;
        uint64_t sent_us;
    } flight[LQ_CLIENT_IN_FLIGHT_MAX]; // oldest first
    int in_flight;
    uint64_t bytes; // in both directions, including protocol overhead, since connecting
    long replaced; // frames that the server replaced by newer ones
    long refused;  // frames answered BUSY
    uint64_t quiet_until_us; // the server asked the client to wait until then
    uint64_t times_us[LQ_CLIENT_TIMES]; // sums over …
    long timed;              // … this many replies
    long propagated;         // … this many of which had nails propagated from the last frame
    double fps_max;         // frame rate set by the server; 0: no limit
    void (*on_reply)(void *context, const struct lq_client_reply *reply);
    void *context;
};

// Clients that one thread drives together.
struct lq_client_set {
    struct lq_client **clients;
    int count, max;
    void *multi; // libcurl: the HTTP requests in flight
    void *waits; // the WebSockets, for libcurl to wait for
};

LQ_MUST_CHECK int lq_client_set_init(struct lq_client_set *set, int clients_max,
                                     struct lq_error *err);
void lq_client_set_release(struct lq_client_set *set); // closes its clients; set may be zeroed

// Waits at most wait_ms until data arrives for a client; reads it and continues sending. Calls
// on_reply for each reply. Returns the first failure of any client.
LQ_MUST_CHECK int lq_client_set_turn(struct lq_client_set *set, int wait_ms, struct lq_error *err);

// Whether the client was asked to wait, and the time is not over.
bool lq_client_is_quiet(const struct lq_client *client, uint64_t now_us);

// Connects a WebSocket and performs its handshake; HTTP connects with its first frame. On failure
// the client is closed.
LQ_MUST_CHECK int lq_client_open(struct lq_client *client, struct lq_client_set *set,
                                 const struct lq_client_target *target, struct lq_error *err);
void lq_client_close(struct lq_client *client); // client may be zeroed or closed

// At most one HTTP frame may be in flight, or LQ_CLIENT_IN_FLIGHT_MAX on a WebSocket.
LQ_MUST_CHECK int lq_client_send(struct lq_client *client, const struct lq_client_frame *frame,
                                 struct lq_error *err);
