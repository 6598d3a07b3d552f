#include "model/edges.h"

#include "base/attr.h"
#include "engine/f16.h"

bool lq_edge_takes_picture(enum lq_tensor_type type)
{
    return lq_edge_gives_numbers(type) || type == LQ_TENSOR_U8 || type == LQ_TENSOR_I8;
}

bool lq_edge_gives_numbers(enum lq_tensor_type type)
{
    return type == LQ_TENSOR_F32 || type == LQ_TENSOR_F16;
}

struct lq_quantised lq_edge_rule(enum lq_tensor_type type, struct lq_quantised given)
{
    if (given.scale > 0)
        return given;
    return (struct lq_quantised){1.0f / 255, type == LQ_TENSOR_I8 ? -128 : 0};
}

// Rounds to the nearest step and clamps to the type; NaN becomes the minimum.
LQ_HOT static void write_steps(uint8_t *out, const float *from, size_t count, float scale,
                               float zero, float low)
{
    float factor = 1.0f / scale;
    for (size_t i = 0; i < count; i++) {
        float step = from[i] * factor + zero - low;
        step = step > 0.0f ? step : 0.0f;
        step = step < 255.0f ? step : 255.0f;
        out[i] = (uint8_t)((int)(step + 0.5f) + (int)low);
    }
}

void lq_edge_write(const struct lq_tensor *tensor, struct lq_quantised rule, const float *from,
                   size_t count)
{
    if (tensor->type == LQ_TENSOR_F16)
        lq_f16_from_f32(tensor->data, from, count);
    else
        write_steps(tensor->data, from, count, rule.scale, (float)rule.zero,
                    tensor->type == LQ_TENSOR_I8 ? -128.0f : 0.0f);
}

const float *lq_edge_read(const struct lq_tensor *tensor, float *room)
{
    if (tensor->type == LQ_TENSOR_F32)
        return tensor->data;
    lq_f16_to_f32(room, tensor->data, lq_tensor_count(tensor));
    return room;
}
