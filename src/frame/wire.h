// The headers of the lacquer.v1 subprotocol, as docs/PROTOCOL.md lays them out: little-endian, no
// padding. Pure functions on bytes.
// Threads: any. Owner: the caller's memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// Little-endian numbers of 1 to 8 bytes.
static inline void lq_wire_put(uint8_t *bytes, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static inline uint64_t lq_wire_get(const uint8_t *bytes, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

enum {
    LQ_WIRE_FRAME_BYTES = 16, // client to server
    LQ_WIRE_REPLY_BYTES = 64, // server to client
    LQ_WIRE_TYPE_FRAME = 1,
    LQ_WIRE_TYPE_JPEG = 2,
    LQ_WIRE_TYPE_NAILS = 3,
    LQ_WIRE_WANT_JPEG = 0,
    LQ_WIRE_WANT_NAILS = 1,
};

struct lq_wire_frame {
    uint8_t type;
    uint8_t want;
    uint16_t header_bytes; // the picture starts here
    uint32_t id;
    uint64_t client_time;
};

struct lq_wire_reply {
    uint8_t type;         // JPEG or NAILS
    uint8_t nails;
    uint32_t id;
    uint64_t client_time;
    uint32_t queue_us;
    uint32_t stage_us[6]; // decode, prepare, infer, nails, paint, encode
    uint32_t served_us;   // from the last byte's arrival to the reply being handed to the socket
    uint32_t replaced;
    uint16_t width, height;
    uint8_t quality;
    bool propagated;      // nails were propagated from the frame before
};

// Reads a frame's header from a message of `len` bytes. Too short, an unknown type or a header that
// does not fit: SYNTAX.
LQ_MUST_CHECK int lq_wire_frame_read(struct lq_wire_frame *frame, const uint8_t *bytes, size_t len,
                                     struct lq_error *err);
void lq_wire_frame_write(const struct lq_wire_frame *frame, uint8_t bytes[LQ_WIRE_FRAME_BYTES]);

// Reads a reply's header (clients: the load generator, tests).
LQ_MUST_CHECK int lq_wire_reply_read(struct lq_wire_reply *reply, const uint8_t *bytes, size_t len,
                                     struct lq_error *err);
void lq_wire_reply_write(const struct lq_wire_reply *reply, uint8_t bytes[LQ_WIRE_REPLY_BYTES]);

// Fills in, just before sending, what is known only then.
void lq_wire_reply_set_served(uint8_t bytes[LQ_WIRE_REPLY_BYTES], uint32_t served_us,
                              uint32_t replaced);
