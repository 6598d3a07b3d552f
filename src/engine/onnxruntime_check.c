#include "engine/onnxruntime_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/f16.h"

// Values in 0..1: a gradient, or a bright picture with waves. A network that detects nothing in
// either must still compute outputs for them that differ by more than the rounding error of f16.
static float value_at(size_t index, int picture)
{
    float x = (float)(index % 1009) / 1009.0f, y = (float)(index % 7919) / 7919.0f;
    return picture == 0 ? 0.5f * (x + y) : 0.93f + 0.05f * sinf(23.0f * x) * cosf(31.0f * y);
}

void lq_ort_draw(const struct lq_tensors *tensors, int part, int parts, int picture)
{
    const struct lq_tensor *input = &tensors->inputs[0];
    size_t count = lq_tensor_count(input) / (size_t)parts;
    size_t size = lq_tensor_bytes(input) / (size_t)parts / (count ? count : 1);
    uint8_t *to = (uint8_t *)input->data + (size_t)part * count * size;
    for (size_t i = 0; i < count; i++, to += size) {
        float value = value_at(i, picture);
        uint8_t byte = (uint8_t)(255.0f * value);
        if (input->type == LQ_TENSOR_F32)
            memcpy(to, &value, sizeof value);
        else if (input->type == LQ_TENSOR_F16)
            lq_f16_from_f32(to, &value, 1);
        else
            memcpy(to, &byte, 1);
    }
}

static double number_at(const struct lq_tensor *tensor, size_t index)
{
    const uint8_t *from = tensor->data;
    size_t size = lq_tensor_bytes(tensor) / lq_tensor_count(tensor);
    float value = 0;
    int64_t whole = 0;
    from += index * size;
    if (tensor->type == LQ_TENSOR_F32)
        memcpy(&value, from, sizeof value);
    else if (tensor->type == LQ_TENSOR_F16)
        lq_f16_to_f32(&value, from, 1);
    else
        memcpy(&whole, from, size < sizeof whole ? size : sizeof whole);
    return tensor->type == LQ_TENSOR_F32 || tensor->type == LQ_TENSOR_F16 ? (double)value
                                                                          : (double)whole;
}

static bool are_probabilities(const struct lq_tensor *tensor)
{
    size_t count = lq_tensor_count(tensor);
    bool fine = tensor->type == LQ_TENSOR_F32 || tensor->type == LQ_TENSOR_F16;
    for (size_t i = 0; i < count && fine; i++) {
        double value = number_at(tensor, i);
        fine = value >= 0 && value <= 1;
    }
    return fine;
}

// Compares probabilities as logits, which still differ where probabilities saturate at 0 or 1.
static double logit(double value)
{
    const double least = 1e-7;
    value = value < least ? least : value > 1 - least ? 1 - least : value;
    return log(value / (1 - value));
}

static double distance(const struct lq_tensor *tensor, int part, int parts,
                       const struct lq_tensor *other)
{
    size_t count = lq_tensor_count(other);
    double apart = 0, whole = 0;
    bool as_logits = are_probabilities(other);
    if (tensor->type != other->type || lq_tensor_count(tensor) != count * (size_t)parts)
        return HUGE_VAL;
    for (size_t i = 0; i < count; i++) {
        double value = number_at(tensor, (size_t)part * count + i), wanted = number_at(other, i);
        if (as_logits) {
            value = logit(value);
            wanted = logit(wanted);
        }
        apart += (value - wanted) * (value - wanted);
        whole += wanted * wanted;
    }
    // 0.01 keeps a tiny absolute difference between outputs near 0 from counting as a large one.
    double found = sqrt(apart / (double)count) / (sqrt(whole / (double)count) + 0.01);
    return isnan(found) ? HUGE_VAL : found;
}

double lq_ort_distance(const struct lq_tensors *tensors, int part, int parts,
                       const struct lq_tensors *others)
{
    double most = tensors->output_count == others->output_count ? 0 : HUGE_VAL;
    for (int i = 0; i < others->output_count && most < HUGE_VAL; i++)
        most = fmax(most, distance(&tensors->outputs[i], part, parts, &others->outputs[i]));
    return most;
}
