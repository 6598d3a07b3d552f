#include "frame/wire_nails.h"

#include <math.h>
#include <string.h>

#include "frame/crop.h"
#include "frame/wire.h"

static uint8_t *put(uint8_t *to, uint64_t value, int size)
{
    lq_wire_put(to, value, size);
    return to + size;
}

static uint8_t *put_floats(uint8_t *to, const float *values, int count)
{
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        to = put(to, bits, 4);
    }
    return to;
}

static uint8_t *put_block(uint8_t *to, int kind, size_t len)
{
    to = put(to, (uint64_t)kind, 2);
    return put(to, len, 2);
}

static int append_light(struct lq_buf *out, const struct lq_scene *scene)
{
    const struct lq_light *light = &scene->light;
    const float values[] = {light->exposure, light->tint[0], light->tint[1], light->tint[2],
                            light->dir_x, light->dir_y, scene->level};
    uint8_t block[LQ_WIRE_BLOCK_BYTES + LQ_WIRE_LIGHT_BYTES];
    uint8_t *to = put_block(block, LQ_WIRE_BLOCK_LIGHT, LQ_WIRE_LIGHT_BYTES);
    put_floats(to, values, LQ_COUNT(values));
    return lq_buf_append(out, block, sizeof block);
}

struct crop {
    int scale, width, height; // samples
    size_t bytes;             // of the encoded crop
};

// Encodes the nail's alpha at crop->scale into scratch, which also holds the reduced plane.
static int code_crop(struct crop *crop, const struct lq_nail *nail, struct lq_buf *scratch)
{
    crop->width = (nail->crop.width + crop->scale - 1) / crop->scale;
    crop->height = (nail->crop.height + crop->scale - 1) / crop->scale;
    size_t most = lq_crop_bytes_max(crop->width, crop->height);
    int status = lq_buf_resize(scratch, 2 * most);
    if (status != LQ_OK)
        return status;
    const uint8_t *alpha = nail->alpha;
    size_t stride = nail->alpha_stride;
    if (crop->scale > 1) {
        uint8_t *shrunk = scratch->data + most;
        lq_crop_shrink(alpha, stride, nail->crop.width, nail->crop.height, crop->scale, shrunk);
        alpha = shrunk;
        stride = (size_t)crop->width;
    }
    crop->bytes = lq_crop_encode(alpha, stride, crop->width, crop->height, scratch->data);
    return LQ_OK;
}

// Chooses scales at which all crops fit: halves the largest until they do.
static int choose_scales(struct crop *crops, const struct lq_nails *nails, struct lq_buf *scratch)
{
    size_t total = 0;
    for (int i = 0; i < nails->count; i++) {
        crops[i].scale = 1;
        int status = code_crop(&crops[i], &nails->items[i], scratch);
        if (status != LQ_OK)
            return status;
        total += crops[i].bytes;
    }
    while (total > LQ_WIRE_CROPS_BYTES_MAX) {
        struct crop *most = crops;
        for (int i = 1; i < nails->count; i++)
            if (crops[i].bytes > most->bytes)
                most = &crops[i];
        if (most->scale == LQ_WIRE_SCALE_MAX)
            break;
        total -= most->bytes;
        most->scale *= 2;
        int status = code_crop(most, &nails->items[most - crops], scratch);
        if (status != LQ_OK)
            return status;
        total += most->bytes;
    }
    return LQ_OK;
}

static uint8_t to_byte(float share)
{
    return (uint8_t)(255.0f * (share < 1.0f ? share : 1.0f) + 0.5f);
}

static int append_nail(struct lq_buf *out, const struct lq_nail *nail, struct crop *crop,
                       const struct lq_shade_fit *fit, struct lq_buf *scratch)
{
    int status = code_crop(crop, nail, scratch);
    if (status != LQ_OK)
        return status;
    const float frame[] = {nail->center_x, nail->center_y, nail->axis_x, nail->axis_y,
                           nail->length, nail->width, nail->curvature};
    const float light[] = {fit->level, fit->grey, fit->bed[0], fit->bed[1], fit->bed[2]};
    uint8_t head[LQ_WIRE_BLOCK_BYTES + LQ_WIRE_NAIL_BYTES];
    uint8_t *to = put_block(head, LQ_WIRE_BLOCK_NAIL, LQ_WIRE_NAIL_BYTES + crop->bytes);
    to = put(to, LQ_WIRE_NAIL_BYTES, 2);
    to = put(to, (uint64_t)nail->finger, 1);
    to = put(to, to_byte(nail->confidence), 1);
    to = put(to, (uint64_t)nail->id, 4);
    to = put(to, (uint64_t)nail->crop.x, 2);
    to = put(to, (uint64_t)nail->crop.y, 2);
    to = put(to, (uint64_t)crop->width, 2);
    to = put(to, (uint64_t)crop->height, 2);
    to = put(to, (uint64_t)crop->scale, 1);
    to = put(to, nail->tip_known, 1);
    to = put(to, (uint64_t)(256.0f * fminf(nail->edge, 255.0f) + 0.5f), 2);
    to = put_floats(to, frame, LQ_COUNT(frame));
    to = put_floats(to, fit->c, LQ_COUNT(fit->c));
    put_floats(to, light, LQ_COUNT(light));
    status = lq_buf_append(out, head, sizeof head);
    return status == LQ_OK ? lq_buf_append(out, scratch->data, crop->bytes) : status;
}

int lq_wire_nails_append(struct lq_buf *out, struct lq_buf *scratch, const struct lq_nails *nails,
                         const struct lq_scene *scene)
{
    struct crop crops[LQ_NAILS_MAX];
    int status = append_light(out, scene);
    if (status == LQ_OK)
        status = choose_scales(crops, nails, scratch);
    for (int i = 0; i < nails->count && status == LQ_OK; i++)
        status = append_nail(out, &nails->items[i], &crops[i], &scene->fits[i], scratch);
    return status;
}

struct lq_wire_reply lq_wire_reply_of(const struct lq_job *job)
{
    struct lq_wire_reply reply = {
        .type = job->paint ? LQ_WIRE_TYPE_JPEG : LQ_WIRE_TYPE_NAILS,
        .nails = (uint8_t)job->nails->count,
        .width = (uint16_t)job->width,
        .height = (uint16_t)job->height,
        .quality = (uint8_t)(job->paint ? job->jpeg_quality : 0),
        .propagated = job->propagated,
    };
    memcpy(reply.stage_us, job->stage_us, sizeof reply.stage_us);
    return reply;
}
