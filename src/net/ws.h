// WebSocket as a server (RFC 6455), no extensions. Pings are answered here, the client is pinged
// and must answer, text is checked for UTF-8 as it comes, and both halves of a closing are
// exchanged.
//
// Bytes in: `room` says where the next bytes of a message go, `received` that they are there. A
// handler that does not want more closes (lq_ws_close); what comes afterwards is read and
// forgotten. Bytes out: lq_ws_wake asks for a `writable` call, which comes when nothing waits any
// more, so that what is sent is chosen as late as possible. One borrowed message at a time.
//
// Threads: the loop's. Owner: the net owns a struct lq_ws; nobody may use it after `closed`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/net.h"

struct lq_ws;

enum lq_ws_kind { LQ_WS_TEXT = 1, LQ_WS_BINARY = 2 }; // their opcodes

// Bytes before a message that may be written over with its frame's header.
enum { LQ_WS_HEAD = 10 };

// Of a message that is coming, at its next bytes.
struct lq_ws_piece {
    enum lq_ws_kind kind;
    bool first;    // nothing of this message has been asked room for before
    bool last_frame; // no other frame belongs to the message (FIN)
    size_t coming; // bytes of this frame that have not come yet; 0 only of an empty message, whose
                   // `received` follows without room being needed
};

struct lq_ws_handler {
    // Sets *size (1 to piece->coming) and returns the place, which stays until `received`. NULL:
    // closed by lq_ws_close in here, else closed with 1011. Not called with `coming` 0.
    uint8_t *(*room)(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size);
    // `len` bytes are there; `last`: the message is whole. Of an empty message this alone is
    // called.
    void (*received)(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last);
    // Asked for by lq_ws_wake, and nothing waits to be sent: send one message, or none.
    void (*writable)(struct lq_ws *ws);
    // The borrowed message was handed over whole and is its owner's again. Never inside lq_ws_send.
    void (*sent)(struct lq_ws *ws);
    // Over; borrowed bytes are their owner's again. `code` is the client's close code, 1005 of a
    // close without one, 1006: none came. Exactly once.
    void (*closed)(struct lq_ws *ws, int code, enum lq_net_end end);
};

void *lq_ws_state(const struct lq_ws *ws);

// `writable` will be called: in this turn if nothing waits.
void lq_ws_wake(struct lq_ws *ws);

// A message from bytes that stay where they are until `sent` or `closed`. Those `head_room` bytes
// before it may be written over (LQ_WS_HEAD of them are enough; with fewer the header goes out
// apart). Goes out at once as far as the system takes it. Not while another is being sent
// (lq_ws_is_sending), nor after lq_ws_close: BUSY.
LQ_MUST_CHECK int lq_ws_send(struct lq_ws *ws, enum lq_ws_kind kind, const void *bytes, size_t len,
                             size_t head_room);
// A short message; what the system does not take at once is copied. TOO_LARGE when too much waits
// already (limits.queue_bytes), MEMORY, BUSY after lq_ws_close. `sent` is not called.
LQ_MUST_CHECK int lq_ws_send_copy(struct lq_ws *ws, enum lq_ws_kind kind, const void *bytes,
                                  size_t len);
bool lq_ws_is_sending(const struct lq_ws *ws); // a borrowed message whose `sent` is still to come
// Copies what still waits of a borrowed message, so that its bytes may be freed; `sent` comes no
// more for it. No memory: the connection ends.
void lq_ws_detach(struct lq_ws *ws);

// Sends a close frame behind what waits, and forgets what comes from now on. `reason` may be NULL;
// of one longer than 123 bytes the beginning goes. `closed` comes when the client has answered, at
// the latest after limits.close_ms. Twice is fine, the first counts.
void lq_ws_close(struct lq_ws *ws, int code, const char *reason);
bool lq_ws_is_closing(const struct lq_ws *ws);
// Ends the connection without a word; `closed` comes later in this turn.
void lq_ws_kill(struct lq_ws *ws);

// Messages' bytes are not read for now, or again. Its deadline for a pong goes on.
void lq_ws_pause(struct lq_ws *ws);
void lq_ws_resume(struct lq_ws *ws);
