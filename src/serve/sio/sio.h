// The insides of /socket.io/: pages written for a Flask-SocketIO server, over long polling and
// WebSocket. sio_client.c keeps the clients, sio_packet.c hears what they say, sio_polling.c and
// sio_socket.c are the two transports; packets' bytes are taken apart in engineio.c.
//
// A struct lq_sio is one client; it outlives its HTTP requests and moves to a WebSocket when the
// client has probed one. What waits for it is in its outbox and in its session's finished slots;
// whichever transport is there takes it.
// Threads: the loop's. Owner: the server's list owns the clients, lq_sio_end frees one; a link
// belongs to its connection.
#pragma once

#include "serve/sio/engineio.h"
#include "serve/http/request.h"
#include "serve/live/client_rate.h"
#include "serve/sio/outbox.h"

enum { LQ_SIO_PING_INTERVAL_MS = 25000, LQ_SIO_PING_TIMEOUT_MS = 20000, LQ_SIO_SID_SIZE = 24 };

struct lq_sio_link; // a WebSocket of a client

struct lq_sio {
    struct lq_server *server;
    struct lq_sio *next;
    char sid[LQ_SIO_SID_SIZE], space_sid[LQ_SIO_SID_SIZE];
    int version;               // of Engine.IO: 4, or 3 of Socket.IO 1 and 2
    struct lq_session *session;
    struct lq_sio_link *link;  // its WebSocket, if any
    bool on_socket;            // the WebSocket is the transport (else it is only being probed)
    struct lq_request *poll;   // a GET that waits for something to say
    struct lq_request *post;   // a POST whose body is coming; one at a time holds the memory of one
    struct lq_outbox outbox;
    bool connected;            // in the default namespace
    int attachments_left;      // of the binary event that is coming
    bool attachment_wanted;    // … the next one is the frame's picture
    struct lq_keep_pace pace;
    uint64_t ping_at_us;       // when to send the next ping
    uint64_t pong_by_us;       // when a pong must have come; 0: none is awaited. Version 3: a ping
};

struct lq_sio_link {
    struct lq_server *server;
    struct lq_ws *ws;
    struct lq_sio *sio;        // NULL: refused or ended
    struct lq_buf said;        // a message as it comes …
    struct lq_charge held;     // … and its memory
};

// The version of Engine.IO that this request speaks; 0 for one that is not spoken here.
int lq_sio_version(const struct lq_http *http);
// A new client, which sent this request, or NULL with the reason.
struct lq_sio *lq_sio_new(struct lq_server *server, const struct lq_http *http,
                          struct lq_error *why);
// It is alive: when the next ping is due, and by when.
void lq_sio_count_ping(struct lq_sio *sio);
// Answers its waiting GET with this packet alone.
void lq_sio_end_poll(struct lq_sio *sio, const char *packet);
// What follows its first packet: version 3 connects without being asked.
LQ_MUST_CHECK int lq_sio_greet(struct lq_sio *sio);
// Ends a client: its waiting GET is told, its socket closes, its frames are forgotten.
void lq_sio_end(struct lq_sio *sio);
// Whose name this is, or NULL.
struct lq_sio *lq_sio_find(const struct lq_server *server, const char *sid);

// Whether something waits for it.
bool lq_sio_has_news(struct lq_sio *sio);
// Has its transport, if one is there, take what waits.
void lq_sio_flush(struct lq_sio *sio);

// Its first packet, as Engine.IO has it. upgrade: it may change to a WebSocket. Returns the length.
int lq_sio_print_open(const struct lq_sio *sio, bool upgrade, char *text, size_t size);

// One Engine.IO packet, which begins at said->data for events: a frame's `said` changes places with
// a slot's body, so that nothing is copied. Nonzero: the client breaks the rules or says goodbye
// (TIMEOUT), its session ends.
LQ_MUST_CHECK int lq_sio_hear(struct lq_sio *sio, const char *text, size_t len,
                              struct lq_buf *said);
// The binary part of an event, likewise; base64 over polling.
LQ_MUST_CHECK int lq_sio_hear_binary(struct lq_sio *sio, const char *bytes, size_t len,
                                     bool base64);
// The rate and size to send, when they changed or the client asks.
void lq_sio_tell_pace(struct lq_sio *sio, bool asked);
