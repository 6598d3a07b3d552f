// WebSocket server (RFC 6455) without extensions. This module answers pings, pings the client and
// requires a response, checks text for UTF-8 as it arrives, and performs the closing handshake.
//
// Input: `room` returns where to put the next bytes of a message, `received` reports that they are
// there. A handler that wants no more closes (lq_ws_close); later input is read and discarded.
// Output: lq_ws_wake requests a `writable` call, which comes when nothing is queued any more, so
// that what to send is decided as late as possible. Only one borrowed message can be in flight.
//
// Threads: the loop's. Owner: the net owns a struct lq_ws; do not use it after `closed`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/net.h"

struct lq_ws;

enum lq_ws_kind { LQ_WS_TEXT = 1, LQ_WS_BINARY = 2 }; // their opcodes

// Bytes before a message that may be overwritten with its frame header.
enum { LQ_WS_HEAD = 10 };

// The next bytes of an incoming message.
struct lq_ws_piece {
    enum lq_ws_kind kind;
    bool first;    // `room` was not called for this message before
    bool last_frame; // no other frame follows in this message (FIN)
    size_t coming; // bytes of this frame not received yet; 0 only for an empty message, for which
                   // only `received` is called
};

struct lq_ws_handler {
    // Sets *size (1 to piece->coming) and returns memory that stays valid until `received`. NULL:
    // it called lq_ws_close; otherwise the connection closes with 1011. Not called if `coming` is
    // 0.
    uint8_t *(*room)(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size);
    // `len` bytes are there; `last`: the message is complete. For an empty message only this
    // function is called.
    void (*received)(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last);
    // Requested by lq_ws_wake, and nothing is queued: send one message, or none.
    void (*writable)(struct lq_ws *ws);
    // The borrowed message was sent completely and belongs to its owner again. Never called inside
    // lq_ws_send.
    void (*sent)(struct lq_ws *ws);
    // The WebSocket is over; borrowed bytes belong to their owner again. `code` is the client's
    // close code, 1005 for a close without one, 1006: no close was received. Called exactly once.
    void (*closed)(struct lq_ws *ws, int code, enum lq_net_end end);
};

void *lq_ws_state(const struct lq_ws *ws);

// Requests a `writable` call: in this turn if nothing is queued.
void lq_ws_wake(struct lq_ws *ws);

// Sends a message from bytes that stay valid until `sent` or `closed`. The `head_room` bytes before
// it may be overwritten (LQ_WS_HEAD of them suffice; with fewer, the header is sent separately).
// Writes at once as much as the kernel accepts. BUSY: another message is being sent
// (lq_ws_is_sending), or lq_ws_close was called.
LQ_MUST_CHECK int lq_ws_send(struct lq_ws *ws, enum lq_ws_kind kind, const void *bytes, size_t len,
                             size_t head_room);
// Sends a short message; what the kernel does not accept at once is copied. TOO_LARGE: too much is
// queued already (limits.queue_bytes). MEMORY. BUSY after lq_ws_close. `sent` is not called.
LQ_MUST_CHECK int lq_ws_send_copy(struct lq_ws *ws, enum lq_ws_kind kind, const void *bytes,
                                  size_t len);
bool lq_ws_is_sending(const struct lq_ws *ws); // a borrowed message whose `sent` is pending
// Copies the unsent rest of a borrowed message, so that its bytes may be freed; `sent` is then not
// called for it. If out of memory, the connection ends.
void lq_ws_detach(struct lq_ws *ws);

// Sends a close frame after queued output, and discards further input. `reason` may be NULL; it is
// cut off at 123 bytes. `closed` is called when the client has answered, at the latest after
// limits.close_ms. May be called twice; the first call counts.
void lq_ws_close(struct lq_ws *ws, int code, const char *reason);
bool lq_ws_is_closing(const struct lq_ws *ws);
// Ends the connection without a close frame; `closed` is called later in this turn.
void lq_ws_kill(struct lq_ws *ws);

// Stops and resumes reading messages. The deadline for a pong still applies.
void lq_ws_pause(struct lq_ws *ws);
void lq_ws_resume(struct lq_ws *ws);
