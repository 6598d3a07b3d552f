// Whether polish has the colour that its swatch has in the scene's light: CIEDE2000 between what is
// painted on rendered hands, from very light to very dark skin, and every shade of the catalogue in
// the light that the renderer used.
// Without sheen the colour meant is the diffuse one, averaged in linear light where the nail is
// fully covered. With sheen it is the middle half of the nail by brightness, to which the surface
// adds what it mirrors of its surroundings. Dim and tinted light are made of the same hands by
// changing the light in them.
#include "golden/hand.h"
#include "paint/transfer.h"
#include "unit/delta_e.h"

// The light on the nails: how a white and a black nail came out when the same scene was rendered
// with polish of known albedo (train/synth/polished.py has the swatches), linear.
static const struct hand {
    const char *name;
    double light[3], mirrored[3];
} HANDS[] = {
    {"very-light", {0.545, 0.546, 0.529}, {0.019, 0.017, 0.017}},
    {"light", {0.916, 0.868, 0.811}, {0.008, 0.008, 0.008}},
    {"intermediate", {0.607, 0.573, 0.531}, {0.019, 0.016, 0.015}},
    {"tan", {0.911, 0.857, 0.750}, {0.067, 0.060, 0.049}},
    {"brown", {0.916, 0.932, 0.965}, {0.028, 0.028, 0.031}},
    {"dark", {1.116, 1.141, 1.178}, {0.049, 0.051, 0.054}},
    {"very-dark", {1.026, 1.032, 1.058}, {0.024, 0.022, 0.019}},
};

// What is painted, and how far its mean over all shades may lie from the swatches: on any hand, and
// over all hands.
static const struct {
    const char *name;
    enum lq_finish finish;
    bool sheen;
    double hand_max, all_max;
} CASES[] = {
    {"creme, diffuse", LQ_FINISH_CREME, false, 5.0, 3.0},
    {"gloss, diffuse", LQ_FINISH_GLOSS, false, 5.0, 3.0},
    {"matte, diffuse", LQ_FINISH_MATTE, false, 5.0, 3.0},
    {"creme, sheen", LQ_FINISH_CREME, true, 6.0, 3.6},
    {"gloss, sheen", LQ_FINISH_GLOSS, true, 6.0, 3.7},
};
static const double DIM_MAX = 3.0;     // at the scene's own brightness

enum { PIXELS_MAX = 640 * 480 };

struct body {
    float red[PIXELS_MAX], green[PIXELS_MAX], blue[PIXELS_MAX];
    int count;
};

static struct stage stage;
static struct lq_buf photo; // the hand, unpainted

static float level_of(const struct body *body, int i)
{
    return 0.2126f * body->red[i] + 0.7152f * body->green[i] + 0.0722f * body->blue[i];
}

