// The clients of /socket.io/: pages written for a Flask-SocketIO server, over long polling and
// WebSocket. The files of this folder, lowest layer first: engineio (bytes of packets), outbox,
// payload (packets over polling), client (this one: a client and its transports), packet (what
// clients send), polling and socket (the two transports), clients (operations on all of them).
//
// A struct lq_sio is one client. It outlives its HTTP requests and moves to a WebSocket once the
// client has probed one. What is to be sent to it is in its outbox and in its session's finished
// slots; the current transport sends it.
// Threads: the loop's. Owner: the server holds the only struct lq_sio_clients, whose list owns the
// clients; lq_sio_end frees one; a link belongs to its connection.
#pragma once

#include "net/ws.h"
#include "serve/http/request.h"
#include "serve/live/client_rate.h"
#include "serve/sched/admission.h"
#include "serve/sio/outbox.h"

enum { LQ_SIO_PING_INTERVAL_MS = 25000, LQ_SIO_PING_TIMEOUT_MS = 20000, LQ_SIO_SID_SIZE = 24 };

struct lq_sio;
struct lq_sio_link; // a client's WebSocket

struct lq_sio_clients {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_admission *admission;
    struct lq_serve_metrics *metrics;
    struct lq_web *web; // responds over HTTP to what cannot become a WebSocket
    struct lq_sio *first;
};

struct lq_sio {
    struct lq_sio_clients *all;
    struct lq_sio *next;
    char sid[LQ_SIO_SID_SIZE], space_sid[LQ_SIO_SID_SIZE];
    int version;               // of Engine.IO: 4, or 3 for Socket.IO 1 and 2
    struct lq_session *session;
    struct lq_sio_link *link;  // its WebSocket, if any
    bool on_socket;            // the WebSocket is the transport (else it is only being probed)
    struct lq_web_request *poll; // a GET that waits for something to send
    struct lq_web_request *post; // a POST whose body is arriving; only one at a time, to limit
                                 // memory
    struct lq_outbox outbox;
    bool connected;            // to the default namespace
    int attachments_left;      // of the incoming binary event
    bool attachment_wanted;    // … the next one is the frame's picture
    struct lq_client_rate rate;
    uint64_t ping_at_us;       // when to send the next ping
    uint64_t pong_by_us;       // deadline for a pong; 0: none expected. Version 3: for a ping
};

struct lq_sio_link {
    struct lq_sio_clients *all;
    struct lq_ws *ws;
    struct lq_sio *sio;        // NULL: refused or ended
    struct lq_buf message;     // as it arrives …
    struct lq_charge held;     // … and its memory
};

// The version of Engine.IO that this request uses; 0 if it is not supported.
int lq_sio_version(const struct lq_http_request *http);
// Creates the client that sent this request, or returns NULL with the reason.
struct lq_sio *lq_sio_new(struct lq_sio_clients *all, const struct lq_http_request *http,
                          struct lq_error *why);
// The client is alive: sets when the next ping is due, and the deadline for its response.
void lq_sio_count_ping(struct lq_sio *sio);
// Responds to its waiting GET with only this packet.
void lq_sio_end_poll(struct lq_sio *sio, const char *packet);
// Ends a client: its waiting GET gets a response, its socket closes, its frames are discarded.
void lq_sio_end(struct lq_sio *sio);
// Finds a client by its session id, or returns NULL.
struct lq_sio *lq_sio_find(const struct lq_sio_clients *all, const char *sid);

// Whether there is something to send to it.
bool lq_sio_has_news(struct lq_sio *sio);
// Lets the current transport, if there is one, send what is waiting.
void lq_sio_flush(struct lq_sio *sio);

// Prints its first packet, as Engine.IO specifies. upgrade: it may switch to a WebSocket. Returns
// the length.
int lq_sio_print_open(const struct lq_sio *sio, bool upgrade, char *text, size_t size);
// Sends the rate and size that it should use, if they changed or the client asked.
void lq_sio_send_rate(struct lq_sio *sio, bool requested);
