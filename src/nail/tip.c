#include "nail/tip.h"

#include <math.h>

#include "nail/shape.h"

// The four directions: along the axis and back, across it and back.
enum { WAYS = 4, GRID = 5, SAMPLES_MIN = 3 };

// A place's colour in terms that change little with the light: logarithm of brightness, how much
// redder than green, and how much yellower than blue.
struct tint {
    bool valid; // enough of it lies inside the picture
    float light, red, yellow;
};

struct frame {
    float x, y, along_x, along_y, half, width;
};

// Features of one end of a nail.
struct end {
    float flank_most, flank_least; // difference from what lies beside the end, on either side
    float side;                    // … from what lies beside the nail
    float body;                    // … from the nail itself
    float red, unlike_skin;
    float paler;                   // how much less red the nail's last part is than its middle
    float off;                     // 1: outside the picture
};

// Weights of the difference between an end and the opposite one, for the first being the tip: a fit
// of this sum to 3,085 nails in 950 pictures by train/synth (seed 7), rounded.
static const struct end WEIGHT = {-1.0f, -0.72f, -0.64f, 0.62f, -1.76f, 1.59f, 5.5f, 0.66f};
static const float ACROSS = -0.57f, ACROSS_ASPECT = -1.38f; // for a tip across the longer axis
// if both ends of a direction stand out
static const float EITHER_FLANK = 0.9f, EITHER_SIDE = 0.25f;
static const float AGREE = 2.5f, AGREE_REACH = 3.0f;         // neighbours; reach in nail sizes
static const float SKIN_RED = 0.28f, APART_MAX = 2.0f;

static void add_pixel(const struct lq_image *picture, int x, int y, float sum[3])
{
    const uint8_t *at = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    const uint16_t *wide = (const uint16_t *)(const void *)at;
    for (int k = 0; k < 3; k++)
        sum[k] += picture->depth == 8 ? (float)at[k] * (1.0f / 255.0f)
                                      : (float)wide[k] * (1.0f / 65535.0f);
}

// The mean over a grid, `from` to `to` pixels along the frame and `left` to `right` across it.
static struct tint sample_tint(const struct lq_image *picture, const struct frame *frame,
                               float from, float to, float left, float right)
{
    float sum[3] = {0};
    int count = 0;
    for (int j = 0; j < GRID; j++)
        for (int i = 0; i < GRID; i++) {
            float u = from + (to - from) * (float)j / (GRID - 1);
            float w = left + (right - left) * (float)i / (GRID - 1);
            float x = frame->x + u * frame->along_x - w * frame->along_y;
            float y = frame->y + u * frame->along_y + w * frame->along_x;
            if (!(x >= 0.0f && y >= 0.0f && x < (float)picture->width &&
                  y < (float)picture->height))
                continue;
            add_pixel(picture, (int)x, (int)y, sum);
            count++;
        }
    if (count < SAMPLES_MIN)
        return (struct tint){0};
    float r = sum[0] / (float)count, g = sum[1] / (float)count, b = sum[2] / (float)count;
    float y = (r + g + b) / 3.0f;
    return (struct tint){true, logf(y + 0.05f), (r - g) / (y + 0.1f),
                         (0.5f * (r + g) - b) / (y + 0.1f)};
}

static float apart(struct tint a, struct tint b)
{
    float light = a.light - b.light, red = 3.0f * (a.red - b.red);
    float yellow = 2.0f * (a.yellow - b.yellow);
    return fminf(sqrtf(light * light + red * red + yellow * yellow), APART_MAX);
}

static struct tint middle_of(struct tint a, struct tint b)
{
    return (struct tint){true, 0.5f * (a.light + b.light), 0.5f * (a.red + b.red),
                         0.5f * (a.yellow + b.yellow)};
}

