#include "eval/traits.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

static const double RING_FROM = 0.10, RING_TO = 0.35; // of a nail's side
enum { RING_FROM_MIN_PX = 2, RING_TO_MIN_PX = 4, SKIN_PIXELS_MIN = 50, RED_MIN = 20, BURNT = 250 };
static const double SKIN_SHARE_MIN = 0.25;            // of the ring

// Classes from the highest value down; the last one has no lower bound.
static const struct {
    const char *name;
    struct { const char *name; double least; } classes[LQ_TRAIT_CLASSES_MAX];
} TRAITS[LQ_TRAIT_COUNT] = {
    [LQ_TRAIT_TONE] = {"tone", {{"very_light", 55}, {"light", 41}, {"intermediate", 28},
                                {"tan", 10}, {"brown", -30}, {"dark", -INFINITY}}},
    [LQ_TRAIT_SIZE] = {"size", {{"large", 0.09}, {"medium", 0.05}, {"small", -INFINITY}}},
    [LQ_TRAIT_LIGHT] = {"light", {{"bright", 60}, {"medium", 45}, {"dim", -INFINITY}}},
    [LQ_TRAIT_TINT] = {"tint", {{"warm", 9}, {"neutral", 3}, {"cold", -INFINITY}}},
};

const char *lq_trait_name(enum lq_trait trait)
{
    return TRAITS[trait].name;
}

const char *lq_trait_class(enum lq_trait trait, int class_)
{
    return class_ < LQ_TRAIT_CLASSES_MAX ? TRAITS[trait].classes[class_].name : NULL;
}

