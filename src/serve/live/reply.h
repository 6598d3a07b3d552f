// Sends a session's replies over a WebSocket, for both protocols.
// Threads: the loop's. Owner: the network uses a slot's bytes from lq_reply_send to lq_reply_sent.
#pragma once

#include "net/ws.h"
#include "serve/sched/admission.h"

// Sends the next part of the session's oldest finished frame; called in a WebSocket's `writable`.
// False: out of memory; the connection must end.
LQ_MUST_CHECK bool lq_reply_send(struct lq_ws *ws, struct lq_session *session);
// Whether lq_reply_send has something to send.
bool lq_reply_waits(struct lq_session *session);
// That part was sent (a WebSocket's `sent`).
void lq_reply_sent(struct lq_admission *admission, enum lq_transport via,
                   struct lq_session *session);
