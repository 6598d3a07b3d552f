#include "nail/skin.h"

#include <math.h>

// The ring's inner and outer edge relative to the nail's ellipse, and the number of samples.
static const float RING_FROM = 1.15f, RING_TO = 1.7f;
enum { ROUND = 48, DEEP = 4, SAMPLES_MIN = ROUND * DEEP / 4 };

// Chosen on val, where this drops none of 1153 nails, and on the 75 pictures without a nail. Nails
// beside others of a hand need less skin than a single one.
static const float SKIN_MIN = 0.1f, LONE_SKIN_MIN = 0.15f;
static const float CONFIDENCE_MIN = 0.85f, LONE_CONFIDENCE_MIN = 0.955f;
enum { HAND = 3 };

struct color {
    float red, green, blue; // 0..255
};

static struct color color_at(const struct lq_image *picture, int x, int y)
{
    const uint8_t *p = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    if (picture->depth == 8)
        return (struct color){p[0], p[1], p[2]};
    const uint16_t *wide = (const uint16_t *)(const void *)p;
    return (struct color){(float)wide[0] / 257, (float)wide[1] / 257, (float)wide[2] / 257};
}

// Blood and melanin absorb blue more than green and green more than red: skin is never blue or
// green, whatever tint a camera leaves.
static bool may_be_skin(struct color c)
{
    return c.red >= c.green && c.red > 1.06f * c.blue && c.green > 0.8f * c.blue;
}

static bool on_nail(const struct lq_nails *nails, int x, int y)
{
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        int i_x = x - nail->crop.x, i_y = y - nail->crop.y;
        if (i_x >= 0 && i_y >= 0 && i_x < nail->crop.width && i_y < nail->crop.height &&
            nail->alpha[(size_t)i_y * nail->alpha_stride + (size_t)i_x] >= 64)
            return true;
    }
    return false;
}

float lq_skin_beside(const struct lq_image *picture, const struct lq_nails *nails, int index)
{
    const struct lq_nail *nail = &nails->items[index];
    int samples = 0, skin = 0;
    for (int k = 0; k < ROUND * DEEP; k++) {
        float angle = 6.2831853f * (float)(k / DEEP) / ROUND;
        float ring = RING_FROM + (RING_TO - RING_FROM) * ((float)(k % DEEP) + 0.5f) / DEEP;
        float u = 0.5f * ring * nail->length * cosf(angle);
        float v = 0.5f * ring * nail->width * sinf(angle);
        float x = nail->center_x + u * nail->axis_x - v * nail->axis_y;
        float y = nail->center_y + u * nail->axis_y + v * nail->axis_x;
        if (!(x >= 0 && y >= 0 && x < (float)picture->width && y < (float)picture->height) ||
            on_nail(nails, (int)x, (int)y))
            continue;
        samples++;
        skin += may_be_skin(color_at(picture, (int)x, (int)y));
    }
    return samples < SAMPLES_MIN ? 1.0f : (float)skin / (float)samples;
}

void lq_skin_drop_bare(const struct lq_image *picture, struct lq_nails *nails)
{
    bool keep[LQ_NAILS_MAX];
    float confidence_min = nails->count < HAND ? LONE_CONFIDENCE_MIN : CONFIDENCE_MIN;
    float skin_min = nails->count < HAND ? LONE_SKIN_MIN : SKIN_MIN;
    int kept = 0;
    for (int i = 0; i < nails->count; i++)
        keep[i] = nails->items[i].confidence >= confidence_min ||
                  lq_skin_beside(picture, nails, i) >= skin_min;
    for (int i = 0; i < nails->count; i++)
        if (keep[i])
            nails->items[kept++] = nails->items[i];
    nails->count = kept;
}
