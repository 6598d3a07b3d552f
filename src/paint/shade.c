#include "paint/shade.h"

#include <math.h>
#include <string.h>

#include "base/clamp.h"
#include "image/box.h"
#include "paint/transfer.h"

// Samples are processed a vector at a time, with one row per term.
enum { SAMPLES_MAX = 320, TERMS = 6, ROUNDS = 4, LANES = 32 };

struct samples {
    int count; // rows are padded to a multiple of LANES with weight 0
    float term[TERMS][SAMPLES_MAX];
    float log_value[SAMPLES_MAX], weight[SAMPLES_MAX], bright[SAMPLES_MAX], dark[SAMPLES_MAX];
    float color[3][SAMPLES_MAX];
};

struct lq_nail_map lq_nail_map_of(const struct lq_nail *nail)
{
    float long_half = 0.5f * fmaxf(nail->length, 1.0f);
    float broad_half = 0.5f * fmaxf(nail->width, 1.0f);
    struct lq_nail_map map = {.ux = nail->axis_x / long_half, .uy = nail->axis_y / long_half,
                              .wx = -nail->axis_y / broad_half, .wy = nail->axis_x / broad_half};
    map.u0 = -(map.ux * nail->center_x + map.uy * nail->center_y);
    map.w0 = -(map.wx * nail->center_x + map.wy * nail->center_y);
    return map;
}

// Chooses evenly spread pixels well inside the nail; returns their number.
static int choose_pixels(const struct lq_nail *nail, int x[SAMPLES_MAX], int y[SAMPLES_MAX])
{
    int stride = (int)ceil(sqrt((double)nail->area / (SAMPLES_MAX * 0.8)));
    stride = stride < 1 ? 1 : stride;
    int count = 0;
    for (int j = stride / 2; j < nail->crop.height; j += stride)
        for (int i = stride / 2; i < nail->crop.width && count < SAMPLES_MAX; i += stride) {
            if (nail->alpha[(size_t)j * nail->alpha_stride + (size_t)i] < 230)
                continue;
            x[count] = nail->crop.x + i;
            y[count++] = nail->crop.y + j;
        }
    return count;
}

static void read_colors(struct samples *samples, const struct lq_image *picture, const int *x,
                        const int *y)
{
    for (int from = 0; from < samples->count; from += LQ_TRANSFER_PICKS) {
        int left = samples->count - from;
        const struct lq_rgb_row part = {samples->color[0] + from, samples->color[1] + from,
                                        samples->color[2] + from,
                                        left < LQ_TRANSFER_PICKS ? left : LQ_TRANSFER_PICKS};
        lq_transfer_pick(picture, x + from, y + from, &part);
    }
}

static void collect(struct samples *samples, const struct lq_image *picture,
                    const struct lq_nail *nail)
{
    struct lq_nail_map map = lq_nail_map_of(nail);
    int px[SAMPLES_MAX], py[SAMPLES_MAX];
    samples->count = choose_pixels(nail, px, py);
    read_colors(samples, picture, px, py);
    for (int s = 0; s < samples->count; s++) {
        float x = (float)px[s] + 0.5f, y = (float)py[s] + 0.5f;
        float u = map.ux * x + map.uy * y + map.u0, w = map.wx * x + map.wy * y + map.w0;
        float r = samples->color[0][s], g = samples->color[1][s], b = samples->color[2][s];
        const float terms[TERMS] = {1.0f, u, w, u * u, u * w, w * w};
        for (int k = 0; k < TERMS; k++)
            samples->term[k][s] = terms[k];
        float bright = fmaxf(fmaxf(r, g), fmaxf(b, 2e-3f));
        samples->log_value[s] = logf(bright);
        samples->bright[s] = bright;
        samples->dark[s] = fminf(fminf(r, g), b);
        samples->weight[s] = 1.0f;
    }
}

// The sum of weight * a * b over all samples; the padding has weight 0.
static inline __attribute__((always_inline)) double product(const float *restrict weight,
                                                            const float *restrict a,
                                                            const float *restrict b, int count)
{
    float lanes[LANES] = {0};
    for (int s = 0; s < count; s += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] += weight[s + k] * a[s + k] * b[s + k];
    double sum = 0.0;
    for (int k = 0; k < LANES; k++)
        sum += (double)lanes[k];
    return sum;
}

