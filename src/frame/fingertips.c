#include "frame/fingertips.h"

#include <stdlib.h>
#include <string.h>

#include "frame/window.h"

enum { LOOKS_MAX = 8 }; // windows of one size in one picture

// Sides of the windows, in lengths of the hand's other nails: wide first, for the surroundings that
// distinguish a nail from skin, then close for what is still missing.
static const float SIDES[] = {8.0f, 5.0f};

struct look {
    struct lq_nail_finder *finder;
    struct lq_buf maps[LOOKS_MAX]; // the mean of a window's two runs
    struct lq_patch patches[LOOKS_MAX];
};

struct lq_fingertips {
    struct look looks[LQ_COUNT(SIDES)];
};

int lq_fingertips_new(struct lq_fingertips **out)
{
    struct lq_fingertips *fingertips = calloc(1, sizeof *fingertips);
    if (!fingertips)
        return LQ_ERR_MEMORY;
    for (size_t i = 0; i < LQ_COUNT(SIDES); i++) {
        struct look *look = &fingertips->looks[i];
        for (int j = 0; j < LOOKS_MAX; j++)
            lq_buf_init(&look->maps[j], (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(float));
        if (lq_nail_finder_new(&look->finder) != LQ_OK) {
            lq_fingertips_free(fingertips);
            return LQ_ERR_MEMORY;
        }
    }
    *out = fingertips;
    return LQ_OK;
}

void lq_fingertips_free(struct lq_fingertips *fingertips)
{
    if (!fingertips)
        return;
    for (size_t i = 0; i < LQ_COUNT(SIDES); i++) {
        for (int j = 0; j < LOOKS_MAX; j++)
            lq_buf_release(&fingertips->looks[i].maps[j]);
        lq_nail_finder_free(fingertips->looks[i].finder);
    }
    free(fingertips);
}

// Adds half of the values of a run to the map.
static void add_half(float *map, const struct lq_patch *patch)
{
    for (int y = 0; y < patch->height; y++)
        for (int x = 0; x < patch->width; x++)
            *map++ += 0.5f * patch->data[(ptrdiff_t)y * patch->stride + x];
}

// Runs the network on a window, straight and mirrored; *mean is set to the mean of both, whose
// values are in `map`.
static int run_window(const struct lq_image *picture, const struct lq_pixel_box *box,
                      struct lq_passes *passes, struct lq_buf *map, struct lq_patch *mean,
                      struct lq_error *err)
{
    struct lq_image part = lq_image_part(picture, box);
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        const struct lq_patch *patches;
        int status = lq_pass_run(passes, &part, mirrored, &patches, err);
        if (status != LQ_OK)
            return status;
        size_t size = (size_t)patches[0].width * (size_t)patches[0].height * sizeof(float);
        if (!mirrored && lq_buf_resize(map, size) != LQ_OK)
            return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
        if (!mirrored)
            memset(map->data, 0, size);
        add_half((float *)(void *)map->data, &patches[0]);
        *mean = patches[0];
    }
    mean->data = (const float *)(const void *)map->data;
    mean->stride = mean->width;
    lq_patch_place(mean, box);
    return LQ_OK;
}

// Looks at all fingertips without a nail, in windows of one size.
static int look_once(struct look *look, float side, const struct lq_fingertips_job *job,
                     struct lq_error *err)
{
    const struct lq_image *picture = job->picture;
    struct lq_bare_finger bare[LQ_BARE_FINGERS_MAX];
    const struct lq_nails *seen;
    int count = lq_hand_bare_fingers(job->hands, picture, job->nails, bare), status = LQ_OK;
    if (count > LOOKS_MAX)
        count = LOOKS_MAX;
    for (int i = 0; i < count && status == LQ_OK; i++) {
        struct lq_window window = lq_window_around(picture, bare[i].nail.x, bare[i].nail.y,
                                                   side * bare[i].length);
        struct lq_pixel_box box = lq_window_box(&window);
        status = run_window(picture, &box, job->passes, &look->maps[i], &look->patches[i], err);
    }
    if (status == LQ_OK)
        status = lq_nail_find(look->finder, picture, look->patches, count, &seen, err);
    for (int i = 0; i < count && status == LQ_OK; i++)
        lq_hand_add_nail(job->hands, job->nails, &bare[i], seen);
    return status;
}

int lq_fingertips_search(struct lq_fingertips *fingertips, const struct lq_fingertips_job *job,
                         struct lq_error *err)
{
    int status = LQ_OK;
    for (size_t i = 0; i < LQ_COUNT(SIDES) && status == LQ_OK; i++)
        status = look_once(&fingertips->looks[i], SIDES[i], job, err);
    lq_nails_sort(job->nails);
    return status;
}