static int by_level(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void read_body(struct body *body, const struct lq_nail *nail)
{
    body->count = 0;
    for (int j = 0; j < nail->crop.height; j++)
        for (int i = 0; i < nail->crop.width; i++) {
            if (nail->alpha[(size_t)j * nail->alpha_stride + (size_t)i] < 255)
                continue;
            int at = body->count++;
            lq_transfer_read(&stage.hand, nail->crop.x + i, nail->crop.y + j,
                             &(struct lq_rgb_row){&body->red[at], &body->green[at],
                                                  &body->blue[at], 1});
        }
}

// Mean of the nail, or of the half of it that is neither darkest nor brightest.
static void mean_of(const struct body *body, bool middle, double mean[3])
{
    static float levels[PIXELS_MAX];
    for (int i = 0; i < body->count; i++)
        levels[i] = level_of(body, i);
    qsort(levels, (size_t)body->count, sizeof(levels[0]), by_level);
    float low = middle ? levels[body->count / 4] : -1.0f;
    float high = middle ? levels[body->count * 3 / 4] : 9.0f;
    double sum[3] = {0};
    int count = 0;
    for (int i = 0; i < body->count; i++) {
        if (level_of(body, i) < low || level_of(body, i) > high)
            continue;
        sum[0] += (double)body->red[i];
        sum[1] += (double)body->green[i];
        sum[2] += (double)body->blue[i];
        count++;
    }
    for (int k = 0; k < 3; k++)
        mean[k] = sum[k] / count;
}

// The nails of the hand as painted, each as one colour in linear light.
struct painted {
    double nails[LQ_NAILS_MAX][3];
    int count;
};

// False: an error, or no nail.
static bool paint_hand(const uint8_t color[3], enum lq_finish finish, bool sheen,
                       struct painted *painted)
{
    static struct body body;
    struct lq_look look = lq_look_default();
    lq_look_set_finish(&look, finish);
    lq_look_set_sheen(&look, sheen);
    lq_look_set_color(&look, color);
    memcpy(stage.hand.data, photo.data, photo.len);
    if (lq_paint(stage.painter, &stage.hand, &stage.nails, &look, &stage.err) != LQ_OK)
        return false;
    painted->count = 0;
    for (int i = 0; i < stage.nails.count; i++) {
        read_body(&body, &stage.nails.items[i]);
        if (body.count >= 40) // a nail seen edge on has no body to measure
            mean_of(&body, sheen, painted->nails[painted->count++]);
    }
    return painted->count > 0;
}

// Mean over the nails, to the swatch in this light and with what its surface mirrors.
static double difference(const struct painted *painted, const uint8_t swatch[3],
                         const double light[3], const double mirrored[3])
{
    double wanted[3], sum = 0.0;
    for (int k = 0; k < 3; k++)
        wanted[k] = light[k] * lq_srgb_decode(swatch[k] / 255.0) + mirrored[k];
    for (int i = 0; i < painted->count; i++)
        sum += unit_delta_e_2000(painted->nails[i], wanted);
    return sum / painted->count;
}

static bool open_hand(const char *name)
{
    if (find_hand(&stage, name, 4) != LQ_OK)
        return false;
    lq_buf_clear(&photo);
    return lq_buf_append(&photo, stage.hand.data,
                         stage.hand.stride * (size_t)stage.hand.height) == LQ_OK;
}

// The hand in other light: each channel of linear light times its own.
static void relight(const double light[3])
{
    uint8_t table[3][256];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 256; i++)
            table[k][i] = (uint8_t)(255.0 * lq_srgb_encode(fmin(1.0, light[k] *
                                                           lq_srgb_decode(i / 255.0))) + 0.5);
    for (size_t at = 0; at + 2 < photo.len; at += (size_t)stage.hand.channels)
        for (int k = 0; k < 3; k++)
            photo.data[at + (size_t)k] = table[k][photo.data[at + (size_t)k]];
}

// ---- every shade in the light of the hands ------------------------------------------------------

static bool check_case(size_t c, const struct lq_shade_name *shades, int count, double *hand_mean,
                       const struct hand *hand)
{
    static const double nothing[3] = {0};
    double sum = 0.0, worst = 0.0;
    const char *name = "";
    for (int s = 0; s < count; s++) {
        struct painted painted;
        if (!paint_hand(shades[s].color, CASES[c].finish, CASES[c].sheen, &painted))
            return false;
        double each = difference(&painted, shades[s].color, hand->light,
                                 CASES[c].sheen ? hand->mirrored : nothing);
        sum += each;
        if (each > worst) {
            worst = each;
            name = shades[s].title;
        }
    }
    *hand_mean = sum / count;
    bool fine = *hand_mean <= CASES[c].hand_max;
    printf("%-14s %-16s mean %5.2f  worst %5.2f %s%s\n", hand->name, CASES[c].name, *hand_mean,
           worst, name, fine ? "" : "  TOO FAR");
    return fine;
}