LQ_HOT static void normal_equations(const struct samples *samples, double a[TERMS][TERMS],
                                    double y[TERMS])
{
    int count = (samples->count + LANES - 1) & ~(LANES - 1);
    for (int i = 0; i < TERMS; i++) {
        y[i] = product(samples->weight, samples->term[i], samples->log_value, count);
        for (int j = 0; j <= i; j++)
            a[i][j] = product(samples->weight, samples->term[i], samples->term[j], count);
    }
}

// Ridge regression by Cholesky decomposition.
static void solve(const struct samples *samples, float c[TERMS])
{
    static const double ridge[TERMS] = {1e-6, 0.01, 0.01, 0.03, 0.03, 0.03};
    double a[TERMS][TERMS], y[TERMS];
    normal_equations(samples, a, y);
    for (int i = 0; i < TERMS; i++)
        a[i][i] += ridge[i] * samples->count;
    for (int i = 0; i < TERMS; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (int k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            a[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / a[j][j];
        }
    for (int i = 0; i < TERMS; i++) {
        for (int k = 0; k < i; k++)
            y[i] -= a[i][k] * y[k];
        y[i] /= a[i][i];
    }
    for (int i = TERMS - 1; i >= 0; i--) {
        for (int k = i + 1; k < TERMS; k++)
            y[i] -= a[k][i] * y[k];
        y[i] /= a[i][i];
        c[i] = (float)y[i];
    }
}

// Pixels brighter than the fit are probably highlights and count little; darker ones may be real
// shadow.
LQ_HOT static void reweigh(struct samples *samples, const float c[TERMS])
{
    const float *u = samples->term[1], *w = samples->term[2], *uu = samples->term[3];
    const float *uw = samples->term[4], *ww = samples->term[5], *values = samples->log_value;
    float *restrict weight = samples->weight;
    LQ_IVDEP
    for (int s = 0; s < samples->count; s++) {
        float residual = values[s] - c[0] - c[1] * u[s] - c[2] * w[s] - c[3] * uu[s] -
                         c[4] * uw[s] - c[5] * ww[s];
        float t = residual * (residual > 0.0f ? 10.0f : 3.3333333f);
        weight[s] = 1.0f / (1.0f + t * t);
    }
}

void lq_shade_fit(struct lq_shade_fit *fit, const struct lq_image *picture,
                  const struct lq_nail *nail)
{
    struct samples samples = {0};
    *fit = (struct lq_shade_fit){.level = 0.4f, .grey = 0.5f};
    collect(&samples, picture, nail);
    if (samples.count < 4) {
        fit->c[0] = logf(fit->level);
        for (int k = 0; k < 3; k++)
            fit->bed[k] = fit->level;
        return;
    }
    for (int round = 0; round < ROUNDS; round++) {
        solve(&samples, fit->c);
        reweigh(&samples, fit->c);
    }
    float weight = 1e-6f, bright = 0.0f, dark = 0.0f;
    for (int s = 0; s < samples.count; s++) {
        weight += samples.weight[s];
        bright += samples.weight[s] * samples.bright[s];
        dark += samples.weight[s] * samples.dark[s];
        for (int k = 0; k < 3; k++)
            fit->bed[k] += samples.weight[s] * samples.color[k][s];
    }
    fit->level = bright / weight;
    fit->grey = dark / bright;
    for (int k = 0; k < 3; k++)
        fit->bed[k] /= weight;
    float along = fit->c[1] * nail->width / fmaxf(nail->length, 1.0f), across = fit->c[2];
    fit->slope_x = along * nail->axis_x - across * nail->axis_y;
    fit->slope_y = along * nail->axis_y + across * nail->axis_x;
}

// exp(x) to 1e-5 for x in about -20..20 (Cephes-style split into 2^n and a polynomial).
static inline float exp_near(float x)
{
    float t = lq_clamp(x, -20.0f, 20.0f) * 1.44269504f;
    float whole = floorf(t), part = (t - whole) * 0.69314718f;
    float p = 1.0f + part * (1.0f + part * (0.5f + part * (0.16666667f + part *
              (0.041666668f + part * (0.0083333338f + part * 0.0013888889f)))));
    int32_t bits = ((int32_t)whole + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof(scale));
    return p * scale;
}

static inline float brightest(float r, float g, float b)
{
    float m = r > g ? r : g;
    return m > b ? m : b;
}

static inline float darkest(float r, float g, float b)
{
    float m = r < g ? r : g;
    return m < b ? m : b;
}

// Evaluates the fitted surface for one row, and the ratio of the photo to it, to be averaged. Like
// the row functions below it processes pixels from index `at` on. Inputs are copied to locals,
// because no write through a pointer can change those.
LQ_HOT static void fit_row(const struct lq_shade_fit *fit, const struct lq_nail_row *place,
                           const struct lq_shade *shade, size_t at)
{
    const float *restrict red = shade->red + at, *restrict green = shade->green + at;
    const float *restrict blue = shade->blue + at, *restrict own = shade->own + at;
    float *restrict slow = shade->slow + at, *restrict pairs = shade->pairs + 2 * at;
    const struct lq_shade_fit f = *fit;
    const float u = place->u, w = place->w, du = place->du, dw = place->dw;
    const int n = place->count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        // Beyond the tip the tip's light continues: an extrapolated parabola would end in black or
        // white.
        float x = lq_clamp(u + du * (float)i, -1.5f, 1.0f);
        float y = lq_clamp(w + dw * (float)i, -1.5f, 1.5f);
        float fitted = exp_near(f.c[0] + f.c[1] * x + f.c[2] * y + f.c[3] * x * x +
                                f.c[4] * x * y + f.c[5] * y * y);
        float ratio = lq_clamp(brightest(red[i], green[i], blue[i]) / fitted, 0.3f, 1.15f);
        float weight = own[i] * own[i];
        slow[i] = fitted;
        pairs[2 * i] = weight * ratio + 1e-4f;
        pairs[2 * i + 1] = weight + 1e-4f;
    }
}

// Finds highlights once the slow shading is known: pixels brighter and paler than the nail's body,
// well inside it.
LQ_HOT static void highlight_row(float grey, const struct lq_shade *shade, size_t at, int n)
{
    const float *restrict red = shade->red + at, *restrict green = shade->green + at;
    const float *restrict blue = shade->blue + at, *restrict rim = shade->rim + at;
    const float *restrict means = shade->means + 2 * at;
    float *restrict slow = shade->slow + at, *restrict shine = shade->shine + at;
    // On a grey nail, colour does not distinguish a highlight from the body.
    float by_color = lq_clamp((0.95f - grey) * 5.0f, 0.0f, 1.0f);
    float gain = 1.0f / (1.05f - grey);
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float bright = brightest(red[i], green[i], blue[i]);
        float dark = darkest(red[i], green[i], blue[i]);
        float base = slow[i] * (means[2 * i] / means[2 * i + 1]);
        float over = bright - 1.06f * base;
        float white = (dark - grey * bright) * gain;
        white = over + (white - over) * by_color;
        float shown = white < over ? white : over;
        shown -= 0.08f * base; // ignore ringing and noise
        shown = shown > 0.0f ? shown : 0.0f;
        float inside = (rim[i] - 0.85f) * 6.6f; // a bright edge belongs to the surroundings
        shine[i] = inside > 0.0f ? shown * inside : 0.0f;
        slow[i] = base;
    }
}

