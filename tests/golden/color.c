// Whether polish has the colour of its swatch: mean CIEDE2000 between swatches and what is painted
// on rendered hands whose light is known (NAME.json: kelvin, level), over skin from tan to dark.
// The colour meant is the diffuse one: painted without sheen, so that no highlight is in it, and
// averaged in linear light where the nail is fully covered.
#include "golden/hand.h"
#include "paint/transfer.h"
#include "unit/delta_e.h"

static const double DELTA_E_MAX = 3.0;

// Lit by 3400 to 7000 K; the painter has no more to go by than the picture.
static const char *const HANDS[] = {"intermediate", "tan", "brown", "dark"};
static const char *const SWATCHES[] = {"#c71585", "#b00020", "#ff0000", "#ff2d95", "#39ff14",
                                       "#e8c4b8", "#1b1464", "#808080", "#ffffff", "#000000",
                                       "#f5e663", "#5b1a18"};

static double nail_difference(const struct stage *stage, const struct lq_nail *nail,
                              const uint8_t swatch[3])
{
    double mean[3] = {0}, wanted[3];
    int count = 0;
    for (int j = 0; j < nail->height; j++)
        for (int i = 0; i < nail->width; i++) {
            if (nail->alpha[(size_t)j * nail->alpha_stride + (size_t)i] < 255)
                continue;
            const uint8_t *pixel = lq_image_row(&stage->hand, nail->y + j) +
                                   (nail->x + i) * stage->hand.channels;
            for (int k = 0; k < 3; k++)
                mean[k] += lq_srgb_decode(pixel[k] / 255.0);
            count++;
        }
    for (int k = 0; k < 3; k++) {
        mean[k] /= count > 0 ? count : 1;
        wanted[k] = lq_srgb_decode(swatch[k] / 255.0);
    }
    return unit_delta_e_2000(mean, wanted);
}

// Mean over the hand's nails; negative: an error.
static double hand_difference(struct stage *stage, const char *hand, const char *swatch,
                              enum lq_finish finish)
{
    struct lq_look look = lq_look_default();
    lq_look_set_finish(&look, finish);
    lq_look_set_sheen(&look, false);
    if (find_hand(stage, hand, 4) != LQ_OK ||
        lq_look_parse_color(&look, swatch, &stage->err) != LQ_OK ||
        lq_paint(stage->painter, &stage->hand, &stage->nails, &look, &stage->err) != LQ_OK)
        return -1.0;
    double sum = 0.0;
    for (int i = 0; i < stage->nails.count; i++)
        sum += nail_difference(stage, &stage->nails.items[i], look.polish.color);
    return stage->nails.count > 0 ? sum / stage->nails.count : -1.0;
}

int main(void)
{
    static const enum lq_finish finishes[] = {LQ_FINISH_CREME, LQ_FINISH_GLOSS, LQ_FINISH_MATTE};
    static struct stage stage;
    int failed = stage_init(&stage) != LQ_OK;
    for (size_t h = 0; !failed && h < LQ_COUNT(HANDS); h++)
        for (size_t f = 0; !failed && f < LQ_COUNT(finishes); f++) {
            double sum = 0.0;
            for (size_t s = 0; !failed && s < LQ_COUNT(SWATCHES); s++) {
                double each = hand_difference(&stage, HANDS[h], SWATCHES[s], finishes[f]);
                failed |= each < 0.0;
                sum += each;
            }
            double mean = sum / LQ_COUNT(SWATCHES);
            printf("%-14s %-8s mean delta E %.2f\n", HANDS[h], lq_finish_name(finishes[f]), mean);
            failed |= !(mean <= DELTA_E_MAX);
        }
    if (failed && stage.err.text[0])
        fprintf(stderr, "%s\n", stage.err.text);
    stage_release(&stage);
    return failed;
}