static bool check_shades(void)
{
    int count;
    const struct lq_shade_name *shades = lq_catalogue_shades(stage.catalogue, &count);
    double all[LQ_COUNT(CASES)] = {0};
    bool fine = true;
    for (size_t h = 0; h < LQ_COUNT(HANDS); h++) {
        if (!open_hand(HANDS[h].name))
            return false;
        for (size_t c = 0; c < LQ_COUNT(CASES); c++) {
            double mean;
            fine &= check_case(c, shades, count, &mean, &HANDS[h]);
            all[c] += mean / LQ_COUNT(HANDS);
        }
    }
    for (size_t c = 0; c < LQ_COUNT(CASES); c++) {
        printf("%-14s %-16s mean %5.2f\n", "all hands", CASES[c].name, all[c]);
        fine &= all[c] <= CASES[c].all_max;
    }
    return fine;
}

// ---- dim and tinted light -----------------------------------------------------------------------

// How bright polish is against its swatch: the gain that all shades share.
static bool measure_gain(const struct lq_shade_name *shades, int count, double *gain)
{
    double dot = 0.0, square = 0.0;
    for (int s = 0; s < count; s++) {
        struct painted painted;
        if (!paint_hand(shades[s].color, LQ_FINISH_CREME, false, &painted))
            return false;
        for (int i = 0; i < 3 * painted.count; i++) {
            double wanted = lq_srgb_decode(shades[s].color[i % 3] / 255.0);
            dot += wanted * painted.nails[i / 3][i % 3];
            square += wanted * wanted;
        }
    }
    *gain = dot / square;
    return true;
}

// Dimmer light makes polish darker, and leaves it its colour.
static bool check_dim(const char *hand)
{
    int count;
    const struct lq_shade_name *shades = lq_catalogue_shades(stage.catalogue, &count);
    double before = 9.0;
    bool fine = true;
    for (double light = 1.0; light > 0.2; light *= 0.5) {
        double gain, sum = 0.0;
        if (!open_hand(hand))
            return false;
        relight((double[3]){light, light, light});
        if (!measure_gain(shades, count, &gain))
            return false;
        for (int s = 0; s < count; s++) {
            struct painted painted;
            if (!paint_hand(shades[s].color, LQ_FINISH_CREME, false, &painted))
                return false;
            sum += difference(&painted, shades[s].color, (double[3]){gain, gain, gain},
                              (double[3]){0}) / count;
        }
        printf("%-14s light x %.2f: polish x %.2f, mean %.2f\n", hand, light, gain, sum);
        fine &= sum <= DIM_MAX && gain <= before && (light == 1.0 || gain < 0.95 * before);
        before = gain;
    }
    return fine;
}

// A grey polish turns the way the light does.
static bool check_tint(const char *hand)
{
    static const double LIGHTS[][3] = {{0.75, 0.95, 1.0}, {1.0, 1.0, 1.0}, {1.0, 0.85, 0.6}};
    double before = 0.0;
    bool fine = true;
    for (size_t i = 0; i < LQ_COUNT(LIGHTS); i++) {
        struct painted painted;
        if (!open_hand(hand))
            return false;
        relight(LIGHTS[i]);
        if (!paint_hand((uint8_t[]){128, 128, 128}, LQ_FINISH_CREME, false, &painted))
            return false;
        double warm = painted.nails[0][0] / painted.nails[0][2];
        printf("%-14s light %.2f %.2f %.2f: grey is %.3f as red as blue\n", hand, LIGHTS[i][0],
               LIGHTS[i][1], LIGHTS[i][2], warm);
        fine &= warm > 1.02 * before;
        before = warm;
    }
    return fine;
}

int main(void)
{
    bool fine = stage_init(&stage) == LQ_OK;
    lq_buf_init(&photo, 64 << 20);
    fine = fine && check_shades();
    for (size_t h = 0; stage.err.text[0] == '\0' && h < LQ_COUNT(HANDS); h += 3) {
        fine &= check_dim(HANDS[h].name);
        fine &= check_tint(HANDS[h].name);
    }
    if (!fine)
        fprintf(stderr, "%s\n", stage.err.text[0] ? stage.err.text : "colours lie too far apart");
    lq_buf_release(&photo);
    stage_release(&stage);
    return !fine;
}
