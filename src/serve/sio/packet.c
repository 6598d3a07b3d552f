#include "serve/sio/packet.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/parse_json.h"
#include "config.h"
#include "model/model.h"
#include "serve/message/frame_response.h"
#include "serve/sio/engineio.h"

// Version 3 clients already have their session id from the handshake.
static int send_connected(struct lq_sio *sio)
{
    const struct lq_model_info *model = lq_model_info(sio->all->model);
    json_t *facts = json_pack("[s, {s:s, s:s, s:s, s:s}]", "connected", "status", "ok", "sid",
                              sio->space_sid, "version", LQ_VERSION, "model",
                              model->name ? model->name : "");
    char *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    json_decref(facts);
    int status = !text               ? LQ_ERR_MEMORY
                 : sio->version == 3 ? lq_outbox_printf(&sio->outbox, "40")
                                     : lq_outbox_printf(&sio->outbox, "40{\"sid\":\"%s\"}",
                                                        sio->space_sid);
    if (status == LQ_OK)
        status = lq_outbox_printf(&sio->outbox, "42%s", text);
    free(text);
    return status;
}

static int on_connect(struct lq_sio *sio, const struct lq_sio_packet *packet)
{
    if (packet->space_len > 1)
        return lq_outbox_printf(&sio->outbox, "44%.*s,{\"message\":\"Invalid namespace\"}",
                                packet->space_len < 64 ? (int)packet->space_len : 64,
                                packet->space);
    if (sio->connected)
        return sio->version == 3 ? LQ_OK : LQ_ERR_SYNTAX;
    sio->connected = true;
    return send_connected(sio);
}

int lq_sio_greet(struct lq_sio *sio)
{
    if (sio->version != 3)
        return LQ_OK;
    memcpy(sio->space_sid, sio->sid, sizeof sio->space_sid);
    sio->connected = true;
    return send_connected(sio);
}

static void post(struct lq_sio *sio)
{
    struct lq_frame_slot *slot = lq_session_fill(sio->session);
    lq_admission_count_in(sio->all->admission, LQ_VIA_SIO, slot->body.len + slot->attachment.len);
    lq_admission_post(sio->all->admission, sio->session);
}

static int send_error(struct lq_sio *sio, const struct lq_error *error)
{
    struct lq_buf text;
    lq_buf_init(&text, LQ_TEXT_BYTES_MAX);
    int status = lq_response_event_error(&text, error, NULL);
    if (status == LQ_OK)
        status = lq_outbox_printf(&sio->outbox, "42[\"error\",%.*s]", (int)text.len,
                                  (const char *)text.data);
    lq_buf_release(&text);
    lq_sio_flush(sio);
    return status;
}

// Handles ["rate"] or ["rate", {"network_ms": 80}]. A malformed event gets an error event.
static int on_rate(struct lq_sio *sio, const struct lq_sio_packet *packet)
{
    struct lq_error error;
    json_error_t where;
    bool begins = false;
    json_t *event = packet->json_len <= LQ_TEXT_BYTES_MAX
                        ? lq_json_parse(packet->json, packet->json_len, 0, &where)
                        : NULL;
    const json_t *message = json_array_get(event, 1);
    int status = event && (!message || json_is_object(message))
                     ? lq_client_rate_receive(&sio->rate, message, &begins, &error)
                     : lq_fail(&error, LQ_ERR_FIELD, "rate takes no argument or one object");
    json_decref(event);
    if (status == LQ_OK) {
        lq_sio_send_rate(sio, begins);
        return LQ_OK;
    }
    lq_metrics_count_error(sio->all->metrics, status);
    return send_error(sio, &error);
}