void lq_traits_init(struct lq_traits_reader *reader)
{
    lq_buf_init(&reader->distance, (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(uint16_t));
}

void lq_traits_release(struct lq_traits_reader *reader)
{
    lq_buf_release(&reader->distance);
}

static uint16_t nearer(uint16_t here, uint16_t neighbour)
{
    return neighbour < here ? (uint16_t)(neighbour + 1) : here;
}

// The chessboard distance of every pixel to the nearest nail (two passes; Rosenfeld and Pfaltz
// 1968). It fits in 16 bits, because sides are at most LQ_PICTURE_SIDE_MAX.
static void find_distances(const uint8_t *drawn, uint16_t *distance, int width, int height)
{
    ptrdiff_t w = width, n = w * height;
    for (ptrdiff_t i = 0; i < n; i++)
        distance[i] = drawn[i] >= 128 ? 0 : UINT16_MAX - 1;
    for (ptrdiff_t i = 0; i < n; i++) {
        uint16_t d = distance[i];
        if (d == 0)
            continue;
        ptrdiff_t x = i % w;
        bool up = i >= w;
        d = x > 0 ? nearer(d, distance[i - 1]) : d;
        d = up && x > 0 ? nearer(d, distance[i - w - 1]) : d;
        d = up ? nearer(d, distance[i - w]) : d;
        distance[i] = up && x + 1 < w ? nearer(d, distance[i - w + 1]) : d;
    }
    for (ptrdiff_t i = n - 1; i >= 0; i--) {
        uint16_t d = distance[i];
        if (d == 0)
            continue;
        ptrdiff_t x = i % w;
        bool down = i + w < n;
        d = x + 1 < w ? nearer(d, distance[i + 1]) : d;
        d = down && x + 1 < w ? nearer(d, distance[i + w + 1]) : d;
        d = down ? nearer(d, distance[i + w]) : d;
        distance[i] = down && x > 0 ? nearer(d, distance[i + w - 1]) : d;
    }
}

// CIE L* and b* of an sRGB colour of 0..255.
static void lightness(const double rgb[3], double *l, double *b)
{
    static const double to_yz[2][3] = {{0.2126729, 0.7151522, 0.0721750},
                                       {0.0193339 / 1.08883, 0.1191920 / 1.08883,
                                        0.9503041 / 1.08883}};
    double f[2] = {0, 0};
    for (int row = 0; row < 2; row++) {
        for (int c = 0; c < 3; c++) {
            double v = rgb[c] / 255;
            f[row] += to_yz[row][c] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
        }
        f[row] = f[row] > 216.0 / 24389 ? cbrt(f[row]) : (f[row] * 24389 / 27 + 16) / 116;
    }
    *l = 116 * f[0] - 16;
    *b = 200 * (f[0] - f[1]);
}

// Sums and counts over the picture.
struct census {
    uint32_t level[3][256]; // of the ring's skin
    uint64_t sum[3];        // of all pixels
    uint64_t ring, skin;
};

static bool looks_like_skin(const uint8_t rgb[3])
{
    uint8_t low = rgb[1] < rgb[2] ? rgb[1] : rgb[2];
    return rgb[0] > rgb[1] && rgb[0] > rgb[2] && rgb[0] >= RED_MIN && low < BURNT;
}

static void count_row(struct census *census, const struct lq_image *picture, int y,
                      const uint16_t *distance, int from, int to)
{
    const uint8_t *row = lq_image_row(picture, y);
    size_t step = lq_image_pixel_bytes(picture), sample = (size_t)picture->depth / 8;
    size_t high = picture->depth == 16 ? 1 : 0; // little-endian samples: the upper byte
    for (int x = 0; x < picture->width; x++) {
        uint8_t rgb[3];
        for (size_t c = 0; c < 3; c++) {
            rgb[c] = row[(size_t)x * step + c * sample + high];
            census->sum[c] += rgb[c];
        }
        if (distance[x] <= from || distance[x] > to)
            continue;
        census->ring++;
        if (!looks_like_skin(rgb))
            continue;
        census->skin++;
        for (int c = 0; c < 3; c++)
            census->level[c][rgb[c]]++;
    }
}

// The lower median of counted levels.
static double median(const uint32_t level[256], uint64_t count)
{
    uint64_t passed = 0;
    int value = 0;
    while (value < 255 && (passed += level[value]) < (count + 1) / 2)
        value++;
    return value;
}

static void classify(struct lq_traits *traits)
{
    for (int t = 0; t < LQ_TRAIT_COUNT; t++) {
        traits->class_[t] = -1;
        for (int c = 0; !isnan(traits->value[t]) && traits->class_[t] < 0; c++)
            if (traits->value[t] > TRAITS[t].classes[c].least)
                traits->class_[t] = c;
    }
}

static void judge(const struct census *census, uint64_t pixels, struct lq_traits *traits)
{
    double mean[3], skin[3], l, b;
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)census->sum[c] / (double)pixels;
        skin[c] = median(census->level[c], census->skin);
    }
    lightness(mean, &l, &traits->value[LQ_TRAIT_TINT]);
    if (census->skin < SKIN_PIXELS_MIN ||
        (double)census->skin < SKIN_SHARE_MIN * (double)census->ring)
        return;
    lightness(skin, &l, &b);
    traits->value[LQ_TRAIT_TONE] = atan2(l - 50, b) * 180 / 3.14159265358979323846;
    traits->value[LQ_TRAIT_LIGHT] = l;
}

int lq_traits_read(struct lq_traits_reader *reader, const struct lq_image *picture,
                   const uint8_t *drawn, int nails, struct lq_traits *traits)
{
    int width = picture->width, height = picture->height;
    size_t pixels = (size_t)width * (size_t)height;
    for (int t = 0; t < LQ_TRAIT_COUNT; t++)
        traits->value[t] = NAN;
    classify(traits);
    if (nails <= 0 || picture->channels < 3)
        return LQ_OK;
    int status = lq_buf_resize(&reader->distance, pixels * sizeof(uint16_t));
    if (status != LQ_OK)
        return status;
    uint16_t *distance = (uint16_t *)(void *)reader->distance.data;
    find_distances(drawn, distance, width, height);
    uint64_t area = 0;
    for (size_t i = 0; i < pixels; i++)
        area += distance[i] == 0;
    double side = sqrt((double)area / nails);
    int from = (int)fmax(RING_FROM_MIN_PX, floor(RING_FROM * side + 0.5));
    int to = (int)fmax(RING_TO_MIN_PX, floor(RING_TO * side + 0.5));
    struct census census = {0};
    for (int y = 0; y < height; y++)
        count_row(&census, picture, y, distance + (size_t)y * (size_t)width, from, to);
    traits->value[LQ_TRAIT_SIZE] = side / (width > height ? width : height);
    judge(&census, pixels, traits);
    classify(traits);
    return LQ_OK;
}
