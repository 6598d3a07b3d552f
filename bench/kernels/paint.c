// Times finding, refining and painting ten nails on one core: median microseconds, for a live frame
// and for a 12-megapixel photo; each finish on natural nails and on longer ones (by half a nail,
// almond), with their shadow and lit edge.
// Usage: paint [ROUNDS]    Threads: one.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "nail/nail.h"
#include "paint/paint.h"

enum { ROUNDS_DEFAULT = 200, NAILS = 10, GRID_WIDTH = 192, GRID_HEIGHT = 144 };

struct scene {
    struct lq_buf pixels, drawn; // `drawn`: the picture before it was painted
    struct lq_image picture;
    float grid[GRID_WIDTH * GRID_HEIGHT];
    struct lq_patch patch;
    struct lq_nail_finder *finder;
    struct lq_painter *painter;
    struct lq_nails nails;
};

// How far (x, y) lies inside the nearest nail of two rows; all in shares of the picture's height.
static float depth_at(float x, float y)
{
    float most = -1.0f;
    for (int k = 0; k < NAILS; k++) {
        float px = x - (0.16f + 0.25f * (float)(k % 5)), py = y - (k < 5 ? 0.27f : 0.73f);
        float angle = 0.35f * (float)(k % 5 - 2) + 1.57f, c = cosf(angle), s = sinf(angle);
        float u = (px * c + py * s) / 0.050f, w = (py * c - px * s) / 0.036f;
        most = fmaxf(most, 1.0f - sqrtf(u * u + w * w));
    }
    return most;
}

static void draw(struct scene *scene)
{
    uint32_t noise = 1;
    struct lq_image *picture = &scene->picture;
    float unit = 1.0f / (float)picture->height;
    for (int y = 0; y < picture->height; y++) {
        uint8_t *row = lq_image_row(picture, y);
        for (int x = 0; x < picture->width; x++) {
            float depth = depth_at((float)x * unit, (float)y * unit);
            float nail = fminf(fmaxf(depth * 40.0f, 0.0f), 1.0f);
            float light = 1.0f - 0.2f * (float)y * unit;
            noise = noise * 1664525u + 1013904223u; // Numerical Recipes' LCG
            float grain = (float)(noise >> 29);
            row[3 * x] = (uint8_t)((190.0f + 35.0f * nail) * light + grain);
            row[3 * x + 1] = (uint8_t)((130.0f + 50.0f * nail) * light + grain);
            row[3 * x + 2] = (uint8_t)((105.0f + 62.0f * nail) * light + grain);
        }
    }
    for (int j = 0; j < GRID_HEIGHT; j++)
        for (int i = 0; i < GRID_WIDTH; i++) {
            float x = ((float)i + 0.5f) / GRID_HEIGHT, y = ((float)j + 0.5f) / GRID_HEIGHT;
            scene->grid[j * GRID_WIDTH + i] = 1.0f / (1.0f + expf(-18.0f * depth_at(x, y)));
        }
    float cell = (float)picture->height / GRID_HEIGHT;
    scene->patch = (struct lq_patch){1.0f, false, 0.5f, GRID_WIDTH, GRID_HEIGHT, GRID_WIDTH,
                                     scene->grid, cell / 2, cell / 2, cell, cell,
                                     {0, 0, (float)picture->width, (float)picture->height}};
}

// Finds the nails and sets their tips, because only nails with a known tip are made longer.
static int find(struct scene *scene)
{
    const struct lq_nails *nails;
    int status = lq_nail_find(scene->finder, &scene->picture, &scene->patch, 1, &nails, NULL);
    scene->nails = *nails;
    for (int i = 0; i < scene->nails.count; i++)
        scene->nails.items[i].tip_known = true;
    return status;
}

static int paint(struct scene *scene, enum lq_finish finish, bool longer)
{
    struct lq_look look = lq_look_default();
    lq_look_set_finish(&look, finish);
    if (longer)
        look.extension = (struct lq_extension){LQ_SHAPE_ALMOND, 0.5f};
    return lq_paint(scene->painter, &scene->picture, &scene->nails, &look, NULL);
}

static int by_time(const void *a, const void *b)
{
    unsigned p = *(const unsigned *)a, q = *(const unsigned *)b;
    return (p > q) - (p < q);
}

// finish < 0: times finding instead of painting. Every round starts from the unpainted picture.
static int measure(struct scene *scene, int finish, bool longer, int rounds, unsigned *times)
{
    int status = LQ_OK;
    for (int i = 0; status == LQ_OK && i < rounds; i++) {
        memcpy(scene->pixels.data, scene->drawn.data, scene->pixels.len);
        uint64_t start = lq_clock_us();
        status = finish < 0 ? find(scene) : paint(scene, (enum lq_finish)finish, longer);
        times[i] = (unsigned)(lq_clock_us() - start);
    }
    qsort(times, (size_t)rounds, sizeof(*times), by_time);
    return status;
}

static int measure_all(struct scene *scene, int rounds, unsigned *times)
{
    int status = measure(scene, -1, false, rounds, times);
    printf("%dx%d, %d nails: found and refined in %u us (median), %u us (p95)\n",
           scene->picture.width, scene->picture.height, scene->nails.count, times[rounds / 2],
           times[rounds * 95 / 100]);
    printf("painted, us       median     p95   longer median     p95\n");
    for (int finish = 0; status == LQ_OK && finish < LQ_FINISH_COUNT; finish++) {
        printf("%-14s", lq_finish_name((enum lq_finish)finish));
        for (int longer = 0; status == LQ_OK && longer < 2; longer++) {
            status = measure(scene, finish, longer, rounds, times);
            printf(longer ? "        %8u%8u\n" : "  %8u%8u", times[rounds / 2],
                   times[rounds * 95 / 100]);
        }
    }
    return status;
}

static int run(int width, int height, int rounds)
{
    static struct scene scene;
    lq_buf_init(&scene.pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 3);
    lq_buf_init(&scene.drawn, (size_t)LQ_PICTURE_PIXELS_MAX * 3);
    unsigned *times = calloc((size_t)rounds, sizeof(*times));
    int status = times ? lq_image_alloc(&scene.picture, &scene.pixels, width, height, 3, 8)
                       : LQ_ERR_MEMORY;
    if (status == LQ_OK)
        status = lq_nail_finder_new(&scene.finder);
    if (status == LQ_OK)
        status = lq_painter_new(&scene.painter);
    if (status == LQ_OK) {
        draw(&scene);
        status = lq_buf_append(&scene.drawn, scene.pixels.data, scene.pixels.len);
    }
    if (status == LQ_OK)
        status = measure_all(&scene, rounds, times);
    lq_painter_free(scene.painter);
    lq_nail_finder_free(scene.finder);
    lq_buf_release(&scene.pixels);
    lq_buf_release(&scene.drawn);
    free(times);
    return status;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    if (rounds < 1) {
        fprintf(stderr, "usage: paint [ROUNDS]\n");
        return 2;
    }
    int status = run(640, 480, rounds);
    if (status == LQ_OK)
        status = run(4000, 3000, rounds < 10 ? rounds : 10);
    if (status != LQ_OK)
        fprintf(stderr, "cannot measure: %s\n", lq_status_text(status));
    return status == LQ_OK ? 0 : 1;
}