// Keeps only narrow highlights: what is equally bright all around (a white free edge) is none. The
// rest becomes fast detail.
LQ_HOT static void split_row(float level, const struct lq_shade *shade, size_t at, int n)
{
    const float *restrict red = shade->red + at, *restrict green = shade->green + at;
    const float *restrict blue = shade->blue + at, *restrict own = shade->own + at;
    const float *restrict around = shade->means + at;
    float *restrict slow = shade->slow + at, *restrict detail = shade->detail + at;
    float *restrict shine = shade->shine + at;
    float inverse = 1.0f / level;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float bright = brightest(red[i], green[i], blue[i]);
        float shown = (shine[i] - around[i]) * 1.25f;
        shown = shown > 0.0f ? shown : 0.0f;
        float fast = lq_clamp((bright - shine[i]) / slow[i], 0.55f, 1.12f);
        detail[i] = 1.0f + (fast - 1.0f) * own[i];
        shine[i] = shown * own[i];
        slow[i] = lq_clamp(slow[i] * inverse, 0.15f, 2.2f);
    }
}

LQ_HOT static void cover_row(const uint8_t *restrict alpha, float *restrict cover, int n)
{
    for (int i = 0; i < n; i++)
        cover[i] = (float)alpha[i] * (1.0f / 255.0f);
}

