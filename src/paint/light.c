// The camera sees the light times the skin's albedo, so the light follows once the albedo is known.
// Skin albedo lies close to one curve from very light to very dark (the curve of the individual
// typology angle), and so does the albedo of the bare nail bed, which is paler than the skin, and
// more so for darker skin. That contrast reveals the tone in any light. For each tone on the curve
// we compute which light would explain the observed skin and nails, and how likely that light is
// (cameras expose and white-balance towards the usual) and how likely the nails' contrast with the
// skin is. The estimate is the mean over the tones, weighted by likelihood. Nails that already wear
// polish fit no tone and lose weight gradually. The tint is moved towards that of white or grey
// things in the picture, depending on their amount. The constants were fitted to rendered hands in
// known light (train/synth/polished.py, tests/golden/color.c).
#include "paint/light.h"

#include <math.h>

#include "nail/shape.h"
#include "nail/tip.h"
#include "paint/median.h"
#include "paint/transfer.h"

enum { TONES = 13, GRID = 8, SAMPLES_MIN = 8 };

// Linear albedo of skin on the back of the hand and of the bare nail bed, very light to very dark.
static const struct {
    float skin[3], bed[3];
} TONE[TONES] = {
    {{0.740f, 0.484f, 0.399f}, {0.785f, 0.463f, 0.450f}},
    {{0.705f, 0.442f, 0.347f}, {0.763f, 0.440f, 0.420f}},
    {{0.671f, 0.402f, 0.300f}, {0.740f, 0.419f, 0.392f}},
    {{0.626f, 0.358f, 0.254f}, {0.712f, 0.394f, 0.363f}},
    {{0.583f, 0.317f, 0.212f}, {0.684f, 0.370f, 0.335f}},
    {{0.529f, 0.275f, 0.174f}, {0.649f, 0.344f, 0.307f}},
    {{0.477f, 0.237f, 0.141f}, {0.616f, 0.320f, 0.280f}},
    {{0.405f, 0.196f, 0.113f}, {0.568f, 0.291f, 0.255f}},
    {{0.340f, 0.159f, 0.088f}, {0.524f, 0.264f, 0.230f}},
    {{0.271f, 0.126f, 0.071f}, {0.473f, 0.236f, 0.210f}},
    {{0.212f, 0.097f, 0.056f}, {0.425f, 0.211f, 0.191f}},
    {{0.158f, 0.074f, 0.046f}, {0.378f, 0.188f, 0.176f}},
    {{0.114f, 0.055f, 0.037f}, {0.334f, 0.167f, 0.161f}},
};

// Standard deviations of natural logarithms, unless a comment says otherwise.
static const float CONTRAST_SD = 0.35f; // the nail's brightness relative to its skin
static const float COLOR_SD = 0.052f;   // … and its colour
static const float TINT_SD = 0.31f;     // the light's colour after the camera's white balance
static const float TINT_SHARE = 0.44f;  // the light's share of an apparent tint; skin has the rest
static const float GREY_SHARE = 0.60f;  // … for trusted greys, which have their own colours too
static const float GREY_SD = 0.18f;     // warmth of greys relative to the skin
static const float SKIN_YIELDS = 0.10f; // share that the skin gives up to trusted greys
static const float EXPOSURE_SD = 0.47f; // brightness after the camera's exposure
static const float USUAL_EXPOSURE = 0.64f; // for skin as bright as USUAL_SKIN
static const float USUAL_SKIN = 0.33f;
// A camera that exposes for a dark hand clips white, so white is much brighter than the brightest
// pixel.
static const float EXPOSURE_MIN = 0.04f, EXPOSURE_MAX = 1.6f;
// The illumination is seldom darker than the brightest things seen, unless those are lamps or in
// the sun; it can be brighter if nothing white is in the picture.
static const float DARKER_SD = 0.23f, BRIGHTER_SD = 1.05f;
static const float BARE_COST = 4.0f; // misfit cost at which a nail counts half
static const float BED_WEIGHT = 0.70f; // of a bare nail's brightness, relative to its skin's
static const float HAND_NAILS = 5.0f; // independent nails that a hand counts for at most
// Light through the nail and back comes out redder than light off polish.
static const float SCATTER[3] = {1.035f, 0.995f, 0.925f};

struct evidence { // for one nail, natural logarithms
    float skin[3], bed[3];
    bool has_skin;
};

