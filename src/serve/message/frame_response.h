// What goes back: turns a finished job into the parts that the loop sends, in the form asked for
// (docs/PROTOCOL.md). Text in slot->message, each part after LQ_REPLY_HEAD bytes of head-room, the
// picture in slot->picture likewise.
// Threads: the worker that owns the slot; the plain text writers any. Owner: the slot.
#pragma once

#include "serve/message/frame_request.h"

// The answer to a job that went well. scratch is the worker's, for coding crops.
void lq_response_write(struct lq_frame_slot *slot, const struct lq_job *job,
                     const struct lq_frame_picture *picture, struct lq_buf *scratch);

// The answer to one that did not: slot->error says why.
void lq_response_write_error(struct lq_frame_slot *slot, const struct lq_frame_picture *picture);

// {"type": "error", "status", "error"[, "id"]} appended to out; id < 0: none.
LQ_MUST_CHECK int lq_response_ws_error(struct lq_buf *out, const struct lq_error *error,
                                       int64_t id);
// {"error", "message", "status"[, "id"]} appended to out: the `error` event's payload. `message` is
// `error` again, which is where many pages look. id: NULL for none; stays the caller's.
LQ_MUST_CHECK int lq_response_event_error(struct lq_buf *out, const struct lq_error *error,
                                        json_t *id);
// {"success": false, "error", "status"} appended to out.
LQ_MUST_CHECK int lq_response_http_error(struct lq_buf *out, const struct lq_error *error);

const char *lq_response_media_type(enum lq_picture_kind kind);