static struct end measure_end(const struct lq_image *picture, const struct frame *frame)
{
    float h = frame->half, b = frame->width;
    struct end end = {0};
    struct tint body = sample_tint(picture, frame, -0.35f * h, 0.35f * h, -0.25f * b, 0.25f * b);
    struct tint last = sample_tint(picture, frame, 0.7f * h, 0.92f * h, -0.25f * b, 0.25f * b);
    struct tint near = sample_tint(picture, frame, h + 0.1f * b, h + 0.4f * b, -0.3f * b, 0.3f * b);
    struct tint next = sample_tint(picture, frame, h + 0.5f * b, h + 1.1f * b, -0.3f * b, 0.3f * b);
    near = near.valid ? near : body;
    end.off = next.valid ? 0.0f : 1.0f;
    next = next.valid ? next : near;
    struct tint beyond = middle_of(near, next);
    float flank[2], side[2];
    for (int k = 0; k < 2; k++) {
        float s = k ? b : -b;
        struct tint f = sample_tint(picture, frame, h + 0.1f * b, h + b, 0.85f * s, 1.15f * s);
        struct tint d = sample_tint(picture, frame, -0.5f * h, 0.5f * h, 0.8f * s, 1.05f * s);
        flank[k] = f.valid ? apart(beyond, f) : -1.0f;
        side[k] = d.valid ? apart(beyond, d) : -1.0f;
    }
    end.flank_most = fmaxf(fmaxf(flank[0], flank[1]), 0.0f);
    end.flank_least = flank[0] < 0.0f || flank[1] < 0.0f ? end.flank_most
                                                         : fminf(flank[0], flank[1]);
    end.side = side[0] < 0.0f || side[1] < 0.0f ? fmaxf(fmaxf(side[0], side[1]), 0.0f)
                                                : fminf(side[0], side[1]);
    end.body = apart(near, body);
    end.red = next.red;
    end.unlike_skin = fabsf(next.red - SKIN_RED);
    end.paler = last.valid ? body.red - last.red : 0.0f;
    return end;
}

static float weigh(const struct end *a, const struct end *b)
{
    return WEIGHT.flank_most * (a->flank_most - b->flank_most) +
           WEIGHT.flank_least * (a->flank_least - b->flank_least) +
           WEIGHT.side * (a->side - b->side) + WEIGHT.body * (a->body - b->body) +
           WEIGHT.red * (a->red - b->red) +
           WEIGHT.unlike_skin * (a->unlike_skin - b->unlike_skin) +
           WEIGHT.paler * (a->paler - b->paler) + WEIGHT.off * (a->off - b->off);
}

static void way_of(const struct lq_nail *nail, int way, float *x, float *y)
{
    float sign = way % 2 ? -1.0f : 1.0f;
    *x = sign * (way < 2 ? nail->axis_x : -nail->axis_y);
    *y = sign * (way < 2 ? nail->axis_y : nail->axis_x);
}

// Log odds of each direction, up to a common constant.
static void log_odds_of(const struct lq_image *picture, const struct lq_nail *nail,
                        float odds[WAYS])
{
    struct end ends[WAYS];
    float aspect = logf(fmaxf(nail->length, 1.0f) / fmaxf(nail->width, 1.0f));
    for (int way = 0; way < WAYS; way++) {
        float x, y, half = 0.5f * (way < 2 ? nail->length : nail->width);
        way_of(nail, way, &x, &y);
        ends[way] = measure_end(picture, &(struct frame){nail->center_x, nail->center_y, x, y, half,
                                                         way < 2 ? nail->width : nail->length});
    }
    for (int way = 0; way < WAYS; way++) {
        const struct end *here = &ends[way], *there = &ends[way ^ 1];
        odds[way] = weigh(here, there) +
                    EITHER_FLANK * (here->flank_most + there->flank_most) +
                    EITHER_SIDE * (here->side + there->side) +
                    (way < 2 ? 0.0f : ACROSS + ACROSS_ASPECT * aspect);
    }
}

static void mean_way(struct lq_nail *nail, const float odds[WAYS])
{
    float most = fmaxf(fmaxf(odds[0], odds[1]), fmaxf(odds[2], odds[3])), whole = 0.0f;
    nail->tip_x = nail->tip_y = 0.0f;
    for (int way = 0; way < WAYS; way++) {
        float x, y, likely = expf(odds[way] - most);
        way_of(nail, way, &x, &y);
        nail->tip_x += likely * x;
        nail->tip_y += likely * y;
        whole += likely;
    }
    nail->tip_x /= whole;
    nail->tip_y /= whole;
}

static float size_of(const struct lq_nail *nail)
{
    return sqrtf(fmaxf(nail->length * nail->width, 1.0f));
}

// Mean tip direction of the other nails, weighted by nearness.
static void neighbours_direction(const struct lq_nails *nails, int index, float *x, float *y)
{
    const struct lq_nail *nail = &nails->items[index];
    float size = size_of(nail);
    *x = *y = 0.0f;
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *other = &nails->items[i];
        float off = hypotf(other->center_x - nail->center_x, other->center_y - nail->center_y);
        float share = i == index ? 0.0f : expf(-off / (AGREE_REACH * size));
        *x += share * other->tip_x;
        *y += share * other->tip_y;
    }
}

