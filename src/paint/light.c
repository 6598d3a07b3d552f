#include "paint/light.h"

#include <math.h>
#include <string.h>

#include "paint/transfer.h"

enum { SIDE = 48, BINS = 64 };

static float luminance(const float rgb[3])
{
    return 0.2126f * rgb[0] + 0.7152f * rgb[1] + 0.0722f * rgb[2];
}

// Square-root bins: dark scenes keep their resolution.
static int bin_of(float y)
{
    int bin = (int)(sqrtf(y < 1.0f ? y : 1.0f) * BINS);
    return bin < BINS ? bin : BINS - 1;
}

struct survey {
    int count[BINS], total;
    float sum[BINS][3];
};

static void survey_picture(struct survey *survey, const struct lq_image *picture)
{
    int columns = picture->width < SIDE ? picture->width : SIDE;
    int rows = picture->height < SIDE ? picture->height : SIDE;
    size_t bytes = lq_image_pixel_bytes(picture);
    uint16_t pixels[SIDE * 4]; // one row of samples, side by side
    struct lq_image samples = *picture;
    samples.data = (uint8_t *)pixels;
    float red[SIDE], green[SIDE], blue[SIDE];
    for (int j = 0; j < rows; j++) {
        const uint8_t *row = lq_image_row(picture, (2 * j + 1) * picture->height / (2 * rows));
        for (int i = 0; i < columns; i++) {
            size_t x = (size_t)((2 * i + 1) * picture->width / (2 * columns));
            memcpy((uint8_t *)pixels + (size_t)i * bytes, row + x * bytes, bytes);
        }
        lq_transfer_read(&samples, 0, 0, columns, red, green, blue);
        for (int i = 0; i < columns; i++) {
            float rgb[3] = {red[i], green[i], blue[i]};
            int bin = bin_of(luminance(rgb));
            survey->count[bin]++;
            survey->total++;
            for (int k = 0; k < 3; k++)
                survey->sum[bin][k] += rgb[k];
        }
    }
}

// The brightest hundredth says how bright white is; the brightest fifth says the light's colour.
void lq_light_judge(struct lq_light *light, const struct lq_image *picture)
{
    struct survey survey = {0};
    survey_picture(&survey, picture);
    *light = (struct lq_light){1.0f, {1.0f, 1.0f, 1.0f}, -0.45f, -0.75f};
    float white = 0.0f, sum[3] = {1e-4f, 1e-4f, 1e-4f};
    int seen = 0;
    for (int bin = BINS - 1; bin >= 0 && seen * 5 < survey.total; bin--) {
        seen += survey.count[bin];
        if (white == 0.0f && seen * 100 >= survey.total) {
            float middle = ((float)bin + 0.5f) / BINS;
            white = middle * middle;
        }
        for (int k = 0; k < 3; k++)
            sum[k] += survey.sum[bin][k];
    }
    float exposure = powf(white / 0.62f, 0.33f);
    light->exposure = exposure < 0.42f ? 0.42f : exposure > 1.0f ? 1.0f : exposure;
    float whole = luminance(sum);
    for (int k = 0; k < 3; k++) {
        float tint = powf(sum[k] / whole, 0.15f);
        light->tint[k] = tint < 0.93f ? 0.93f : tint > 1.07f ? 1.07f : tint;
    }
    float level = luminance(light->tint);
    for (int k = 0; k < 3; k++)
        light->tint[k] /= level;
}
