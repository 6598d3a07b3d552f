// What clients of /socket.io/ send, packet by packet, whichever way it came.
// Threads: the loop's. Owner: the caller's bytes; what is a frame goes over to a slot.
#pragma once

#include "serve/sio/client.h"

// What follows a client's first packet: version 3 connects without being asked.
LQ_MUST_CHECK int lq_sio_greet(struct lq_sio *sio);
// One Engine.IO packet, which begins at message->data for events: a frame's `message` changes
// places with a slot's body, so that nothing is copied. Nonzero: the client breaks the rules or
// says goodbye (TIMEOUT), its session ends.
LQ_MUST_CHECK int lq_sio_receive(struct lq_sio *sio, const char *text, size_t len,
                                 struct lq_buf *message);
// The binary part of an event, likewise; base64 over polling.
LQ_MUST_CHECK int lq_sio_receive_binary(struct lq_sio *sio, const char *bytes, size_t len,
                                        bool base64);
