// A session's replies on their way out of a WebSocket, whichever of the two protocols it speaks.
// Threads: the loop's. Owner: a slot's bytes are the network's from lq_reply_send to lq_reply_sent.
#pragma once

#include "net/ws.h"
#include "serve/sched/admission.h"

// Sends the next part of the session's oldest finished frame, in a WebSocket's `writable`. False:
// there was no memory for an answer, and the connection must end.
LQ_MUST_CHECK bool lq_reply_send(struct lq_ws *ws, struct lq_session *session);
// Whether lq_reply_send has something to do.
bool lq_reply_waits(struct lq_session *session);
// That part was handed over (a WebSocket's `sent`).
void lq_reply_sent(struct lq_admission *admission, enum lq_transport via,
                   struct lq_session *session);