void lq_tip_face(struct lq_nail *nail, float confidence_min)
{
    float along = nail->tip_x * nail->axis_x + nail->tip_y * nail->axis_y;
    float across = nail->tip_y * nail->axis_x - nail->tip_x * nail->axis_y;
    nail->tip_known = hypotf(along, across) >= confidence_min;
    if (!nail->tip_known)
        return;
    float x = nail->axis_x, y = nail->axis_y, sign;
    if (fabsf(across) > fabsf(along)) {
        float length = nail->length;
        nail->length = nail->width;
        nail->width = length;
        sign = across < 0.0f ? -1.0f : 1.0f;
        nail->axis_x = -sign * y;
        nail->axis_y = sign * x;
    } else {
        sign = along < 0.0f ? -1.0f : 1.0f;
        nail->axis_x = sign * x;
        nail->axis_y = sign * y;
    }
}

void lq_tip_estimate(const struct lq_image *picture, struct lq_nails *nails)
{
    float odds[LQ_NAILS_MAX][WAYS], around_x[LQ_NAILS_MAX], around_y[LQ_NAILS_MAX];
    for (int i = 0; i < nails->count; i++) {
        log_odds_of(picture, &nails->items[i], odds[i]);
        mean_way(&nails->items[i], odds[i]);
    }
    for (int i = 0; i < nails->count; i++)
        neighbours_direction(nails, i, &around_x[i], &around_y[i]);
    for (int i = 0; i < nails->count; i++) {
        struct lq_nail *nail = &nails->items[i];
        for (int way = 0; way < WAYS; way++) {
            float x, y;
            way_of(nail, way, &x, &y);
            odds[i][way] += AGREE * (x * around_x[i] + y * around_y[i]);
        }
        mean_way(nail, odds[i]);
    }
    for (int i = 0; i < nails->count; i++)
        lq_tip_face(&nails->items[i], LQ_TIP_CONFIDENCE);
}

// Nails of one hand are within HAND_REACH sizes of the larger one; their direction has
// NEIGHBOURS_WEIGHT relative to the nail's own estimate.
static const float HAND_REACH = 12.0f, NEIGHBOURS_WEIGHT = 0.4f, STUBBY = 1.2f;
enum { KNOWN_MIN = 2 };

// The mean direction of the surrounding nails with known tips; false if there are too few.
static bool known_direction(const struct lq_nails *nails, const bool *known_tip, int index,
                            float *x, float *y)
{
    const struct lq_nail *nail = &nails->items[index];
    int known = 0, unknown = 0;
    *x = *y = 0.0f;
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *other = &nails->items[i];
        float reach = HAND_REACH * fmaxf(size_of(nail), size_of(other));
        if (hypotf(other->center_x - nail->center_x, other->center_y - nail->center_y) > reach)
            continue;
        known += known_tip[i];
        unknown += !known_tip[i];
        *x += known_tip[i] ? other->axis_x : 0.0f;
        *y += known_tip[i] ? other->axis_y : 0.0f;
    }
    *x /= fmaxf((float)known, 1.0f);
    *y /= fmaxf((float)known, 1.0f);
    return known >= KNOWN_MIN && known > unknown;
}

void lq_tip_agree(struct lq_nails *nails)
{
    bool known_tip[LQ_NAILS_MAX];
    for (int i = 0; i < nails->count; i++)
        known_tip[i] = nails->items[i].tip_known;
    for (int i = 0; i < nails->count; i++) {
        struct lq_nail *nail = &nails->items[i];
        float x, y;
        if (known_tip[i] || nail->awaits_hand || !known_direction(nails, known_tip, i, &x, &y))
            continue;
        float own_x = nail->tip_x, own_y = nail->tip_y;
        nail->tip_x = own_x + NEIGHBOURS_WEIGHT * x;
        nail->tip_y = own_y + NEIGHBOURS_WEIGHT * y;
        if (nail->length > STUBBY * nail->width) { // clearly longer than broad: along it
            float along = nail->tip_x * nail->axis_x + nail->tip_y * nail->axis_y;
            nail->tip_x = along * nail->axis_x;
            nail->tip_y = along * nail->axis_y;
        }
        lq_tip_face(nail, 0.0f);
        nail->tip_x = own_x;
        nail->tip_y = own_y;
        lq_shape_bend(nail);
    }
}
