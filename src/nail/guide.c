#include "nail/guide.h"

#include <math.h>
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

// Adds pixels first, first + stride, … of a row into blocks.
static void add_row(const void *row, int channels, int depth, int step, int hop, int width,
                    int limit, float *red, float *green, float *blue)
{
    for (int i = 0; i < width; i++)
        for (int k = hop / 2; k < step; k += hop) {
            int x = i * step + k;
            x = (x < limit ? x : limit - 1) * channels;
            red[i] += sample_at(row, x, depth);
            green[i] += sample_at(row, x + 1, depth);
            blue[i] += sample_at(row, x + 2, depth);
        }
}

// One sample a block: pixels as they are.
LQ_HOT static void read_rgb(const uint8_t *restrict row, int width, float *restrict red,
                            float *restrict green, float *restrict blue)
{
    for (int i = 0; i < width; i++) {
        red[i] = (float)row[3 * i] * (1.0f / 255.0f);
        green[i] = (float)row[3 * i + 1] * (1.0f / 255.0f);
        blue[i] = (float)row[3 * i + 2] * (1.0f / 255.0f);
    }
}

static void scale_rows(float *red, float *green, float *blue, int n, float scale)
{
    for (int i = 0; i < n; i++) {
        red[i] *= scale;
        green[i] *= scale;
        blue[i] *= scale;
    }
}

void lq_guide_sample(const struct lq_image *picture, int x, int y, int step, int width, int height,
                     float *red, float *green, float *blue)
{
    int hop = step > 2 ? step / 2 : 1; // two samples a side are enough of a large block
    int samples = 0, limit = picture->width - x;
    for (int k = hop / 2; k < step; k += hop)
        samples++;
    size_t count = (size_t)width * (size_t)height;
    if (step == 1 && picture->channels == 3 && picture->depth == 8 && width <= limit &&
        y + height <= picture->height) {
        for (int j = 0; j < height; j++, red += width, green += width, blue += width)
            read_rgb(lq_image_row(picture, y + j) + (size_t)x * 3, width, red, green, blue);
        return;
    }
    memset(red, 0, count * sizeof(float));
    memset(green, 0, count * sizeof(float));
    memset(blue, 0, count * sizeof(float));
    for (int j = 0; j < height; j++) {
        size_t at = (size_t)j * (size_t)width;
        for (int k = hop / 2; k < step; k += hop) {
            int py = y + j * step + k;
            py = py < picture->height ? py : picture->height - 1;
            const void *row = lq_image_row(picture, py) + (size_t)x * lq_image_pixel_bytes(picture);
            add_row(row, picture->channels, picture->depth, step, hop, width, limit, red + at,
                    green + at, blue + at);
        }
        scale_rows(red + at, green + at, blue + at, width, 1.0f / (float)(samples * samples));
    }
}

// Weighted sums of one class: weight, three means, six products (rr rg rb gg gb bb).
struct class_sums {
    float weight, mean[3], product[6];
};

// Sums are kept in lanes: one alone would wait for itself at every pixel.
LQ_HOT static void sum_class(const float *restrict red, const float *restrict green,
                             const float *restrict blue, const float *restrict guess, float pivot,
                             float sign, int n, struct class_sums *sums)
{
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
    *sums = (struct class_sums){total[0], {total[1], total[2], total[3]},
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

void lq_guide_fit(struct lq_guide *guide, const float *red, const float *green, const float *blue,
                  const float *guess, int n)
{
    static const int diagonal[3] = {0, 3, 5};
    struct class_sums in, out;
    *guide = (struct lq_guide){{0, 0, 0}, 0.5f, 1.0f};
    sum_class(red, green, blue, guess, 0.7f, 1.0f, n, &in);
    sum_class(red, green, blue, guess, 0.3f, -1.0f, n, &out);
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

LQ_HOT void lq_guide_planes(const struct lq_guide *guide, const float *restrict red,
                            const float *restrict green, const float *restrict blue,
                            float *restrict out, int n)
{
    float r = guide->weight[0], g = guide->weight[1], b = guide->weight[2], bias = guide->bias;
    for (int i = 0; i < n; i++)
        out[i] = lq_clamp(r * red[i] + g * green[i] + b * blue[i] + bias, LEAST, MOST);
}

static inline __attribute__((always_inline)) void project(const void *row, int channels, int depth,
                                                          const float *weight, float bias,
                                                          float *restrict out, int n)
{
    float r = weight[0], g = weight[1], b = weight[2];
    for (int i = 0; i < n; i++)
        out[i] = lq_clamp(r * sample_at(row, i * channels, depth) +
                          g * sample_at(row, i * channels + 1, depth) +
                          b * sample_at(row, i * channels + 2, depth) + bias, LEAST, MOST);
}

LQ_HOT static void project_rgb(const uint8_t *row, const float *weight, float bias, float *out,
                               int n)
{
    project(row, 3, 8, weight, bias, out, n);
}

LQ_HOT static void project_rgba(const uint8_t *row, const float *weight, float bias, float *out,
                                int n)
{
    project(row, 4, 8, weight, bias, out, n);
}

void lq_guide_row(const struct lq_guide *guide, const struct lq_image *picture, int x, int y,
                  float *out, int n)
{
    const uint8_t *row = lq_image_row(picture, y) + (size_t)x * lq_image_pixel_bytes(picture);
    if (picture->depth == 16)
        project(row, picture->channels, 16, guide->weight, guide->bias, out, n);
    else if (picture->channels == 4)
        project_rgba(row, guide->weight, guide->bias, out, n);
    else
        project_rgb(row, guide->weight, guide->bias, out, n);
}
