#include "engine/u8.h"

#include "base/attr.h"

static inline uint8_t byte_of(float number, float scale, float bias)
{
    float value = number * scale + bias;
    value = value > 0 ? value : 0; // also turns NaN into 0
    value = value < 255 ? value : 255;
    return (uint8_t)(int)(value + 0.5f);
}

LQ_HOT static void run(uint8_t *restrict out, const float *restrict in, size_t count, float scale,
                       float bias)
{
    for (size_t i = 0; i < count; i++)
        out[i] = byte_of(in[i], scale, bias);
}

LQ_HOT static void run_pixels(uint8_t *restrict out, const float *restrict in, size_t count,
                              const struct lq_u8_rule *rule)
{
    for (size_t i = 0; i + 2 < count; i += 3)
        for (size_t c = 0; c < 3; c++)
            out[i + c] = byte_of(in[i + c], rule->scale[c], rule->bias[c]);
}

void lq_u8_from_f32(uint8_t *out, const float *in, size_t count, const struct lq_u8_rule *rule)
{
    const float *scale = rule->scale, *bias = rule->bias;
    bool alike = scale[0] == scale[1] && scale[1] == scale[2] && bias[0] == bias[1] &&
                 bias[1] == bias[2];
    if (alike) {
        run(out, in, count, scale[0], bias[0]);
    } else if (rule->planes) {
        for (size_t c = 0; c < 3; c++)
            run(out + c * (count / 3), in + c * (count / 3), count / 3, scale[c], bias[c]);
    } else {
        run_pixels(out, in, count, rule);
    }
}
