#include <math.h>
#include <string.h>

#include "model/decode.h"

// In a map of logits most values lie outside 0..1 (background is far below 0); in a map of
// probabilities none do, except for rounding and a stray value of a broken run.
static const float range_slack = 1e-3f;
enum { OUTSIDE_PART = 100 }; // more than one value in so many outside: logits

float lq_sigmoid(float x)
{
    float y = 1.0f / (1.0f + expf(-x));
    return isfinite(x) ? y : 0.0f;
}

LQ_HOT static int count_outside(const float *values, int count)
{
    int outside = 0;
    for (int i = 0; i < count; i++)
        outside += (values[i] < -range_slack) | (values[i] > 1.0f + range_slack);
    return outside;
}

enum lq_values lq_mask_values(const struct lq_layout *layout, enum lq_values declared,
                              const float *map)
{
    int count = layout->map_width * layout->map_height * layout->map_channels;
    if (declared == LQ_VALUES_LOGITS || count_outside(map, count) > count / OUTSIDE_PART)
        return LQ_VALUES_LOGITS;
    return LQ_VALUES_PROBABILITY;
}

// Clamps probabilities to 0..1; NaN becomes 0, since both comparisons are false for it.
LQ_HOT static void copy_clamped(float *grid, const float *map, int step, int count)
{
    for (int i = 0; i < count; i++) {
        float value = map[(size_t)i * (size_t)step];
        value = value > 0.0f ? value : 0.0f;
        grid[i] = value <= 1.0f ? value : isinf(value) ? 0.0f : 1.0f;
    }
}

// Two classes' logits: softmax of two is the sigmoid of their difference.
static void copy_sigmoid(float *grid, const float *nail, const float *rest, int step, int count)
{
    for (int i = 0; i < count; i++) {
        size_t at = (size_t)i * (size_t)step;
        grid[i] = lq_sigmoid(rest ? nail[at] - rest[at] : nail[at]);
    }
}

void lq_mask_decode(const struct lq_layout *layout, const struct lq_rules *rules,
                    const struct lq_geometry *geometry, const float *map, float *grid,
                    struct lq_patch *patch)
{
    int count = layout->map_width * layout->map_height;
    int channels = layout->map_channels;
    size_t plane = layout->map_channels_first ? (size_t)count : 1;
    int step = layout->map_channels_first ? 1 : channels;
    int nail_channel = channels > 1 ? rules->nail_channel : 0;
    const float *nail = map + (size_t)nail_channel * plane;
    const float *rest = channels > 1 ? map + (size_t)(1 - nail_channel) * plane : NULL;
    enum lq_values values = rules->values;
    if (values == LQ_VALUES_AUTO)
        values = lq_mask_values(layout, values, map);
    if (values == LQ_VALUES_LOGITS)
        copy_sigmoid(grid, nail, rest, step, count);
    else
        copy_clamped(grid, nail, step, count);

    float step_x = (float)geometry->tensor_width / (float)layout->map_width;
    float step_y = (float)geometry->tensor_height / (float)layout->map_height;
    *patch = (struct lq_patch){
        .confidence = 1.0f,
        .threshold = rules->threshold,
        .width = layout->map_width,
        .height = layout->map_height,
        .stride = layout->map_width,
        .data = grid,
        .x0 = (0.5f * step_x - geometry->offset_x) / geometry->scale_x,
        .y0 = (0.5f * step_y - geometry->offset_y) / geometry->scale_y,
        .dx = step_x / geometry->scale_x,
        .dy = step_y / geometry->scale_y,
        .box = {0, 0, (float)geometry->picture_width, (float)geometry->picture_height},
    };
}
