#include "frame/wire.h"

#include <string.h>

int lq_wire_frame_read(struct lq_wire_frame *frame, const uint8_t *bytes, size_t len,
                       struct lq_error *err)
{
    if (len < LQ_WIRE_FRAME_BYTES)
        return lq_fail(err, LQ_ERR_SYNTAX, "message of %zu bytes is shorter than its header", len);
    *frame = (struct lq_wire_frame){
        .type = bytes[0],
        .want = bytes[1],
        .header_bytes = (uint16_t)lq_wire_get(bytes + 2, 2),
        .id = (uint32_t)lq_wire_get(bytes + 4, 4),
        .client_time = lq_wire_get(bytes + 8, 8),
    };
    if (frame->type != LQ_WIRE_TYPE_FRAME)
        return lq_fail(err, LQ_ERR_SYNTAX, "unknown message type %u", frame->type);
    if (frame->header_bytes < LQ_WIRE_FRAME_BYTES || frame->header_bytes > len)
        return lq_fail(err, LQ_ERR_SYNTAX, "header length %u does not fit a message of %zu bytes",
                       frame->header_bytes, len);
    return LQ_OK;
}

void lq_wire_frame_write(const struct lq_wire_frame *frame, uint8_t bytes[LQ_WIRE_FRAME_BYTES])
{
    bytes[0] = frame->type;
    bytes[1] = frame->want;
    lq_wire_put(bytes + 2, frame->header_bytes, 2);
    lq_wire_put(bytes + 4, frame->id, 4);
    lq_wire_put(bytes + 8, frame->client_time, 8);
}

int lq_wire_reply_read(struct lq_wire_reply *reply, const uint8_t *bytes, size_t len,
                       struct lq_error *err)
{
    if (len < LQ_WIRE_REPLY_BYTES ||
        (bytes[0] != LQ_WIRE_TYPE_JPEG && bytes[0] != LQ_WIRE_TYPE_NAILS) ||
        lq_wire_get(bytes + 2, 2) != LQ_WIRE_REPLY_BYTES)
        return lq_fail(err, LQ_ERR_SYNTAX, "not a lacquer.v1 reply");
    *reply = (struct lq_wire_reply){
        .type = bytes[0],
        .nails = bytes[1],
        .id = (uint32_t)lq_wire_get(bytes + 4, 4),
        .client_time = lq_wire_get(bytes + 8, 8),
        .queue_us = (uint32_t)lq_wire_get(bytes + 16, 4),
        .served_us = (uint32_t)lq_wire_get(bytes + 44, 4),
        .replaced = (uint32_t)lq_wire_get(bytes + 48, 4),
        .width = (uint16_t)lq_wire_get(bytes + 52, 2),
        .height = (uint16_t)lq_wire_get(bytes + 54, 2),
        .quality = bytes[56],
        .propagated = bytes[57] & 1,
    };
    for (int i = 0; i < 6; i++)
        reply->stage_us[i] = (uint32_t)lq_wire_get(bytes + 20 + 4 * i, 4);
    return LQ_OK;
}

void lq_wire_reply_write(const struct lq_wire_reply *reply, uint8_t bytes[LQ_WIRE_REPLY_BYTES])
{
    memset(bytes, 0, LQ_WIRE_REPLY_BYTES);
    bytes[0] = reply->type;
    bytes[1] = reply->nails;
    lq_wire_put(bytes + 2, LQ_WIRE_REPLY_BYTES, 2);
    lq_wire_put(bytes + 4, reply->id, 4);
    lq_wire_put(bytes + 8, reply->client_time, 8);
    lq_wire_put(bytes + 16, reply->queue_us, 4);
    for (int i = 0; i < 6; i++)
        lq_wire_put(bytes + 20 + 4 * i, reply->stage_us[i], 4);
    lq_wire_put(bytes + 44, reply->served_us, 4);
    lq_wire_put(bytes + 48, reply->replaced, 4);
    lq_wire_put(bytes + 52, reply->width, 2);
    lq_wire_put(bytes + 54, reply->height, 2);
    bytes[56] = reply->quality;
    bytes[57] = reply->propagated;
}

void lq_wire_reply_set_served(uint8_t bytes[LQ_WIRE_REPLY_BYTES], uint32_t served_us,
                              uint32_t replaced)
{
    lq_wire_put(bytes + 44, served_us, 4);
    lq_wire_put(bytes + 48, replaced, 4);
}
