// Times finding, refining and painting ten nails on one core: median microseconds, for a live frame
// and for a 12-megapixel photo.
// Usage: paint [ROUNDS]    Threads: one.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "nail/nail.h"
#include "paint/paint.h"

enum { ROUNDS_DEFAULT = 200, NAILS = 10, GRID_WIDTH = 192, GRID_HEIGHT = 144 };

struct scene {
    struct lq_buf pixels;
    struct lq_image picture;
    float grid[GRID_WIDTH * GRID_HEIGHT];
    struct lq_patch patch;
    struct lq_nail_finder *finder;
    struct lq_painter *painter;
    const struct lq_nails *nails;
};

// How deep (x, y), in shares of the picture's height, lies inside the nearest of two rows of nails.
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

static int find(struct scene *scene)
{
    return lq_nail_find(scene->finder, &scene->picture, &scene->patch, 1, &scene->nails, NULL);
}

static int paint(struct scene *scene, enum lq_finish finish)
{
    struct lq_look look = lq_look_default();
    lq_look_set_finish(&look, finish);
    return lq_paint(scene->painter, &scene->picture, scene->nails, &look, NULL);
}

static int by_time(const void *a, const void *b)
{
    unsigned p = *(const unsigned *)a, q = *(const unsigned *)b;
    return (p > q) - (p < q);
}

// finish < 0: find. Painting starts from the drawn picture each time.
static int measure(struct scene *scene, const char *name, int finish, int rounds)
{
    unsigned *times = calloc((size_t)rounds, sizeof(*times));
    if (!times)
        return LQ_ERR_MEMORY;
    int status = LQ_OK;
    for (int i = 0; status == LQ_OK && i < rounds; i++) {
        uint64_t start = lq_clock_us();
        status = finish < 0 ? find(scene) : paint(scene, (enum lq_finish)finish);
        times[i] = (unsigned)(lq_clock_us() - start);
    }
    qsort(times, (size_t)rounds, sizeof(*times), by_time);
    if (status == LQ_OK)
        printf("%-14s %4dx%-4d %3d nails %8u us median %8u us p95\n", name, scene->picture.width,
               scene->picture.height, scene->nails->count, times[rounds / 2],
               times[rounds * 95 / 100]);
    free(times);
    return status;
}

static int run(int width, int height, int rounds)
{
    static struct scene scene;
    lq_buf_init(&scene.pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 3);
    int status = lq_image_alloc(&scene.picture, &scene.pixels, width, height, 3, 8);
    if (status == LQ_OK)
        status = lq_nail_finder_new(&scene.finder);
    if (status == LQ_OK)
        status = lq_painter_new(&scene.painter);
    if (status == LQ_OK) {
        draw(&scene);
        status = measure(&scene, "find + refine", -1, rounds);
    }
    for (int i = 0; status == LQ_OK && i < LQ_FINISH_COUNT; i++)
        status = measure(&scene, lq_finish_name((enum lq_finish)i), i, rounds);
    lq_painter_free(scene.painter);
    lq_nail_finder_free(scene.finder);
    lq_buf_release(&scene.pixels);
    return status;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS_DEFAULT;
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
