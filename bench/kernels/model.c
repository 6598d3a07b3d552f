// Times the decoding of a model's outputs, without the model: ten nails in YOLOv8-seg outputs for
// 640x640, in both memory layouts, and a whole-picture map of 192x144. Ten nails must take at most
// 500 us.
//
//   bench-model [ROUNDS]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/decode.h"

enum { ROUNDS_DEFAULT = 500, SIDE = 640, ANCHORS = 8400, PROTOS = 32, GRID = 160, NAILS = 10,
       ROWS = 4 + 1 + PROTOS, MAP_WIDTH = 192, MAP_HEIGHT = 144 };

struct bench {
    struct lq_layout layout;
    struct lq_rules rules;
    struct lq_geometry geometry;
    struct lq_yolo yolo;
    struct lq_patch patches[LQ_NAILS_MAX];
    float *det, *proto, *map, *grid;
    int found;
};

static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (float)(1 << 24);
}

// Nails of 60 x 80 pixels in two rows of five, each detected by four neighbouring anchors.
static void fill(struct bench *b)
{
    uint32_t state = 1;
    for (int i = 0; i < ANCHORS; i++) {
        bool seen = i % 200 < 4 && i / 200 < NAILS;
        int nail = i / 200;
        float box[4] = {noise(&state) * SIDE, noise(&state) * SIDE, 60, 80};
        if (seen) {
            box[0] = 80 + 120 * (float)(nail % 5) + (float)(i % 4);
            box[1] = 200 + 200 * (float)(nail / 5);
        }
        for (int row = 0; row < ROWS; row++) {
            float value = row < 4    ? box[row]
                          : row == 4 ? (seen ? 0.5f + 0.1f * (float)(i % 4) : 0.1f * noise(&state))
                                     : noise(&state) - 0.5f;
            b->det[b->layout.det_transposed ? i * ROWS + row : row * ANCHORS + i] = value;
        }
    }
    for (int i = 0; i < PROTOS * GRID * GRID; i++)
        b->proto[i] = 4 * noise(&state) - 2;
    for (int i = 0; i < 2 * MAP_WIDTH * MAP_HEIGHT; i++)
        b->map[i] = noise(&state);
}

static void yolo(struct bench *b)
{
    const struct lq_detections detections = {&b->layout, &b->rules, &b->geometry, b->det, b->proto,
                                             NULL};
    b->found = lq_yolo_decode(&b->yolo, &detections, b->patches);
}

static void map(struct bench *b)
{
    lq_mask_decode(&b->layout, &b->rules, &b->geometry, b->map, b->grid, b->patches);
    b->found = NAILS;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// Prints median and minimum in microseconds; fails if the number of nails found is wrong.
static int measure(struct bench *b, const char *name, void (*run)(struct bench *), size_t rounds,
                   uint64_t *times)
{
    for (size_t i = 0; i < rounds; i++) {
        uint64_t start = lq_clock_us();
        run(b);
        times[i] = lq_clock_us() - start;
        if (b->found != NAILS) {
            fprintf(stderr, "model: %s found %d nails instead of %d\n", name, b->found, NAILS);
            return 1;
        }
    }
    qsort(times, rounds, sizeof *times, by_value);
    printf("%-34s median %6llu us   fastest %6llu us\n", name,
           (unsigned long long)times[rounds / 2], (unsigned long long)times[0]);
    return 0;
}

static int run_all(struct bench *b, size_t rounds, uint64_t *times)
{
    fill(b);
    int failed = measure(b, "10 nails, planes", yolo, rounds, times);
    b->layout.det_transposed = true;
    b->layout.proto_channels_first = false;
    fill(b);
    failed |= measure(b, "10 nails, channels last", yolo, rounds, times);
    failed |= measure(b, "map of probabilities", map, rounds, times);
    b->rules.values = LQ_VALUES_LOGITS;
    failed |= measure(b, "map of logits", map, rounds, times);
    b->layout.map_channels = 2;
    return failed | measure(b, "map of logits, two channels", map, rounds, times);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    if (rounds < 1 || rounds > 1000000) {
        fprintf(stderr, "model: rounds must be 1 to 1000000\n");
        return 2;
    }
    struct bench b = {
        .layout = {.map_channels_first = true, .map_channels = 1, .map_width = MAP_WIDTH,
                   .map_height = MAP_HEIGHT, .anchors = ANCHORS, .classes = 1, .protos = PROTOS,
                   .proto_channels_first = true, .proto_width = GRID, .proto_height = GRID},
        .rules = {.score_min = 0.25f, .nms_iou = 0.45f, .threshold = 0.5f, .nail_channel = 1,
                  .class_mask = UINT64_MAX},
        .geometry = {SIDE, SIDE, 0, 80, 1, 1, 640, 480},
        .det = malloc(sizeof(float) * ROWS * ANCHORS),
        .proto = malloc(sizeof(float) * PROTOS * GRID * GRID),
        .map = malloc(sizeof(float) * 2 * MAP_WIDTH * MAP_HEIGHT),
        .grid = malloc(sizeof(float) * MAP_WIDTH * MAP_HEIGHT),
    };
    uint64_t *times = malloc((size_t)rounds * sizeof *times);
    int failed = !times || !b.det || !b.proto || !b.map || !b.grid ||
                 lq_yolo_init(&b.yolo, &b.layout) != LQ_OK || run_all(&b, (size_t)rounds, times);
    lq_yolo_release(&b.yolo);
    free(times);
    free(b.det);
    free(b.proto);
    free(b.map);
    free(b.grid);
    return failed;
}
