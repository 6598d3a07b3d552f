// Two passes per output row: the source rows under it are blended into one row of floats (all lanes
// alike, so the compiler vectorises it), then each output pixel is computed from that row with its
// channels side by side in one vector. All intermediate data stays in the first-level cache.
#include "image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum {
    TABLE_BYTES_MAX = 1024 * 1024, // outputs x taps <= 2 x inputs + 4 x outputs, four bytes each
    ROW_BYTES_MAX = 2 * 1024 * 1024,
    BLEND_ROWS = 4,                // source rows blended at once
};

// The filter for one direction: output i is the sum of weights[i * taps + t] x input[starts[i] +
// t]. start + taps never exceeds the number of inputs.
struct axis {
    int from, to; // the sizes it was made for
    int taps;
    struct lq_buf starts;  // int
    struct lq_buf weights; // float
};

struct lq_resizer {
    struct axis across;
    struct axis down;
    struct lq_buf blended; // one row: source width x source channels, float
    struct lq_buf pixels;  // one row: target width x 4, float
};

int lq_resizer_new(struct lq_resizer **resizer)
{
    *resizer = calloc(1, sizeof(**resizer));
    if (!*resizer)
        return LQ_ERR_MEMORY;
    struct axis *axes[] = {&(*resizer)->across, &(*resizer)->down};
    for (size_t i = 0; i < LQ_COUNT(axes); i++) {
        lq_buf_init(&axes[i]->starts, TABLE_BYTES_MAX);
        lq_buf_init(&axes[i]->weights, TABLE_BYTES_MAX);
    }
    lq_buf_init(&(*resizer)->blended, ROW_BYTES_MAX);
    lq_buf_init(&(*resizer)->pixels, ROW_BYTES_MAX);
    return LQ_OK;
}

void lq_resizer_free(struct lq_resizer *resizer)
{
    if (!resizer)
        return;
    struct axis *axes[] = {&resizer->across, &resizer->down};
    for (size_t i = 0; i < LQ_COUNT(axes); i++) {
        lq_buf_release(&axes[i]->starts);
        lq_buf_release(&axes[i]->weights);
    }
    lq_buf_release(&resizer->blended);
    lq_buf_release(&resizer->pixels);
    free(resizer);
}

// The inputs that contribute to output i, [first, end), and their weights before normalisation.
struct window {
    double centre;
    double support;
    int first, end;
};

static struct window window_of(int from, int to, int i)
{
    double reduction = (double)from / to;
    struct window window = {.centre = (i + 0.5) * reduction, .support = fmax(reduction, 1.0)};
    window.first = (int)fmax(window.centre - window.support + 0.5, 0);
    window.end = (int)fmin(window.centre + window.support + 0.5, from);
    return window;
}

static double window_weight(const struct window *window, int input)
{
    return fmax(0, 1 - fabs((input + 0.5 - window->centre) / window->support));
}

static int axis_taps(int from, int to)
{
    int taps = 1;
    for (int i = 0; i < to; i++) {
        struct window window = window_of(from, to, i);
        // A pixel exactly at the triangle's foot has weight 0; that is common when sizes are equal.
        while (window.end > window.first + 1 && window_weight(&window, window.end - 1) < 1e-9)
            window.end--;
        if (window.end - window.first > taps)
            taps = window.end - window.first;
    }
    return taps;
}

static void axis_fill(struct axis *axis, int i)
{
    struct window window = window_of(axis->from, axis->to, i);
    int start = window.first < axis->from - axis->taps ? window.first : axis->from - axis->taps;
    float *weights = (float *)axis->weights.data + (size_t)i * (size_t)axis->taps;
    double sum = 0;
    for (int t = 0; t < axis->taps; t++)
        sum += window_weight(&window, start + t);
    for (int t = 0; t < axis->taps; t++)
        weights[t] = (float)(window_weight(&window, start + t) / sum);
    ((int *)axis->starts.data)[i] = start;
}

static int axis_set(struct axis *axis, int from, int to)
{
    if (axis->from == from && axis->to == to)
        return LQ_OK;
    axis->from = axis->to = 0; // invalid until it is complete
    int taps = axis_taps(from, to);
    int status = lq_buf_resize(&axis->starts, (size_t)to * sizeof(int));
    if (status == LQ_OK)
        status = lq_buf_resize(&axis->weights, (size_t)to * (size_t)taps * sizeof(float));
    if (status != LQ_OK)
        return status;
    axis->from = from;
    axis->to = to;
    axis->taps = taps;
    for (int i = 0; i < to; i++)
        axis_fill(axis, i);
    return LQ_OK;
}

struct blend {
    const void *rows[BLEND_ROWS];
    float weights[BLEND_ROWS];
};