// Handles an event: the packet's text is in `message`, which is swapped with a slot's body if it is
// a frame, so that nothing is copied.
static int on_sio_event(struct lq_sio *sio, const struct lq_sio_packet *packet,
                        struct lq_buf *message)
{
    if (!sio->connected || packet->space_len > 1)
        return LQ_ERR_SYNTAX;
    sio->attachments_left = packet->attachments;
    sio->attachment_wanted = false;
    static const char *const rates[] = LQ_CLIENT_RATE_NAMES;
    for (int i = 0; i < LQ_CLIENT_RATE_NAME_COUNT; i++)
        if (lq_sio_event_is(packet, rates[i]) && packet->attachments == 0) {
            sio->rate.name = i;
            return on_rate(sio, packet);
        }
    if (!lq_sio_event_is(packet, "frame"))
        return LQ_OK;
    lq_session_drop(sio->session);
    struct lq_frame_slot *slot = lq_session_fill(sio->session);
    slot->request = (struct lq_frame_request){
        .body_form = LQ_BODY_EVENT,
        .reply_form = LQ_REPLY_EVENT,
        .live = true,
        .look = lq_look_default(),
        .catalogue = sio->all->options->catalogue,
        .jpeg_quality = lq_client_rate_jpeg(&sio->rate, sio->all->options->jpeg_quality),
        .smooth = sio->all->options->smooth,
        .picture_at = (size_t)(packet->json - (const char *)message->data),
        .ack = packet->ack,
        .has_attachment = packet->attachments > 0,
        .typed_binary = sio->version == 3,
    };
    struct lq_buf body = slot->body;
    slot->body = *message;
    *message = body;
    lq_buf_clear(message);
    sio->attachment_wanted = packet->attachments > 0;
    if (packet->attachments == 0)
        post(sio);
    return LQ_OK;
}

int lq_sio_receive_binary(struct lq_sio *sio, const char *bytes, size_t len, bool base64)
{
    if (sio->attachments_left == 0)
        return LQ_ERR_SYNTAX;
    sio->attachments_left--;
    if (sio->attachment_wanted) {
        struct lq_frame_slot *slot = lq_session_fill(sio->session);
        sio->attachment_wanted = false;
        slot->request.attachment_base64 = base64;
        int status = lq_buf_append(&slot->attachment, bytes, len);
        if (status != LQ_OK)
            return status;
        // Further attachments are ignored.
        post(sio);
    }
    return LQ_OK;
}

static int on_message(struct lq_sio *sio, const struct lq_eio_packet *outer, struct lq_buf *message)
{
    struct lq_sio_packet packet;
    int status = lq_sio_parse(&packet, outer->text, outer->len, NULL);
    if (status != LQ_OK)
        return status;
    if (sio->attachments_left > 0)
        return LQ_ERR_SYNTAX; // the binary part of the last event was expected
    switch (packet.type) {
    case LQ_SIO_CONNECT:
        return on_connect(sio, &packet);
    case LQ_SIO_DISCONNECT:
        sio->connected = false;
        return LQ_OK;
    case LQ_SIO_EVENT:
    case LQ_SIO_BINARY_EVENT:
        return on_sio_event(sio, &packet, message);
    default:
        sio->attachments_left = packet.attachments;
        return LQ_OK;
    }
}

int lq_sio_receive(struct lq_sio *sio, const char *text, size_t len, struct lq_buf *message)
{
    struct lq_eio_packet packet;
    int status = lq_eio_parse(&packet, text, len, NULL);
    if (status != LQ_OK)
        return status;
    switch (packet.type) {
    case LQ_EIO_CLOSE:
        return LQ_ERR_TIMEOUT;
    case LQ_EIO_PING:
        if (sio->version != 3)
            return LQ_OK;
        lq_sio_count_ping(sio);
        return lq_outbox_printf(&sio->outbox, "3%.*s", (int)packet.len, packet.text);
    case LQ_EIO_PONG:
        lq_sio_count_ping(sio);
        return LQ_OK;
    case LQ_EIO_MESSAGE:
        return on_message(sio, &packet, message);
    case LQ_EIO_BINARY:
        if (sio->version == 3 && (packet.len == 0 || *packet.text++ != '4' || !packet.len--))
            return LQ_ERR_SYNTAX;
        return lq_sio_receive_binary(sio, packet.text, packet.len, true);
    default:
        return LQ_OK;
    }
}