// Fades out the natural tip before its edge, which must not show on an extended nail.
LQ_HOT static void fade_row(const struct lq_nail_row *place, float *restrict own)
{
    float u = place->u, du = place->du;
    int n = place->count;
    for (int i = 0; i < n; i++)
        own[i] *= lq_clamp((0.66f - u - du * (float)i) * 2.5f, 0.0f, 1.0f);
}

LQ_HOT static void rim_row(float *restrict rim, int n)
{
    for (int i = 0; i < n; i++) {
        float t = lq_clamp((rim[i] - 0.5f) * 2.2f, 0.0f, 1.0f);
        rim[i] = t * (2.0f - t);
    }
}

static bool all_zero(const uint8_t *eight)
{
    uint64_t word;
    memcpy(&word, eight, sizeof(word));
    return word == 0;
}

static struct lq_span span_of(const uint8_t *alpha, int width)
{
    int from = 0, to = width;
    while (to - from >= 8 && all_zero(alpha + from))
        from += 8;
    while (from < to && !alpha[from])
        from++;
    while (to - from >= 8 && all_zero(alpha + to - 8))
        to -= 8;
    while (to > from && !alpha[to - 1])
        to--;
    return (struct lq_span){from, to - from};
}

void lq_span_all(const struct lq_nail *nail, struct lq_span *spans)
{
    for (int j = 0; j < nail->crop.height; j++)
        spans[j] = span_of(nail->alpha + (size_t)j * nail->alpha_stride, nail->crop.width);
}

// Pixels outside a span have no weight in the means.
static void clear_beside(float *pairs, float *shine, struct lq_span span, int width)
{
    for (int i = 0; i < 2 * span.from; i++)
        pairs[i] = 1e-4f;
    for (int i = 2 * (span.from + span.count); i < 2 * width; i++)
        pairs[i] = 1e-4f;
    for (int i = 0; i < span.from; i++)
        shine[i] = 0.0f;
    for (int i = span.from + span.count; i < width; i++)
        shine[i] = 0.0f;
}

static int radius_of(float radius)
{
    return radius < 1.0f ? 1 : radius > 400.0f ? 400 : (int)(radius + 0.5f);
}

void lq_shade_split(struct lq_shade *shade, const struct lq_shade_fit *fit,
                    const struct lq_image *picture, const struct lq_nail *nail,
                    const uint8_t *own)
{
    struct lq_nail_map map = lq_nail_map_of(nail);
    int width = nail->crop.width, height = nail->crop.height;
    for (int j = 0; j < height; j++) {
        const uint8_t *alpha = nail->alpha + (size_t)j * nail->alpha_stride;
        struct lq_span span = shade->spans[j];
        size_t row = (size_t)j * (size_t)width, at = row + (size_t)span.from;
        float x = (float)(nail->crop.x + span.from) + 0.5f, y = (float)(nail->crop.y + j) + 0.5f;
        struct lq_nail_row place = lq_nail_row_at(&map, x, y, span.count);
        cover_row(alpha, shade->cover + row, width);
        clear_beside(shade->pairs + 2 * row, shade->shine + row, span, width);
        lq_transfer_read(picture, nail->crop.x + span.from, nail->crop.y + j,
                         &(struct lq_rgb_row){shade->red + at, shade->green + at,
                                              shade->blue + at, span.count});
        if (own) {
            cover_row(own + row, shade->own + row, width);
            fade_row(&place, shade->own + at);
        }
        fit_row(fit, &place, shade, at);
    }
    float rim_least = nail->width > 14.0f ? 2.0f : 1.0f;
    lq_box_mean(&(struct lq_plane){shade->cover, width, height, 1}, shade->rim,
                radius_of(fmaxf(nail->width * 0.05f, rim_least)), shade->scratch);
    rim_row(shade->rim, width * height);
    lq_box_mean(&(struct lq_plane){shade->pairs, width, height, 2}, shade->means,
                radius_of(nail->width * 0.09f), shade->scratch);
    for (int j = 0; j < height; j++) {
        struct lq_span span = shade->spans[j];
        size_t at = (size_t)j * (size_t)width + (size_t)span.from;
        highlight_row(fit->grey, shade, at, span.count);
    }
    lq_box_mean(&(struct lq_plane){shade->shine, width, height, 1}, shade->means,
                radius_of(nail->width * 0.17f), shade->scratch);
    for (int j = 0; j < height; j++) {
        struct lq_span span = shade->spans[j];
        size_t at = (size_t)j * (size_t)width + (size_t)span.from;
        split_row(fit->level, shade, at, span.count);
    }
}