static inline __attribute__((always_inline)) float sample(const void *row, size_t i, int depth)
{
    return depth == 16 ? ((const uint16_t *)row)[i] : ((const uint8_t *)row)[i];
}

static inline __attribute__((always_inline)) void blend_samples(const struct blend *blend,
                                                                float *restrict out, size_t count,
                                                                int depth, bool add)
{
    const void *r0 = blend->rows[0], *r1 = blend->rows[1];
    const void *r2 = blend->rows[2], *r3 = blend->rows[3];
    float w0 = blend->weights[0], w1 = blend->weights[1];
    float w2 = blend->weights[2], w3 = blend->weights[3];
    for (size_t i = 0; i < count; i++) {
        float sum = w0 * sample(r0, i, depth) + w1 * sample(r1, i, depth) +
                    w2 * sample(r2, i, depth) + w3 * sample(r3, i, depth);
        out[i] = add ? out[i] + sum : sum;
    }
}

// Constant depths give loops without branches.
LQ_HOT static void blend_rows(const struct blend *blend, float *restrict out, size_t count,
                              int depth, bool add)
{
    if (depth == 8 && add)
        blend_samples(blend, out, count, 8, true);
    else if (depth == 8)
        blend_samples(blend, out, count, 8, false);
    else
        blend_samples(blend, out, count, 16, add);
}

static void blend_row(const struct axis *down, int y, const struct lq_image *source, float *out)
{
    int start = ((const int *)down->starts.data)[y];
    const float *weights = (const float *)down->weights.data + (size_t)y * (size_t)down->taps;
    size_t count = (size_t)source->width * (size_t)source->channels;
    for (int t = 0; t < down->taps; t += BLEND_ROWS) {
        struct blend blend;
        for (int i = 0; i < BLEND_ROWS; i++) {
            bool there = t + i < down->taps;
            blend.rows[i] = lq_image_row(source, there ? start + t + i : start);
            blend.weights[i] = there ? weights[t + i] : 0;
        }
        blend_rows(&blend, out, count, source->depth, t > 0);
    }
}

// Four floats at a pixel. The fourth (the neighbour's first, or alpha) is ignored.
struct lanes {
    float lane __attribute__((vector_size(16)));
};

// Computes the output row from `row`, whose pixels are `step` floats apart.
static inline __attribute__((always_inline)) void gather(const float *row,
                                                         const struct axis *across, int taps,
                                                         int step, struct lanes *out)
{
    const int *starts = (const int *)across->starts.data;
    const float *weights = (const float *)across->weights.data;
    int count = across->to;
    for (int x = 0; x < count; x++) {
        const float *from = row + (size_t)starts[x] * (size_t)step;
        const float *w = weights + (size_t)x * (size_t)taps;
        struct lanes sum = {0}, pixel;
        for (int t = 0; t < taps; t++, from += step) {
            memcpy(&pixel, from, sizeof(pixel));
            sum.lane += pixel.lane * w[t];
        }
        out[x] = sum;
    }
}

// With constant steps and small constant numbers of taps the compiler unrolls the loops.
LQ_HOT static void gather_row(const float *row, const struct axis *across, int step,
                              struct lanes *out)
{
    if (step == 3) {
        switch (across->taps) {
        case 1: gather(row, across, 1, 3, out); break;
        case 2: gather(row, across, 2, 3, out); break;
        case 3: gather(row, across, 3, 3, out); break;
        case 4: gather(row, across, 4, 3, out); break;
        case 5: gather(row, across, 5, 3, out); break;
        case 6: gather(row, across, 6, 3, out); break;
        default: gather(row, across, across->taps, 3, out); break;
        }
    } else {
        gather(row, across, across->taps, 4, out);
    }
}

struct tone {
    float scale[3];
    float bias[3];
};

LQ_HOT static void emit_planes(const float *restrict pixels, int count, const struct tone *tone,
                               float *restrict red, float *restrict green, float *restrict blue)
{
    float s0 = tone->scale[0], s1 = tone->scale[1], s2 = tone->scale[2];
    float b0 = tone->bias[0], b1 = tone->bias[1], b2 = tone->bias[2];
    for (int x = 0; x < count; x++) {
        red[x] = pixels[4 * x] * s0 + b0;
        green[x] = pixels[4 * x + 1] * s1 + b1;
        blue[x] = pixels[4 * x + 2] * s2 + b2;
    }
}

LQ_HOT static void emit_pixels(const float *restrict pixels, int count, const struct tone *tone,
                               float *restrict out)
{
    for (int x = 0; x < count; x++) {
        for (int c = 0; c < 3; c++)
            out[3 * x + c] = pixels[4 * x + c] * tone->scale[c] + tone->bias[c];
    }
}

static void fill(float *out, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        out[i] = value;
}

