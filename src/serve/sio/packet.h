// Handles the packets that clients of /socket.io/ send, over either transport.
// Threads: the loop's. Owner: the caller owns the bytes; a frame's bytes move to a slot.
#pragma once

#include "serve/sio/client.h"

// Sends what follows a client's first packet: version 3 connects automatically.
LQ_MUST_CHECK int lq_sio_greet(struct lq_sio *sio);
// Handles one Engine.IO packet, which for events begins at message->data: a frame's `message` is
// swapped with a slot's body, so nothing is copied. Nonzero: the client violates the protocol or
// disconnects (TIMEOUT); end its session.
LQ_MUST_CHECK int lq_sio_receive(struct lq_sio *sio, const char *text, size_t len,
                                 struct lq_buf *message);
// Handles the binary part of an event likewise; base64 over polling.
LQ_MUST_CHECK int lq_sio_receive_binary(struct lq_sio *sio, const char *bytes, size_t len,
                                        bool base64);
