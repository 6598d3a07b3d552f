// A WebSocket inside the library: ws_open.c makes it, ws_read.c takes what comes, ws.c sends.
// Threads: the loop's. Owner: its connection's state.
#pragma once

#include "net/conn.h"
#include "net/ws.h"
#include "base/utf8.h"
#include "net/ws_frame.h"

struct lq_ws {
    struct lq_garbage garbage; // first
    struct lq_conn *conn;
    const struct lq_ws_handler *handler;
    void *state;               // the handler's
    // coming
    struct lq_ws_header frame;
    uint64_t at;               // bytes of the frame's payload so far
    bool in_frame;
    bool within;               // a message that is not whole
    bool first;                // its handler knows nothing of it yet
    enum lq_ws_kind kind;
    uint32_t utf8;
    uint8_t control[LQ_WS_CONTROL_BYTES_MAX];
    uint64_t received_us, pinged_us;
    bool paused;
    // going
    bool sending;              // a borrowed message: `sent` is owed
    bool wake;                 // `writable` is owed
    bool pong_due;             // an answer to the last ping, when there is room
    uint8_t pong_len, pong[LQ_WS_CONTROL_BYTES_MAX];
    // the end
    bool closing;              // our close frame is written
    bool deaf;                 // nothing that comes is looked at any more
    uint64_t closing_us;       // since when
    uint64_t forgotten;        // bytes of payload that came since
    int code;                  // the client's
    enum lq_net_end end;
};

extern const struct lq_protocol lq_ws_protocol; // ws_read.c

// Ends it for a fault of the client's: closes with the code and listens no more.
void lq_ws_fail(struct lq_ws *ws, int code, const char *why);
void lq_ws_control(struct lq_ws *ws, uint8_t opcode, const uint8_t *bytes, size_t len);
// More of what nobody wants has come while it is being closed.
void lq_ws_forget(struct lq_ws *ws, size_t len);
void lq_ws_drained(struct lq_conn *conn);
void lq_ws_deadline(struct lq_conn *conn);