static void pad_pixels(const struct lq_resize_target *target, int y, int from, int to,
                       const float values[3])
{
    float *row = target->data + (size_t)y * (size_t)target->tensor_width * 3;
    for (int x = from; x < to; x++)
        memcpy(row + 3 * (size_t)x, values, 3 * sizeof(float));
}

static void pad_planes(const struct lq_resize_target *target, int y, int from, int to,
                       const float values[3])
{
    size_t width = (size_t)target->tensor_width;
    size_t plane = width * (size_t)target->tensor_height;
    for (int c = 0; c < 3; c++)
        fill(target->data + (size_t)c * plane + (size_t)y * width + (size_t)from,
             (size_t)(to - from), values[c]);
}

static void pad_around(const struct lq_resize_target *target)
{
    float values[3];
    for (int c = 0; c < 3; c++)
        values[c] = target->pad * target->scale[c] + target->bias[c];
    for (int y = 0; y < target->tensor_height; y++) {
        bool inside = y >= target->y && y < target->y + target->height;
        int left = inside ? target->x : target->tensor_width;
        int right = inside ? target->x + target->width : target->tensor_width;
        if (target->channels_first) {
            pad_planes(target, y, 0, left, values);
            pad_planes(target, y, right, target->tensor_width, values);
        } else {
            pad_pixels(target, y, 0, left, values);
            pad_pixels(target, y, right, target->tensor_width, values);
        }
    }
}

static void emit_row(const struct lq_resize_target *target, int y, const float *pixels,
                     const struct tone *tone)
{
    size_t width = (size_t)target->tensor_width;
    size_t plane = width * (size_t)target->tensor_height;
    size_t at = (size_t)(target->y + y) * width + (size_t)target->x;
    float *out = target->data;
    if (target->channels_first)
        emit_planes(pixels, target->width, tone, out + at, out + plane + at, out + 2 * plane + at);
    else
        emit_pixels(pixels, target->width, tone, out + 3 * at);
}

static int check(const struct lq_image *source, const struct lq_resize_target *target,
                 struct lq_error *err)
{
    bool read = source->width >= 1 && source->height >= 1 && source->width <= LQ_PICTURE_SIDE_MAX &&
                source->height <= LQ_PICTURE_SIDE_MAX &&
                (source->channels == 3 || source->channels == 4) &&
                (source->depth == 8 || source->depth == 16);
    if (!read)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot resize %dx%d pixels of %d channels, %d bits",
                       source->width, source->height, source->channels, source->depth);
    bool fits = target->width >= 1 && target->height >= 1 && target->x >= 0 && target->y >= 0 &&
                target->tensor_width <= LQ_PICTURE_SIDE_MAX &&
                target->tensor_height <= LQ_PICTURE_SIDE_MAX &&
                target->width <= target->tensor_width - target->x &&
                target->height <= target->tensor_height - target->y;
    if (!fits)
        return lq_fail(err, LQ_ERR_ARGUMENT, "%dx%d pixels at %d,%d do not lie in a %dx%d tensor",
                       target->width, target->height, target->x, target->y, target->tensor_width,
                       target->tensor_height);
    return LQ_OK;
}

static int prepare(struct lq_resizer *resizer, const struct lq_image *source,
                   const struct lq_resize_target *target)
{
    int status = axis_set(&resizer->across, source->width, target->width);
    if (status == LQ_OK)
        status = axis_set(&resizer->down, source->height, target->height);
    // One float more, because a pixel of three channels is read as four.
    size_t count = (size_t)source->width * (size_t)source->channels + 1;
    if (status == LQ_OK)
        status = lq_buf_resize(&resizer->blended, count * sizeof(float));
    if (status == LQ_OK)
        status = lq_buf_resize(&resizer->pixels, (size_t)target->width * sizeof(struct lanes));
    if (status == LQ_OK)
        ((float *)resizer->blended.data)[count - 1] = 0;
    return status;
}

int lq_resizer_run(struct lq_resizer *resizer, const struct lq_image *source,
                   const struct lq_resize_target *target, struct lq_error *err)
{
    int status = check(source, target, err);
    if (status != LQ_OK)
        return status;
    status = prepare(resizer, source, target);
    if (status != LQ_OK)
        return lq_fail(err, status, "no room to resize the picture");
    struct tone tone;
    for (int c = 0; c < 3; c++) {
        tone.scale[c] = target->scale[c] / (source->depth == 16 ? 65535.0f : 255.0f);
        tone.bias[c] = target->bias[c];
    }
    float *blended = (float *)resizer->blended.data;
    struct lanes *pixels = (struct lanes *)resizer->pixels.data;
    pad_around(target);
    for (int y = 0; y < target->height; y++) {
        blend_row(&resizer->down, y, source, blended);
        gather_row(blended, &resizer->across, source->channels, pixels);
        emit_row(target, y, (const float *)pixels, &tone);
    }
    return LQ_OK;
}
