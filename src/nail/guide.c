#include "nail/guide.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/clamp.h"

static const float LEAST = -0.5f, MOST = 1.5f; // of a guide
enum { LANES = 16, SUMS = 10 };

static inline __attribute__((always_inline)) float sample_at(const void *row, int i, int depth)
{
    return depth == 8 ? (float)((const uint8_t *)row)[i] * (1.0f / 255.0f)
                      : (float)((const uint16_t *)row)[i] * (1.0f / 65535.0f);
}

// Step between sampled pixels: two per side suffice for a large block.
static int hop_of(const struct lq_blocks *blocks)
{
    return blocks->step > 2 ? blocks->step / 2 : 1;
}

// Adds the sampled pixels of picture row y into a row of blocks; the picture's edge repeats.
static void add_row(const struct lq_image *picture, int y, const struct lq_blocks *blocks,
                    const struct lq_rgb_row *sums)
{
    const void *row =
        lq_image_row(picture, y) + (size_t)blocks->x * lq_image_pixel_bytes(picture);
    const int channels = picture->channels, depth = picture->depth;
    const int step = blocks->step, hop = hop_of(blocks), limit = picture->width - blocks->x;
    float *red = sums->red, *green = sums->green, *blue = sums->blue;
    for (int i = 0; i < blocks->width; i++)
        for (int k = hop / 2; k < step; k += hop) {
            int x = i * step + k;
            x = (x < limit ? x : limit - 1) * channels;
            red[i] += sample_at(row, x, depth);
            green[i] += sample_at(row, x + 1, depth);
            blue[i] += sample_at(row, x + 2, depth);
        }
}

// One sample per block: copies pixels unchanged.
LQ_HOT static void read_rgb(const uint8_t *restrict row, int width, float *restrict red,
                            float *restrict green, float *restrict blue)
{
    for (int i = 0; i < width; i++) {
        red[i] = (float)row[3 * i] * (1.0f / 255.0f);
        green[i] = (float)row[3 * i + 1] * (1.0f / 255.0f);
        blue[i] = (float)row[3 * i + 2] * (1.0f / 255.0f);
    }
}

static void scale_planes(const struct lq_rgb_row *planes, float scale)
{
    for (int i = 0; i < planes->count; i++) {
        planes->red[i] *= scale;
        planes->green[i] *= scale;
        planes->blue[i] *= scale;
    }
}

static void clear_planes(const struct lq_rgb_row *planes)
{
    size_t bytes = (size_t)planes->count * sizeof(float);
    memset(planes->red, 0, bytes);
    memset(planes->green, 0, bytes);
    memset(planes->blue, 0, bytes);
}

// Whether blocks are single pixels of eight-bit RGB, all in the picture.
static bool are_pixels(const struct lq_image *picture, const struct lq_blocks *blocks)
{
    return blocks->step == 1 && picture->channels == 3 && picture->depth == 8 &&
           blocks->width <= picture->width - blocks->x &&
           blocks->y + blocks->height <= picture->height;
}

void lq_guide_sample(const struct lq_image *picture, const struct lq_blocks *blocks,
                     const struct lq_rgb_row *planes)
{
    int width = blocks->width, hop = hop_of(blocks), samples = 0;
    bool pixels = are_pixels(picture, blocks);
    for (int k = hop / 2; k < blocks->step; k += hop)
        samples++;
    if (!pixels)
        clear_planes(planes);
    for (int j = 0; j < blocks->height; j++) {
        const struct lq_rgb_row row = lq_rgb_row_part(planes, j * width, width);
        if (pixels) {
            read_rgb(lq_image_row(picture, blocks->y + j) + (size_t)blocks->x * 3, width, row.red,
                     row.green, row.blue);
            continue;
        }
        for (int k = hop / 2; k < blocks->step; k += hop) {
            int y = blocks->y + j * blocks->step + k;
            add_row(picture, y < picture->height ? y : picture->height - 1, blocks, &row);
        }
        scale_planes(&row, 1.0f / (float)(samples * samples));
    }
}

// Weighted sums of one class: weight, three means, six products (rr rg rb gg gb bb).
struct class_sums {
    float weight, mean[3], product[6];
};

// Sums are kept in several lanes: a single one would wait for the previous addition at every pixel.
LQ_HOT static struct class_sums sum_class(const struct lq_rgb_row *planes,
                                          const float *restrict guess, float pivot, float sign)
{
    const int n = planes->count;
    const float *restrict red = planes->red, *restrict green = planes->green;
    const float *restrict blue = planes->blue;
    float lanes[SUMS][LANES] = {{0}}, total[SUMS] = {0};
    for (int from = 0; from < n; from += LANES) {
        int some = n - from < LANES ? n - from : LANES;
        for (int k = 0; k < some; k++) {
            float w = (guess[from + k] - pivot) * sign;
            w = w > 0.0f ? w : 0.0f;
            float r = red[from + k], g = green[from + k], b = blue[from + k];
            lanes[0][k] += w;
            lanes[1][k] += w * r;
            lanes[2][k] += w * g;
            lanes[3][k] += w * b;
            lanes[4][k] += w * r * r;
            lanes[5][k] += w * r * g;
            lanes[6][k] += w * r * b;
            lanes[7][k] += w * g * g;
            lanes[8][k] += w * g * b;
            lanes[9][k] += w * b * b;
        }
    }
    for (int s = 0; s < SUMS; s++)
        for (int k = 0; k < LANES; k++)
            total[s] += lanes[s][k];
    return (struct class_sums){total[0], {total[1], total[2], total[3]},
                               {total[4], total[5], total[6], total[7], total[8], total[9]}};
}

