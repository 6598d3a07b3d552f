// WebSocket frames (RFC 6455 section 5), as read and written by both sides.
//   byte 0  FIN, three reserved bits (0), opcode
//   byte 1  mask bit (1 from clients, 0 from servers), length to 125; 126: 16 bits follow; 127: 64
//   then    the longer length, big-endian; four bytes of mask from clients; the payload
// Threads: any. Owner: plain values and the caller's bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lq_ws_opcode {
    LQ_WS_OP_CONTINUATION = 0,
    LQ_WS_OP_TEXT = 1,
    LQ_WS_OP_BINARY = 2,
    LQ_WS_OP_CLOSE = 8,
    LQ_WS_OP_PING = 9,
    LQ_WS_OP_PONG = 10,
};

enum { LQ_WS_FRAME_HEAD_MAX = 14, LQ_WS_CONTROL_BYTES_MAX = 125 };

struct lq_ws_header {
    bool fin;
    uint8_t opcode;
    uint8_t mask[4]; // 0 from a server
    uint64_t len;
    size_t head; // size of the header in bytes
};

// The sender of a frame: clients mask their frames, servers do not.
enum lq_ws_side { LQ_WS_FROM_CLIENT, LQ_WS_FROM_SERVER };

// Reads a frame's header. Returns 1: done, 0: more bytes are needed, else the close code (1002).
// `within`: the message's first frame has arrived, its last has not (section 5.4).
int lq_ws_frame_read(struct lq_ws_header *frame, enum lq_ws_side from, const uint8_t *bytes,
                     size_t len, bool within);

// Writes the frame header of a complete message and returns its length: at most 10 from a server
// (mask NULL), 14 from a client.
size_t lq_ws_frame_write(uint8_t head[LQ_WS_FRAME_HEAD_MAX], uint8_t opcode, uint64_t len,
                         const uint8_t mask[4]);

// Masks or unmasks `len` bytes from `from` to `to` (equal or disjoint), which start at byte `at` of
// the frame (section 5.3).
void lq_ws_unmask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4], uint64_t at);

// Whether a client may send this close code (section 7.4).
bool lq_ws_code_is_good(int code);

// Computes Sec-WebSocket-Accept for a key (section 4.2.2). False: the key is not 16 bytes in
// base64.
enum { LQ_WS_ACCEPT_SIZE = 29 };
bool lq_ws_accept(const char *key, char accept[LQ_WS_ACCEPT_SIZE]);
