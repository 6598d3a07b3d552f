// A WebSocket inside the library: ws_open.c creates it, ws_read.c reads, ws.c sends.
// Threads: the loop's. Owner: its connection's state.
#pragma once

#include "net/conn.h"
#include "net/ws.h"
#include "base/utf8.h"
#include "net/ws_frame.h"

struct lq_ws {
    struct lq_garbage garbage; // must be the first member
    struct lq_conn *conn;
    const struct lq_ws_handler *handler;
    void *state;               // of the handler
    // input
    struct lq_ws_header frame;
    uint64_t at;               // bytes of the frame's payload so far
    bool in_frame;
    bool within;               // inside an incomplete message
    bool first;                // the handler has not seen any of it yet
    enum lq_ws_kind kind;
    uint32_t utf8;
    uint8_t control[LQ_WS_CONTROL_BYTES_MAX];
    uint64_t received_us, pinged_us;
    bool paused;
    // output
    bool sending;              // a borrowed message: `sent` is pending
    bool wake;                 // `writable` is pending
    bool pong_due;             // answer the last ping when there is room
    uint8_t pong_len, pong[LQ_WS_CONTROL_BYTES_MAX];
    // closing
    bool closing;              // our close frame was written
    bool deaf;                 // further input is discarded
    uint64_t closing_us;       // since when
    uint64_t forgotten;        // bytes of payload discarded since
    int code;                  // the client's close code
    enum lq_net_end end;
};

extern const struct lq_protocol lq_ws_protocol; // ws_read.c

// Closes it with `code` because of an error of the client, and stops reading.
void lq_ws_fail(struct lq_ws *ws, int code, const char *why);
void lq_ws_control(struct lq_ws *ws, uint8_t opcode, const uint8_t *bytes, size_t len);
// More input arrived that is discarded while closing.
void lq_ws_forget(struct lq_ws *ws, size_t len);
void lq_ws_drained(struct lq_conn *conn);
void lq_ws_deadline(struct lq_conn *conn);
