// Turns a finished job into the messages that the loop sends, in the requested form
// (docs/PROTOCOL.md). Text goes to slot->message, each part after LQ_REPLY_HEAD bytes of headroom;
// the picture goes to slot->picture likewise.
// Threads: the worker that owns the slot; any for the plain text writers. Owner: the slot.
#pragma once

#include "serve/message/frame_request.h"

// Writes the response of a successful job. scratch belongs to the worker and is used for encoding
// crops.
void lq_response_write(struct lq_frame_slot *slot, const struct lq_job *job,
                     const struct lq_frame_picture *picture, struct lq_buf *scratch);

// Writes the response of a failed job, from slot->error.
void lq_response_write_error(struct lq_frame_slot *slot, const struct lq_frame_picture *picture);

// Appends {"type": "error", "status", "error"[, "id"]} to out; id < 0: no id.
LQ_MUST_CHECK int lq_response_ws_error(struct lq_buf *out, const struct lq_error *error,
                                       int64_t id);
// Appends {"error", "message", "status"[, "id"]} to out: the payload of an `error` event. `message`
// repeats `error`, because many pages read that key. id: NULL for none; the caller keeps it.
LQ_MUST_CHECK int lq_response_event_error(struct lq_buf *out, const struct lq_error *error,
                                        json_t *id);
// Appends {"success": false, "error", "status"} to out.
LQ_MUST_CHECK int lq_response_http_error(struct lq_buf *out, const struct lq_error *error);

const char *lq_response_media_type(enum lq_picture_kind kind);
