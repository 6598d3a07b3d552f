// Reads what clients send with a picture: the look, and where the picture is, in JSON, forms and
// Socket.IO events, with the same fields in all of them (docs/PROTOCOL.md, "The look").
// Threads: any; workers read live frames. Owner: the caller.
#pragma once

#include <jansson.h>

#include "paint/catalogue.h"
#include "serve/sched/session.h"

// Reads the look fields in `object`; other fields keep their value. `look` is applied first,
// whatever the order. On failure *look is unchanged.
LQ_MUST_CHECK int lq_frame_request_look(struct lq_look *look, const struct lq_catalogue *catalogue,
                                   const json_t *object, struct lq_error *err);

// The picture's bytes found in a filled slot, and how they were encoded. Look fields beside it are
// applied to slot->request.look. `decoded` receives decoded base64.
struct lq_frame_picture {
    const uint8_t *bytes;
    size_t len;
    bool text;        // it was base64
    bool url;         // … in a data URL
    bool bare;        // Socket.IO: it was the event's only argument, not a field of an object
    json_t *id;       // Socket.IO: the client's "id"; owned by this struct
};
void lq_frame_picture_release(struct lq_frame_picture *picture);
LQ_MUST_CHECK int lq_frame_request_read(struct lq_frame_slot *slot, struct lq_buf *decoded,
                              struct lq_frame_picture *picture, struct lq_error *err);
