// The clients of /socket.io/: pages written for a Flask-SocketIO server, over long polling and
// WebSocket. Room's order, lowest first: engineio (packets' bytes), outbox, payload (packets over
// polling), client (this: what one is, its transports), packet (what clients send), polling and
// socket (the two transports), clients (all of them, once a second and at the end).
//
// A struct lq_sio is one client; it outlives its HTTP requests and moves to a WebSocket when the
// client has probed one. What waits for it is in its outbox and in its session's finished slots;
// whichever transport is there takes it.
// Threads: the loop's. Owner: the server holds the one struct lq_sio_clients, whose list owns the
// clients; lq_sio_end frees one; a link belongs to its connection.
#pragma once

#include "net/ws.h"
#include "serve/http/request.h"
#include "serve/live/client_rate.h"
#include "serve/sched/admission.h"
#include "serve/sio/outbox.h"

enum { LQ_SIO_PING_INTERVAL_MS = 25000, LQ_SIO_PING_TIMEOUT_MS = 20000, LQ_SIO_SID_SIZE = 24 };

struct lq_sio;
struct lq_sio_link; // a WebSocket of a client

struct lq_sio_clients {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_admission *admission;
    struct lq_serve_metrics *metrics;
    struct lq_web *web; // refuses in HTTP what cannot become a WebSocket
    struct lq_sio *first;
};

struct lq_sio {
    struct lq_sio_clients *all;
    struct lq_sio *next;
    char sid[LQ_SIO_SID_SIZE], space_sid[LQ_SIO_SID_SIZE];
    int version;               // of Engine.IO: 4, or 3 of Socket.IO 1 and 2
    struct lq_session *session;
    struct lq_sio_link *link;  // its WebSocket, if any
    bool on_socket;            // the WebSocket is the transport (else it is only being probed)
    struct lq_web_request *poll; // a GET that waits for something to send
    struct lq_web_request *post; // a POST whose body is coming; one at a time holds the memory of
                               // one
    struct lq_outbox outbox;
    bool connected;            // in the default namespace
    int attachments_left;      // of the binary event that is coming
    bool attachment_wanted;    // … the next one is the frame's picture
    struct lq_client_rate rate;
    uint64_t ping_at_us;       // when to send the next ping
    uint64_t pong_by_us;       // when a pong must have come; 0: none is awaited. Version 3: a ping
};

struct lq_sio_link {
    struct lq_sio_clients *all;
    struct lq_ws *ws;
    struct lq_sio *sio;        // NULL: refused or ended
    struct lq_buf message;     // as it comes …
    struct lq_charge held;     // … and its memory
};

// The version of Engine.IO that this request speaks; 0 for one that is not spoken here.
int lq_sio_version(const struct lq_http_request *http);
// A new client, which sent this request, or NULL with the reason.
struct lq_sio *lq_sio_new(struct lq_sio_clients *all, const struct lq_http_request *http,
                          struct lq_error *why);
// It is alive: when the next ping is due, and by when.
void lq_sio_count_ping(struct lq_sio *sio);
// Answers its waiting GET with this packet alone.
void lq_sio_end_poll(struct lq_sio *sio, const char *packet);
// Ends a client: its waiting GET is answered, its socket closes, its frames are forgotten.
void lq_sio_end(struct lq_sio *sio);
// Whose name this is, or NULL.
struct lq_sio *lq_sio_find(const struct lq_sio_clients *all, const char *sid);

// Whether something waits for it.
bool lq_sio_has_news(struct lq_sio *sio);
// Has its transport, if one is there, take what waits.
void lq_sio_flush(struct lq_sio *sio);

// Its first packet, as Engine.IO has it. upgrade: it may change to a WebSocket. Returns the length.
int lq_sio_print_open(const struct lq_sio *sio, bool upgrade, char *text, size_t size);
// Sends the rate and size to send, when they changed or the client asks.
void lq_sio_send_rate(struct lq_sio *sio, bool asked);
