#include "serve/message/frame_response.h"

#include <stdlib.h>
#include <string.h>

#include "frame/report.h"
#include "base/base64.h"
#include "frame/wire.h"
#include "frame/wire_nails.h"

const char *lq_response_media_type(enum lq_picture_kind kind)
{
    return kind == LQ_PICTURE_PNG ? "image/png" : "image/jpeg"; // only these two
}

// If memory runs out during a response, the slot is left without parts, and the loop closes the
// connection.
static int append(struct lq_buf *out, const char *text)
{
    return lq_buf_append(out, text, strlen(text));
}

static int append_json(struct lq_buf *out, json_t *json)
{
    char *text = json ? json_dumps(json,
                                   JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
    int status = text ? append(out, text) : LQ_ERR_MEMORY;
    free(text);
    json_decref(json);
    return status;
}

// Starts a text part: head-room, then what the caller appends until end_text.
static int begin_text(struct lq_frame_slot *slot)
{
    slot->parts[slot->part_count].picture = false;
    int status = lq_buf_resize(&slot->message, slot->message.len + LQ_REPLY_HEAD);
    slot->parts[slot->part_count].at = slot->message.len;
    return status;
}

static void end_text(struct lq_frame_slot *slot)
{
    struct lq_part *part = &slot->parts[slot->part_count++];
    part->len = slot->message.len - part->at;
}

static void add_picture(struct lq_frame_slot *slot, size_t at)
{
    slot->parts[slot->part_count++] =
        (struct lq_part){.picture = true, .at = at, .len = slot->picture.len - at};
}

static void write_v1(struct lq_frame_slot *slot, const struct lq_job *job)
{
    struct lq_wire_reply reply = lq_wire_reply_of(job);
    reply.id = slot->request.frame_id;
    reply.client_time = slot->request.client_time;
    reply.queue_us = slot->queue_us;
    size_t at = LQ_REPLY_HEAD - LQ_WIRE_REPLY_BYTES;
    lq_wire_reply_write(&reply, slot->picture.data + at);
    add_picture(slot, at);
}

// Marks a picture sent by itself; returns where it starts. A JPEG comment after the JFIF segment
// says that its nails were propagated; programs that only show the picture skip it. The picture's
// head is moved down to make room for it. The comment still uses the old word, for which clients
// search.
static size_t mark_propagated(struct lq_frame_slot *slot, const struct lq_job *job)
{
    static const uint8_t comment[] = "\xff\xfe\0\x11lacquer carried"; // its length counts itself
    const size_t len = sizeof comment - 1;
    uint8_t *bytes = slot->picture.data + LQ_REPLY_HEAD;
    size_t head = 2;
    if (job->propagated && bytes[2] == 0xff && bytes[3] == 0xe0)
        head += 2 + (size_t)(bytes[4] << 8 | bytes[5]);
    if (job->propagated) {
        memmove(bytes - len, bytes, head);
        memcpy(bytes - len + head, comment, len);
    }
    return LQ_REPLY_HEAD - (job->propagated ? len : 0);
}

static int write_v1_nails(struct lq_frame_slot *slot, const struct lq_job *job,
                          struct lq_buf *scratch)
{
    int status = lq_wire_nails_append(&slot->picture, scratch, job->nails, job->scene);
    if (status == LQ_OK)
        write_v1(slot, job);
    return status;
}

// Appends the quoted picture, which starts at `at`: a data URL, or bare base64.
static int append_image(struct lq_frame_slot *slot, size_t at, bool url)
{
    struct lq_buf *out = &slot->message;
    int status = append(out, "\"");
    if (status == LQ_OK && url)
        status = lq_buf_printf(out, "data:%s;base64,", lq_response_media_type(slot->kind));
    if (status == LQ_OK)
        status = lq_base64_encode(slot->picture.data + at, slot->picture.len - at, out);
    return status == LQ_OK ? append(out, "\"") : status;
}

static json_t *timing(const struct lq_frame_slot *slot, const struct lq_job *job)
{
    json_t *object = lq_report_ms(job);
    if (object)
        json_object_set_new(object, "queue", json_real(slot->queue_us / 1e3));
    return object;
}

// … "width", "height", "nails", "propagated"?, "timing"}; "carried" is the second's old name, an
// alias until version 2.
static int append_facts(struct lq_frame_slot *slot, const struct lq_job *job)
{
    struct lq_buf *out = &slot->message;
    int status = lq_buf_printf(out, "\"width\":%d,\"height\":%d,\"nails\":", job->width,
                               job->height);
    if (status == LQ_OK)
        status = append_json(out, lq_report_nails(job->nails,
                                                  slot->request.reply_form == LQ_REPLY_NAILS));
    if (status == LQ_OK && job->propagated)
        status = append(out, ",\"propagated\":true,\"carried\":true");
    if (status == LQ_OK)
        status = append(out, ",\"timing\":");
    if (status == LQ_OK)
        status = append_json(out, timing(slot, job));
    return status == LQ_OK ? append(out, "}") : status;
}

static int write_json(struct lq_frame_slot *slot, const struct lq_job *job)
{
    int status = begin_text(slot);
    if (status == LQ_OK)
        status = append(&slot->message, "{\"success\":true,");
    if (status == LQ_OK && slot->request.reply_form == LQ_REPLY_JSON) {
        status = append(&slot->message, "\"image\":");
        if (status == LQ_OK)
            status = append_image(slot, LQ_REPLY_HEAD, true);
        if (status == LQ_OK)
            status = append(&slot->message, ",");
    }
    if (status == LQ_OK)
        status = append_facts(slot, job);
    if (status == LQ_OK)
        end_text(slot);
    return status;
}

// Appends the picture of a Socket.IO response, in the same form as in the request.
static int append_event_image(struct lq_frame_slot *slot, const struct lq_frame_picture *picture,
                              size_t at)
{
    return picture->text ? append_image(slot, at, picture->url)
                         : append(&slot->message, "{\"_placeholder\":true,\"num\":0}");
}

// Appends the result object of a Socket.IO response.
static int append_result(struct lq_frame_slot *slot, const struct lq_job *job,
                         const struct lq_frame_picture *picture, size_t at)
{
    struct lq_buf *out = &slot->message;
    int status = append(out, "{\"image\":");
    if (status == LQ_OK)
        status = append_event_image(slot, picture, at);
    if (status == LQ_OK && picture->id) {
        status = append(out, ",\"id\":");
        if (status == LQ_OK)
            status = append_json(out, json_incref(picture->id));
    }
    if (status == LQ_OK)
        status = append(out, ",");
    return status == LQ_OK ? append_facts(slot, job) : status;
}

// Writes a Socket.IO packet: 2 event, 3 acknowledgement; 5 and 6 are the same with "N-" binary
// attachments.
static int write_event_packet(struct lq_frame_slot *slot, const struct lq_job *job,
                              const struct lq_frame_picture *picture, size_t at, bool ack)
{
    struct lq_buf *out = &slot->message;
    int status = begin_text(slot);
    if (status == LQ_OK && ack)
        status = lq_buf_printf(out, picture->text ? "43%lld[" : "461-%lld[", slot->request.ack);
    else if (status == LQ_OK)
        status = append(out, picture->text ? "42[\"result\"," : "451-[\"result\",");
    if (status == LQ_OK)
        status = picture->bare ? append_event_image(slot, picture, at)
                               : append_result(slot, job, picture, at);
    if (status == LQ_OK)
        status = append(out, "]");
    if (status != LQ_OK)
        return status;
    end_text(slot);
    if (picture->text)
        return LQ_OK;
    if (slot->request.typed_binary)
        slot->picture.data[--at] = 4; // Engine.IO's type of a message
    add_picture(slot, at);
    return LQ_OK;
}

// A client that sent only a picture gets only a picture as the payload, as pages of Flask-SocketIO
// servers expect.
static int write_event(struct lq_frame_slot *slot, const struct lq_job *job,
                       const struct lq_frame_picture *picture)
{
    size_t at = picture->bare ? mark_propagated(slot, job) : LQ_REPLY_HEAD;
    int status = write_event_packet(slot, job, picture, at, false);
    if (status == LQ_OK && slot->request.ack >= 0)
        status = write_event_packet(slot, job, picture, at, true);
    return status;
}

void lq_response_write(struct lq_frame_slot *slot, const struct lq_job *job,
                     const struct lq_frame_picture *picture, struct lq_buf *scratch)
{
    int status = LQ_OK;
    slot->kind = job->kind;
    slot->width = job->width;
    slot->height = job->height;
    slot->nails = job->nails->count;
    switch (slot->request.reply_form) {
    case LQ_REPLY_PICTURE:
        add_picture(slot, mark_propagated(slot, job));
        break;
    case LQ_REPLY_V1:
        write_v1(slot, job);
        break;
    case LQ_REPLY_V1_NAILS:
        status = write_v1_nails(slot, job, scratch);
        break;
    case LQ_REPLY_JSON:
    case LQ_REPLY_NAILS:
        status = write_json(slot, job);
        break;
    case LQ_REPLY_EVENT:
        status = write_event(slot, job, picture);
        break;
    }
    if (status != LQ_OK) {
        slot->part_count = 0;
        slot->status = lq_fail(&slot->error, status, "cannot write the response: %s",
                               lq_status_text(status));
    }
}

static json_t *error_json(const struct lq_error *error)
{
    // Foreign text may contain invalid UTF-8, which JSON does not allow.
    json_t *text = json_string(error->text);
    if (!text)
        text = json_string(lq_status_text(error->status));
    return json_pack("{s:o, s:s}", "error", text, "status", lq_status_name(error->status));
}

int lq_response_ws_error(struct lq_buf *out, const struct lq_error *error, int64_t id)
{
    json_t *object = error_json(error);
    if (object)
        json_object_set_new(object, "type", json_string("error"));
    if (object && id >= 0)
        json_object_set_new(object, "id", json_integer(id));
    return append_json(out, object);
}

int lq_response_http_error(struct lq_buf *out, const struct lq_error *error)
{
    json_t *object = error_json(error);
    if (object)
        json_object_set_new(object, "success", json_false());
    return append_json(out, object);
}

int lq_response_event_error(struct lq_buf *out, const struct lq_error *error, json_t *id)
{
    json_t *object = error_json(error);
    if (object)
        json_object_set(object, "message", json_object_get(object, "error"));
    if (object && id)
        json_object_set(object, "id", id);
    return append_json(out, object);
}

static int write_event_error(struct lq_frame_slot *slot, const struct lq_frame_picture *picture,
                             bool ack)
{
    int status = begin_text(slot);
    if (status == LQ_OK && ack)
        status = lq_buf_printf(&slot->message, "43%lld[", slot->request.ack);
    else if (status == LQ_OK)
        status = append(&slot->message, "42[\"error\",");
    if (status == LQ_OK)
        status = lq_response_event_error(&slot->message, &slot->error, picture->id);
    if (status == LQ_OK)
        status = append(&slot->message, "]");
    if (status == LQ_OK)
        end_text(slot);
    return status;
}

void lq_response_write_error(struct lq_frame_slot *slot, const struct lq_frame_picture *picture)
{
    slot->part_count = 0;
    lq_buf_clear(&slot->message);
    if (slot->request.reply_form == LQ_REPLY_EVENT) {
        if (write_event_error(slot, picture, false) == LQ_OK && slot->request.ack >= 0)
            (void)!write_event_error(slot, picture, true);
        return;
    }
    bool socket = slot->request.live;
    int status = begin_text(slot);
    if (status == LQ_OK)
        status = !socket ? lq_response_http_error(&slot->message, &slot->error)
                         : lq_response_ws_error(&slot->message, &slot->error,
                                              lq_frame_request_is_v1(&slot->request)
                                                  ? (int64_t)slot->request.frame_id : -1);
    if (status == LQ_OK)
        end_text(slot);
}