static void normalise(struct class_sums *sums)
{
    static const int row[6] = {0, 0, 0, 1, 1, 2}, column[6] = {0, 1, 2, 1, 2, 2};
    float scale = 1.0f / sums->weight;
    for (int k = 0; k < 3; k++)
        sums->mean[k] *= scale;
    for (int k = 0; k < 6; k++)
        sums->product[k] = sums->product[k] * scale - sums->mean[row[k]] * sums->mean[column[k]];
}

// x = inverse(m) d for the symmetric m = (rr rg rb gg gb bb), by cofactors.
static void solve_symmetric(const float m[6], const float d[3], float x[3])
{
    float c00 = m[3] * m[5] - m[4] * m[4], c01 = m[2] * m[4] - m[1] * m[5];
    float c02 = m[1] * m[4] - m[2] * m[3], c11 = m[0] * m[5] - m[2] * m[2];
    float c12 = m[1] * m[2] - m[0] * m[4], c22 = m[0] * m[3] - m[1] * m[1];
    float determinant = m[0] * c00 + m[1] * c01 + m[2] * c02;
    float scale = 1.0f / (determinant > 1e-18f ? determinant : 1e-18f);
    x[0] = (c00 * d[0] + c01 * d[1] + c02 * d[2]) * scale;
    x[1] = (c01 * d[0] + c11 * d[1] + c12 * d[2]) * scale;
    x[2] = (c02 * d[0] + c12 * d[1] + c22 * d[2]) * scale;
}

void lq_guide_fit(struct lq_guide *guide, const struct lq_rgb_row *planes, const float *guess)
{
    static const int diagonal[3] = {0, 3, 5};
    *guide = (struct lq_guide){{0, 0, 0}, 0.5f, 1.0f};
    struct class_sums in = sum_class(planes, guess, 0.7f, 1.0f);
    struct class_sums out = sum_class(planes, guess, 0.3f, -1.0f);
    if (!(in.weight > 1e-3f) || !(out.weight > 1e-3f))
        return; // nothing to learn from: a flat guide leaves the guess smoothed
    normalise(&in);
    normalise(&out);
    float pooled[6], difference[3], weight[3];
    for (int k = 0; k < 6; k++)
        pooled[k] = 0.5f * (in.product[k] + out.product[k]);
    for (int k = 0; k < 3; k++) {
        pooled[diagonal[k]] += 4e-4f; // quantisation and sensor noise, so that it can be inverted
        difference[k] = in.mean[k] - out.mean[k];
    }
    solve_symmetric(pooled, difference, weight);
    float gap = weight[0] * difference[0] + weight[1] * difference[1] + weight[2] * difference[2];
    if (!(gap > 1e-3f))
        return;
    guide->noise = 1.0f / gap; // variance within a class once the classes lie 1 apart
    for (int k = 0; k < 3; k++) {
        guide->weight[k] = weight[k] / gap;
        guide->bias -= guide->weight[k] * 0.5f * (in.mean[k] + out.mean[k]);
    }
}

LQ_HOT void lq_guide_planes(const struct lq_guide *guide, const struct lq_rgb_row *planes,
                            float *restrict out)
{
    const int n = planes->count;
    const float *restrict red = planes->red, *restrict green = planes->green;
    const float *restrict blue = planes->blue;
    float r = guide->weight[0], g = guide->weight[1], b = guide->weight[2], bias = guide->bias;
    for (int i = 0; i < n; i++)
        out[i] = lq_clamp(r * red[i] + g * green[i] + b * blue[i] + bias, LEAST, MOST);
}

static inline __attribute__((always_inline)) void project(const struct lq_guide *guide,
                                                          const void *row, int channels, int depth,
                                                          float *restrict out, int n)
{
    float r = guide->weight[0], g = guide->weight[1], b = guide->weight[2], bias = guide->bias;
    for (int i = 0; i < n; i++)
        out[i] = lq_clamp(r * sample_at(row, i * channels, depth) +
                          g * sample_at(row, i * channels + 1, depth) +
                          b * sample_at(row, i * channels + 2, depth) + bias, LEAST, MOST);
}

LQ_HOT static void project_rgb(const struct lq_guide *guide, const uint8_t *row, float *out, int n)
{
    project(guide, row, 3, 8, out, n);
}

LQ_HOT static void project_rgba(const struct lq_guide *guide, const uint8_t *row, float *out,
                                int n)
{
    project(guide, row, 4, 8, out, n);
}

void lq_guide_row(const struct lq_guide *guide, const struct lq_image *picture, int x, int y,
                  float *out, int n)
{
    const uint8_t *row = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    if (picture->depth == 16)
        project(guide, row, picture->channels, 16, out, n);
    else if (picture->channels == 4)
        project_rgba(guide, row, out, n);
    else
        project_rgb(guide, row, out, n);
}
