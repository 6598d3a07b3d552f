// Parses and checks packets of Engine.IO and Socket.IO. Pure functions on bytes.
//
// Engine.IO packet: one digit, then its text: 0 open, 1 close, 2 ping, 3 pong, 4 message, 5
// upgrade, 6 noop; over polling several are joined by 0x1e and binary is "b" and base64.
// Socket.IO packet, inside a message: one digit, "N-" attachments for 5 and 6, "/namespace,",
// digits of an acknowledgement, JSON: 0 connect, 1 disconnect, 2 event, 3 acknowledgement, 4
// connect error, 5 binary event, 6 binary acknowledgement.
//
// Clients of Socket.IO 1 and 2 use Engine.IO 3. Its packets are the same, but over polling each is
// preceded by its length: "5:42[…]", in UTF-16 units; or, if any packet is binary, by a byte 0 or 1
// (text or binary), the length in bytes as digits of value 0 to 9, and 0xff. A binary packet begins
// with the byte 4; as text it is "b4" and base64. The client sends the pings, and is connected to
// "/" automatically.
// Threads: any. Owner: results point into the caller's bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum lq_eio_type { LQ_EIO_OPEN, LQ_EIO_CLOSE, LQ_EIO_PING, LQ_EIO_PONG, LQ_EIO_MESSAGE,
                   LQ_EIO_UPGRADE, LQ_EIO_NOOP, LQ_EIO_BINARY };

enum lq_sio_type { LQ_SIO_CONNECT, LQ_SIO_DISCONNECT, LQ_SIO_EVENT, LQ_SIO_ACK, LQ_SIO_ERROR,
                   LQ_SIO_BINARY_EVENT, LQ_SIO_BINARY_ACK };

struct lq_eio_packet {
    enum lq_eio_type type;
    const char *text; // after the digit; for BINARY, base64 after the "b"
    size_t len;
};

struct lq_sio_packet {
    enum lq_sio_type type;
    int attachments;
    const char *space;  // namespace with its leading slash, or ""
    size_t space_len;
    long long ack;      // -1: none requested
    const char *json;
    size_t json_len;
};

// Parses one packet of `len` > 0 characters. SYNTAX: an unknown digit.
LQ_MUST_CHECK int lq_eio_parse(struct lq_eio_packet *packet, const char *text, size_t len,
                               struct lq_error *err);

// Iterates over a polling payload: returns the next packet's text and length, false at the end.
bool lq_eio_next(const char **at, const char *end, const char **text, size_t *len);

// The same for Engine.IO 3: returns 1 with the next packet, 0 at the end, or SYNTAX. *binary: the
// packet is binary and begins with its type.
LQ_MUST_CHECK int lq_eio3_next(const char **at, const char *end, const char **text, size_t *len,
                               bool *binary);
// The length of UTF-8 text as Engine.IO 3 counts it: in UTF-16 units.
size_t lq_eio3_units(const char *text, size_t len);

// Parses the content of a message. SYNTAX: malformed.
LQ_MUST_CHECK int lq_sio_parse(struct lq_sio_packet *packet, const char *text, size_t len,
                               struct lq_error *err);

// Whether an event's JSON begins with ["name", without parsing all of it.
bool lq_sio_event_is(const struct lq_sio_packet *packet, const char *name);