static float luminance(const float rgb[3])
{
    return 0.2126f * rgb[0] + 0.7152f * rgb[1] + 0.0722f * rgb[2];
}

static bool in_a_nail(const struct lq_nails *nails, int x, int y)
{
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        int column = x - nail->crop.x, row = y - nail->crop.y;
        if (column >= 0 && row >= 0 && column < nail->crop.width && row < nail->crop.height &&
            nail->alpha[(size_t)row * nail->alpha_stride + (size_t)column] > 8)
            return true;
    }
    return false;
}

// The nail, pointing to where its tip most likely is: a direction that is not shown, because it may
// be wrong, is good enough for the light, for which the median of all nails counts.
static struct lq_nail likely_pose(const struct lq_nail *nail)
{
    struct lq_nail pose = *nail;
    float likely = hypotf(nail->tip_x, nail->tip_y);
    if (nail->tip_known || likely < LQ_TIP_CONFIDENCE_KNOWN)
        return pose;
    lq_shape_turn(&pose, nail->tip_x / likely, nail->tip_y / likely);
    pose.tip_known = true;
    return pose;
}

// Where to sample skin, in nail coordinates: behind the cuticle, or beside a nail whose base is
// unknown.
static void skin_place(const struct lq_nail *nail, int i, int j, float *u, float *w)
{
    float a = ((float)i + 0.5f) / GRID, b = ((float)j + 0.5f) / GRID;
    float widths = nail->width / fmaxf(nail->length, 1.0f);
    *u = nail->tip_known ? -1.0f - (0.44f + 0.5f * a) * widths : a - 0.5f;
    *w = nail->tip_known ? 1.2f * b - 0.6f : (b < 0.5f ? -1.25f - 0.4f * b : 0.85f + 0.4f * b);
}

// Reads the median of each channel over the skin near the nail; false if too little of it is
// visible.
static bool read_skin(const struct lq_image *picture, const struct lq_nails *nails,
                      const struct lq_nail *nail, float skin[3])
{
    float values[3][GRID * GRID];
    int xs[GRID * GRID], ys[GRID * GRID], count = 0;
    const struct lq_nail pose = likely_pose(nail);
    for (int k = 0; k < GRID * GRID; k++) {
        float u, w, along = 0.5f * pose.length, across = 0.5f * pose.width;
        skin_place(&pose, k % GRID, k / GRID, &u, &w);
        float x = nail->center_x + along * u * pose.axis_x - across * w * pose.axis_y;
        float y = nail->center_y + along * u * pose.axis_y + across * w * pose.axis_x;
        if (!(x >= 0.0f && y >= 0.0f && x < (float)picture->width && y < (float)picture->height) ||
            in_a_nail(nails, (int)x, (int)y))
            continue;
        xs[count] = (int)x;
        ys[count++] = (int)y;
    }
    lq_transfer_pick(picture, xs, ys,
                     &(struct lq_rgb_row){values[0], values[1], values[2], count});
    for (int c = 0; c < 3 && count >= SAMPLES_MIN; c++)
        skin[c] = lq_median(values[c], count);
    return count >= SAMPLES_MIN;
}

static void collect(struct evidence *evidence, const struct lq_image *picture,
                    const struct lq_nails *nails, const struct lq_shade_fit *fits)
{
    for (int i = 0; i < nails->count; i++) {
        float skin[3] = {1.0f, 1.0f, 1.0f};
        evidence[i].has_skin = read_skin(picture, nails, &nails->items[i], skin);
        for (int c = 0; c < 3; c++) {
            evidence[i].skin[c] = logf(fmaxf(skin[c], 1e-3f));
            evidence[i].bed[c] = logf(fmaxf(fits[i].bed[c], 1e-3f));
        }
    }
}

// Estimates the light that explains a nail and its skin if they have this tone. Returns the cost of
// the misfit.
static float explain(const struct evidence *seen, int tone, float light[3])
{
    float from_bed[3], from_skin[3], apart[3], mean = 0.0f, color = 0.0f;
    for (int c = 0; c < 3; c++) {
        from_bed[c] = seen->bed[c] - logf(TONE[tone].bed[c]);
        from_skin[c] = seen->skin[c] - logf(TONE[tone].skin[c]);
        apart[c] = from_bed[c] - from_skin[c];
        mean += apart[c] / 3.0f;
    }
    for (int c = 0; c < 3; c++)
        color += (apart[c] - mean) * (apart[c] - mean);
    float cost = mean * mean / (CONTRAST_SD * CONTRAST_SD) + color / (COLOR_SD * COLOR_SD);
    float believed = 1.0f / (1.0f + cost * cost / (BARE_COST * BARE_COST));
    float bed = BED_WEIGHT * believed / (1.0f + BED_WEIGHT * believed);
    for (int c = 0; c < 3; c++)
        light[c] = seen->has_skin ? from_skin[c] + mean * bed : from_bed[c];
    return seen->has_skin ? cost / (1.0f + cost / BARE_COST) : 0.0f;
}

