#include "paint/surround.h"

#include <math.h>

#include "paint/transfer.h"

// Samples per side of a cell, and in all; bins of the histogram.
enum { PER_CELL = 6, SURVEY = LQ_SURROUND_SIDE * PER_CELL, BINS = 64 };

// Where a reflection points: picture heights per radian.
static const float REACH = 0.32f;
// Limits for cells, so that a lamp or a black corner does not dominate the rest.
static const float LEVEL_MIN = 0.12f, LEVEL_MAX = 3.0f, HUE_MIN = 0.6f, HUE_MAX = 1.6f;
static const float DARKEST = 0.004f; // camera noise keeps black from being 0

#define ROW_OF_8(x) x, x, x, x, x, x, x, x
#define CELLS_OF(x) {ROW_OF_8(ROW_OF_8(x))}
const struct lq_surround lq_surround_plain = {
    1.0f, {1.0f, 1.0f, 1.0f}, 0.0f, CELLS_OF(1.0f),
    {CELLS_OF(1.0f), CELLS_OF(1.0f), CELLS_OF(1.0f)}};

static float luminance(float red, float green, float blue)
{
    return 0.2126f * red + 0.7152f * green + 0.0722f * blue;
}

static float bounded(float x, float least, float most)
{
    return fminf(fmaxf(x, least), most);
}

// Sums up pixels that may be grey or white, weighted by brightness, since brighter ones are more
// likely white. They are not clipped, and no more coloured than a lamp or the sky makes them.
struct greys {
    float sum[3], weight, whole;
};

static void weigh_grey(struct greys *greys, float red, float green, float blue, float level)
{
    const float least = 0.02f, clipped = 0.97f, warm = 1.55f, cool = 0.66f, off = 1.12f;
    float middle = sqrtf(red * blue);
    int grey = level > least && fmaxf(fmaxf(red, green), blue) < clipped && red < warm * blue &&
                red > cool * blue && green < off * middle && middle < off * green;
    greys->whole += level;
    if (!grey)
        return;
    greys->weight += level;
    greys->sum[0] += level * red;
    greys->sum[1] += level * green;
    greys->sum[2] += level * blue;
}

static void judge_greys(struct lq_surround *surround, const struct greys *greys)
{
    float level = luminance(greys->sum[0], greys->sum[1], greys->sum[2]);
    float share = greys->weight / fmaxf(greys->whole, 1e-6f);
    surround->trust = level > 0.0f ? share / (share + 0.15f) : 0.0f;
    for (int k = 0; k < 3; k++)
        surround->white[k] = level > 0.0f ? greys->sum[k] / level : 1.0f;
}

// Adds one row of samples to the cells' sums and the brightness histogram.
static void survey_row(const struct lq_image *picture, int row, float sums[3][LQ_SURROUND_SIDE],
                       int count[BINS], struct greys *greys)
{
    int x[SURVEY], y[SURVEY];
    float rgb[3][SURVEY];
    for (int i = 0; i < SURVEY; i++) {
        x[i] = (2 * i + 1) * picture->width / (2 * SURVEY);
        y[i] = (2 * row + 1) * picture->height / (2 * SURVEY);
    }
    lq_transfer_pick(picture, x, y, &(struct lq_rgb_row){rgb[0], rgb[1], rgb[2], SURVEY});
    for (int i = 0; i < SURVEY; i++) {
        float level = luminance(rgb[0][i], rgb[1][i], rgb[2][i]);
        int bin = (int)(sqrtf(fminf(level, 1.0f)) * BINS); // the root keeps dark detail
        count[bin < BINS ? bin : BINS - 1]++;
        weigh_grey(greys, rgb[0][i], rgb[1][i], rgb[2][i], level);
        for (int k = 0; k < 3; k++)
            sums[k][i / PER_CELL] += rgb[k][i];
    }
}

static float brightest(const int count[BINS])
{
    int bin = BINS - 1, seen = 0;
    while (bin > 0 && (seen += count[bin]) * 100 < SURVEY * SURVEY)
        bin--;
    float root = ((float)bin + 0.5f) / BINS;
    return root * root;
}

// Converts the cells' colours (in `hue`) to levels relative to the mean, and hues.
static void normalise(struct lq_surround *surround)
{
    float mean = 0.0f;
    for (int i = 0; i < LQ_SURROUND_CELLS; i++) {
        float level = luminance(surround->hue[0][i], surround->hue[1][i], surround->hue[2][i]);
        surround->level[i] = fmaxf(level, DARKEST);
        mean += surround->level[i] / LQ_SURROUND_CELLS;
    }
    for (int i = 0; i < LQ_SURROUND_CELLS; i++) {
        float own = surround->level[i], level = own / mean;
        surround->level[i] = bounded(level * sqrtf(level), LEVEL_MIN, LEVEL_MAX);
        for (int k = 0; k < 3; k++)
            surround->hue[k][i] = bounded(surround->hue[k][i] / own, HUE_MIN, HUE_MAX);
    }
}

void lq_surround_survey(struct lq_surround *surround, const struct lq_image *picture)
{
    int count[BINS] = {0};
    struct greys greys = {0};
    for (int cell = 0; cell < LQ_SURROUND_SIDE; cell++) {
        float sums[3][LQ_SURROUND_SIDE] = {{0}};
        for (int row = 0; row < PER_CELL; row++)
            survey_row(picture, cell * PER_CELL + row, sums, count, &greys);
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < LQ_SURROUND_SIDE; i++)
                surround->hue[k][cell * LQ_SURROUND_SIDE + i] =
                    sums[k][i] / (float)(PER_CELL * PER_CELL);
    }
    surround->brightest = brightest(count);
    judge_greys(surround, &greys);
    normalise(surround);
}

struct lq_outlook lq_outlook_of(const struct lq_image *picture, float x, float y, float axis_x,
                                float axis_y)
{
    float across = LQ_SURROUND_SIDE / (float)picture->width;
    float down = LQ_SURROUND_SIDE / (float)picture->height;
    float reach = REACH * (float)picture->height;
    return (struct lq_outlook){x * across, y * down, -axis_y * reach * across,
                               axis_x * reach * down, axis_x * reach * across,
                               axis_y * reach * down};
}

void lq_glimpse_take(struct lq_glimpse *glimpse, const struct lq_surround *surround,
                     const struct lq_outlook *outlook, float step)
{
    glimpse->inverse_step = 1.0f / step;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++) {
            float across = step * (float)(i - 2), along = (float)(j - 1);
            float x = outlook->x + across * outlook->wx + along * outlook->ux;
            float y = outlook->y + across * outlook->wy + along * outlook->uy;
            glimpse->node[i][j] = lq_surround_read(surround->level, lq_surround_fold(x),
                                                   lq_surround_fold(y));
        }
    for (int k = 0; k < 3; k++)
        glimpse->hue[k] = lq_surround_read(surround->hue[k], lq_surround_fold(outlook->x),
                                           lq_surround_fold(outlook->y));
}
