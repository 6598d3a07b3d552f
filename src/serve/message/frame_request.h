// What clients say about a picture: the look fields and where the picture is, in JSON, forms and
// Socket.IO events; the same fields everywhere (docs/PROTOCOL.md, "The look").
// Threads: any; live frames are read by workers. Owner: the caller's.
#pragma once

#include <jansson.h>

#include "paint/catalogue.h"
#include "serve/sched/session.h"

// Reads the look fields that `object` has; the others keep their value. `look` comes first,
// whatever the order. On failure *look is unchanged.
LQ_MUST_CHECK int lq_frame_request_look(struct lq_look *look, const struct lq_catalogue *catalogue,
                                   const json_t *object, struct lq_error *err);

// The picture's bytes and how it was written, found in a filled slot; look fields beside it are
// applied to slot->request.look. `decoded` takes what base64 stood for.
struct lq_frame_picture {
    const uint8_t *bytes;
    size_t len;
    bool text;        // came as base64
    bool url;         // … in a data URL
    bool bare;        // Socket.IO: it was the event's whole argument, not a field of an object
    json_t *id;       // Socket.IO: the client's "id"; owned by this struct
};
void lq_frame_picture_release(struct lq_frame_picture *picture);
LQ_MUST_CHECK int lq_frame_request_read(struct lq_frame_slot *slot, struct lq_buf *decoded,
                              struct lq_frame_picture *picture, struct lq_error *err);