// The usual exposure, as a natural logarithm: cameras expose dark hands longer.
static float usual_exposure(int tone)
{
    return logf(USUAL_EXPOSURE) - 0.14f * logf(luminance(TONE[tone].skin) / USUAL_SKIN);
}

// Estimates the light if all nails have this tone (natural logarithms). Returns the cost: -2 log
// likelihood.
static float light_of_tone(const struct evidence *evidence, int count, int tone, float brightest,
                           float *exposure, float tint[3])
{
    float lights[3][LQ_NAILS_MAX], light[3], cost = 0.0f;
    for (int i = 0; i < count; i++) {
        cost += explain(&evidence[i], tone, light);
        for (int c = 0; c < 3; c++)
            lights[c][i] = light[c];
    }
    cost *= fminf((float)count, HAND_NAILS) / (float)count;
    for (int c = 0; c < 3; c++) {
        tint[c] = lq_median(lights[c], count);
        light[c] = expf(tint[c]);
    }
    *exposure = logf(luminance(light));
    for (int c = 0; c < 3; c++)
        tint[c] -= *exposure;
    float off = *exposure - usual_exposure(tone), below = logf(brightest) - *exposure;
    float scene = below / (below > 0.0f ? DARKER_SD : BRIGHTER_SD);
    return cost + (tint[0] * tint[0] + tint[2] * tint[2]) / (TINT_SD * TINT_SD) +
           off * off / (EXPOSURE_SD * EXPOSURE_SD) + scene * scene;
}

// Wood in cold light looks like white in warm light, so greys count only as far as the skin agrees.
// warm: how much redder than blue the light is by the skin, as a natural logarithm.
static float trust_in_greys(const struct lq_surround *surround, float warm)
{
    float grey = logf(fmaxf(surround->white[0], 0.1f) / fmaxf(surround->white[2], 0.1f));
    float apart = (grey - warm) / GREY_SD;
    return surround->trust / (1.0f + apart * apart);
}

void lq_light_estimate(struct lq_light *light, const struct lq_image *picture,
                       const struct lq_surround *surround, const struct lq_nails *nails,
                       const struct lq_shade_fit *fits)
{
    *light = (struct lq_light){USUAL_EXPOSURE, {1.0f, 1.0f, 1.0f}, -0.45f, -0.75f};
    if (nails->count == 0)
        return;
    struct evidence evidence[LQ_NAILS_MAX];
    float exposure[TONES], tint[TONES][3], cost[TONES], least = INFINITY;
    collect(evidence, picture, nails, fits);
    for (int i = 0; i < TONES; i++) {
        cost[i] = light_of_tone(evidence, nails->count, i, surround->brightest, &exposure[i],
                                tint[i]);
        least = fminf(least, cost[i]);
    }
    float whole = 0.0f, mean = 0.0f, color[3] = {0};
    for (int i = 0; i < TONES; i++) {
        float share = expf(-0.5f * (cost[i] - least));
        whole += share;
        mean += share * exposure[i];
        for (int c = 0; c < 3; c++)
            color[c] += share * tint[i][c];
    }
    light->exposure = fminf(fmaxf(expf(mean / whole), EXPOSURE_MIN), EXPOSURE_MAX);
    float trust = trust_in_greys(surround, (color[0] - color[2]) / whole);
    for (int c = 0; c < 3; c++) {
        float skin = (TINT_SHARE - SKIN_YIELDS * trust) * color[c] / whole;
        float grey = GREY_SHARE * trust * logf(fmaxf(surround->white[c], 0.1f));
        float kept = expf(skin + grey) * SCATTER[c];
        light->tint[c] = fminf(fmaxf(kept, 0.85f), 1.18f);
    }
    float level = luminance(light->tint);
    for (int c = 0; c < 3; c++)
        light->tint[c] /= level;
}
