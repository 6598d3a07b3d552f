// The headers of the lacquer.v1 subprotocol (docs/PROTOCOL.md): little-endian, without padding.
// Pure functions on bytes.
// Threads: any. Owner: the caller's memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// Stores a number of 1 to 8 bytes, little-endian.
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
    uint32_t served_us;   // from the arrival of the last byte until the reply is passed to the
                          // socket
    uint32_t replaced;
    uint16_t width, height;
    uint8_t quality;
    bool propagated;      // nails were propagated from the previous frame
};

// Reads a frame's header from a message of `len` bytes. SYNTAX: too short, an unknown type, or a
// header that does not fit.
LQ_MUST_CHECK int lq_wire_frame_read(struct lq_wire_frame *frame, const uint8_t *bytes, size_t len,
                                     struct lq_error *err);
void lq_wire_frame_write(const struct lq_wire_frame *frame, uint8_t bytes[LQ_WIRE_FRAME_BYTES]);

// Reads a reply's header (for clients: the load generator and tests).
LQ_MUST_CHECK int lq_wire_reply_read(struct lq_wire_reply *reply, const uint8_t *bytes, size_t len,
                                     struct lq_error *err);
void lq_wire_reply_write(const struct lq_wire_reply *reply, uint8_t bytes[LQ_WIRE_REPLY_BYTES]);

// Sets the fields that are known only just before sending.
void lq_wire_reply_set_served(uint8_t bytes[LQ_WIRE_REPLY_BYTES], uint32_t served_us,
                              uint32_t replaced);
