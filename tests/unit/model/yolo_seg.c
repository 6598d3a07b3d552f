// Compares decoding with tests/reference/yolo_seg.py: replays the fixtures as a model's outputs and
// compares every patch with numpy's result for the same tensors.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/decode.h"
#include "unit/unit.h"

static struct lq_error err;

static struct lq_model *open_model(const char *name, float score_min, float nms_iou)
{
    char path[256];
    snprintf(path, sizeof path, "tests/fixtures/yolo_%s.replay", name);
    const struct lq_model_options options = {.score_min = score_min, .nms_iou = nms_iou};
    struct lq_model *model = NULL;
    if (lq_model_open(&model, path, &options, &err) != LQ_OK)
        fail_msg("%s", err.text);
    return model;
}

static json_t *expected_of(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "tests/fixtures/yolo_%s.expected.json", name);
    json_t *expected = json_load_file(path, 0, NULL);
    assert_non_null(expected);
    return expected;
}

static int run(struct lq_runner *runner, int width, int height, const struct lq_patch **patches)
{
    uint8_t *pixels = calloc((size_t)width * (size_t)height, 3);
    const struct lq_image picture = {pixels, width, height, 3, 8, (size_t)width * 3};
    int count = -1;
    assert_ok(lq_runner_prepare(runner, &picture, true, &err));
    assert_ok(lq_runner_infer(runner, 0, &err));
    assert_ok(lq_runner_patches(runner, patches, &count, &err));
    free(pixels);
    return count;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void compare(const struct lq_patch *patch, const json_t *expected)
{
    assert_true(patch->single && patch->threshold == 0.5f && patch->stride == patch->width);
    assert_int_equal(patch->width, number(expected, "width"));
    assert_int_equal(patch->height, number(expected, "height"));
    assert_true(fabs((double)patch->confidence - number(expected, "confidence")) < 2e-6);
    const float have[] = {patch->x0, patch->y0, patch->dx, patch->dy};
    const float box[] = {patch->box.x, patch->box.y, patch->box.width, patch->box.height};
    static const char *const keys[] = {"x0", "y0", "dx", "dy"};
    for (int i = 0; i < 4; i++) {
        const json_t *side = json_array_get(json_object_get(expected, "box"), (size_t)i);
        assert_true(fabs((double)box[i] - json_number_value(side)) < 2e-3);
        assert_true(fabs((double)have[i] - number(expected, keys[i])) < 1e-3);
    }
    const json_t *data = json_object_get(expected, "data");
    assert_int_equal(json_array_size(data), patch->width * patch->height);
    for (int i = 0; i < patch->width * patch->height; i++) {
        double wanted = json_number_value(json_array_get(data, (size_t)i));
        assert_true(fabs((double)patch->data[i] - wanted) < 2e-5);
    }
}

static void check_case(const char *name, int classes)
{
    struct lq_model *model = open_model(name, 0, 0);
    assert_int_equal(lq_model_info(model)->head, LQ_HEAD_YOLO_SEG);
    assert_int_equal(lq_model_info(model)->classes, classes);
    assert_int_equal(lq_model_info(model)->proto_channels, 8);
    assert_true(lq_model_info(model)->letterbox);
    json_t *expected = expected_of(name);
    const json_t *size = json_object_get(expected, "picture");
    const json_t *wanted = json_object_get(expected, "patches");
    struct lq_runner *runner;
    assert_ok(lq_runner_new(&runner, model, &err));
    for (int again = 0; again < 2; again++) { // the first run must not affect the second
        const struct lq_patch *patches;
        int count = run(runner, (int)json_integer_value(json_array_get(size, 0)),
                        (int)json_integer_value(json_array_get(size, 1)), &patches);
        assert_int_equal(count, json_array_size(wanted));
        for (int i = 0; i < count; i++)
            compare(&patches[i], json_array_get(wanted, (size_t)i));
    }
    json_decref(expected);
    lq_runner_free(runner);
    lq_model_close(model);
}

static void boxes_in_pixels_planes_first(void **state)
{
    (void)state;
    check_case("pixels", 1);
}

static void boxes_in_units_channels_last_transposed(void **state)
{
    (void)state;
    check_case("unit", 3);
}

static void broken_numbers_do_no_harm(void **state)
{
    (void)state;
    check_case("broken", 2);
}

static void nothing_found_is_fine(void **state)
{
    (void)state;
    check_case("empty", 1);
}

static int count_with(float score_min, float nms_iou)
{
    struct lq_model *model = open_model("pixels", score_min, nms_iou);
    struct lq_runner *runner;
    const struct lq_patch *patches;
    assert_ok(lq_runner_new(&runner, model, &err));
    int count = run(runner, 640, 480, &patches);
    for (int i = 0; i < count; i++)
        assert_true(patches[i].confidence >= score_min);
    for (int i = 1; i < count; i++) // best first
        assert_true(patches[i].confidence <= patches[i - 1].confidence);
    lq_runner_free(runner);
    lq_model_close(model);
    return count;
}

static void options_move_the_thresholds(void **state)
{
    (void)state;
    int usual = count_with(0, 0);
    assert_true(count_with(0.6f, 0) < usual);
    assert_int_equal(count_with(0.999f, 0), 0);
    assert_true(count_with(0, 0.05f) < usual); // hardly any overlap allowed
    assert_true(count_with(0, 1.0f) > usual);  // all kept
    assert_int_equal(count_with(0.001f, 1.0f), LQ_NAILS_MAX); // every anchor is a candidate
}

// Memory layout and box format of a model must not change the result, at any size.
static void layouts_agree(void **state)
{
    (void)state;
    enum { ANCHORS = 37, PROTOS = 5, SIDE = 7, ROWS = 4 + 1 + PROTOS };
    static float det[ROWS * ANCHORS], turned[ROWS * ANCHORS];
    static float first[PROTOS * SIDE * SIDE], last[PROTOS * SIDE * SIDE];
    uint32_t seed = 11;
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < ANCHORS; i++) {
            float unit = (float)(unit_random(&seed) % 10000) / 10000.0f;
            float value = row < 2 ? unit * 224 : row < 4 ? 20 + unit * 60 : unit;
            value -= row > 4 ? 0.5f : 0;
            det[row * ANCHORS + i] = value;
            turned[i * ROWS + row] = row < 4 ? value / 224 : value;
        }
    for (int c = 0; c < PROTOS; c++)
        for (int i = 0; i < SIDE * SIDE; i++)
            first[c * SIDE * SIDE + i] = last[i * PROTOS + c] =
                (float)(unit_random(&seed) % 10000) / 1000.0f - 5;
    const struct lq_layout plain = {.anchors = ANCHORS, .classes = 1, .protos = PROTOS,
                                    .proto_channels_first = true, .proto_width = SIDE,
                                    .proto_height = SIDE};
    struct lq_layout other = plain;
    other.det_transposed = true;
    other.proto_channels_first = false;
    const struct lq_rules rules = {.score_min = 0.25f, .nms_iou = 0.45f, .threshold = 0.5f,
                                   .class_mask = UINT64_MAX};
    const struct lq_geometry geometry = {224, 224, 0, 28, 0.35f, 0.35f, 640, 480};
    struct lq_yolo a = {0}, b = {0};
    struct lq_patch one[LQ_NAILS_MAX], two[LQ_NAILS_MAX];
    assert_ok(lq_yolo_init(&a, &plain));
    assert_ok(lq_yolo_init(&b, &other));
    const struct lq_detections columns = {&plain, &rules, &geometry, det, first, NULL};
    const struct lq_detections rows = {&other, &rules, &geometry, turned, last, NULL};
    int count = lq_yolo_decode(&a, &columns, one);
    assert_int_equal(lq_yolo_decode(&b, &rows, two), count);
    assert_true(count > 3);
    for (int i = 0; i < count; i++) {
        assert_int_equal(one[i].width, two[i].width);
        assert_int_equal(one[i].height, two[i].height);
        assert_true(fabsf(one[i].box.x - two[i].box.x) < 1e-3f);
        for (int k = 0; k < one[i].width * one[i].height; k++)
            assert_true(fabsf(one[i].data[k] - two[i].data[k]) < 1e-5f);
    }
    lq_yolo_release(&a);
    lq_yolo_release(&b);
}

enum { COUNT = 3, CELLS = 40, PROTOS = 3, SIDE = 16, CELL_ROWS = 4 + 1 + PROTOS,
       FINAL_ROWS = 4 + 2 + PROTOS, POINTS = SIDE * SIDE };

// The same detections in three forms: rows for each cell, rows selected by the network (with boxes
// in pixels or as fractions), and queries with their own masks.
struct same {
    float cells[CELL_ROWS * CELLS];
    float final[2][FINAL_ROWS * CELLS]; // corners in pixels, and in parts of the input
    float boxes[4 * CELLS], logits[2 * CELLS], masks[CELLS * POINTS]; // queries
    float proto[PROTOS * POINTS];
};

static void write_detection(struct same *same, int i, const float box[4], float score)
{
    for (int k = 0; k < 4; k++) {
        float corner = k < 2 ? box[k] - box[k + 2] / 2 : box[k - 2] + box[k] / 2;
        same->cells[k * CELLS + i] = box[k];
        same->boxes[i * 4 + k] = box[k] / 224;
        same->final[0][i * FINAL_ROWS + k] = corner;
        same->final[1][i * FINAL_ROWS + k] = corner / 224;
    }
    same->cells[4 * CELLS + i] = score;
    same->logits[i * 2] = logf(score / (1 - score));
    same->logits[i * 2 + 1] = 30; // no class that is a nail
    for (int form = 0; form < 2; form++) {
        same->final[form][i * FINAL_ROWS + 4] = score;
        same->final[form][i * FINAL_ROWS + 5] = 0;
    }
}

static void write_mask(struct same *same, int i, int heaviest)
{
    for (int c = 0; c < PROTOS; c++) {
        float weight = c == heaviest ? 1.0f : 0.25f;
        same->cells[(5 + c) * CELLS + i] = weight;
        same->final[0][i * FINAL_ROWS + 6 + c] = same->final[1][i * FINAL_ROWS + 6 + c] = weight;
        for (int p = 0; p < POINTS; p++)
            same->masks[i * POINTS + p] += weight * same->proto[c * POINTS + p];
    }
}

static void write_same(struct same *same)
{
    static const float centres[COUNT][4] = {{40, 50, 30, 44}, {120, 60, 24, 24}, {90, 170, 60, 20}};
    static const float scores[COUNT] = {0.9f, 0.75f, 0.5f};
    uint32_t seed = 5;
    for (int i = 0; i < PROTOS * POINTS; i++)
        same->proto[i] = (float)(unit_random(&seed) % 1000) / 100 - 5;
    for (int i = 0; i < CELLS; i++) {
        int n = i < COUNT ? i : 0;
        write_detection(same, i, centres[n], i < COUNT ? scores[i] : 0.001f);
        write_mask(same, i, n);
    }
    same->final[0][5] = same->final[1][5] = 1; // the first is of another class
}

static void assert_same_patch(const struct lq_patch *a, const struct lq_patch *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_true(fabsf(a->confidence - b->confidence) < 1e-4f);
    assert_float_equal(a->box.x, b->box.x, 1e-2f);
    assert_float_equal(a->box.y, b->box.y, 1e-2f);
    assert_float_equal(a->box.width, b->box.width, 1e-2f);
    assert_float_equal(a->box.height, b->box.height, 1e-2f);
    for (int k = 0; k < a->width * a->height; k++)
        assert_true(fabsf(a->data[k] - b->data[k]) < 1e-4f);
}

static void heads_agree(void **state)
{
    (void)state;
    static struct same same;
    const struct lq_layout base = {.anchors = CELLS, .classes = 1, .protos = PROTOS,
                                   .proto_channels_first = true, .proto_width = SIDE,
                                   .proto_height = SIDE};
    struct lq_layout chosen = base, queries = base;
    chosen.rows = LQ_ROWS_FINAL;
    chosen.det_transposed = true;
    chosen.classes = queries.classes = 2;
    queries.rows = LQ_ROWS_QUERIES;
    struct lq_rules rules = {.score_min = 0.25f, .nms_iou = 0.45f, .threshold = 0.5f,
                             .class_mask = UINT64_MAX};
    const struct lq_geometry geometry = {224, 224, 0, 28, 0.35f, 0.35f, 640, 480};
    const struct lq_detections heads[4] = {
        {&base, &rules, &geometry, same.cells, same.proto, NULL},
        {&chosen, &rules, &geometry, same.final[0], same.proto, NULL},
        {&chosen, &rules, &geometry, same.final[1], same.proto, NULL},
        {&queries, &rules, &geometry, same.boxes, same.masks, same.logits}};
    struct lq_yolo yolo[4] = {{0}};
    struct lq_patch patches[4][LQ_NAILS_MAX];
    write_same(&same);
    for (int head = 0; head < 4; head++) {
        rules.class_mask = head == 3 ? 1 : UINT64_MAX; // the queries' other class is no nail …
        assert_ok(lq_yolo_init(&yolo[head], &base));
        assert_int_equal(lq_yolo_decode(&yolo[head], &heads[head], patches[head]), COUNT);
        for (int i = 0; i < COUNT; i++)
            assert_same_patch(&patches[0][i], &patches[head][i]);
    }
    // … and so the rows of the chosen class 1 are not either.
    assert_int_equal(lq_yolo_decode(&yolo[1], &heads[1], patches[1]), COUNT - 1);
    for (int i = 0; i < 4; i++)
        lq_yolo_release(&yolo[i]);
}

// NaN rows and logits give no nails, and masks of 0..1 get no sigmoid.
static void broken_rows_and_queries_do_no_harm(void **state)
{
    (void)state;
    enum { ROWS = 6, VALUES = 7 };
    float rows[ROWS * VALUES], boxes[ROWS * 4], logits[ROWS], masks[ROWS * 4] = {0};
    const float bad[ROWS] = {NAN, INFINITY, -INFINITY, 1e30f, -1, 0.5f}, proto[4] = {1, 1, 1, 1};
    struct lq_layout layout = {.rows = LQ_ROWS_FINAL, .det_transposed = true, .anchors = ROWS,
                               .classes = 2, .protos = 1, .proto_channels_first = true,
                               .proto_width = 2, .proto_height = 2};
    const struct lq_rules rules = {.score_min = 0.25f, .nms_iou = 0.45f, .threshold = 0.5f,
                                   .class_mask = UINT64_MAX};
    const struct lq_geometry geometry = {64, 64, 0, 0, 1, 1, 64, 64};
    struct lq_yolo yolo = {0};
    struct lq_patch patches[LQ_NAILS_MAX];
    assert_ok(lq_yolo_init(&yolo, &layout));
    for (int place = 0; place < VALUES; place++) {
        for (int i = 0; i < ROWS; i++) {
            const float good[VALUES] = {8, 8, 56, 56, 0.9f, 0, 1};
            memcpy(rows + i * VALUES, good, sizeof good);
            rows[i * VALUES + place] = bad[i];
        }
        const struct lq_detections final = {&layout, &rules, &geometry, rows, proto, NULL};
        int count = lq_yolo_decode(&yolo, &final, patches);
        assert_in_range(count, 0, ROWS);
        for (int i = 0; i < count; i++)
            assert_true(patches[i].confidence <= 1 && patches[i].width <= 2);
    }
    layout.rows = LQ_ROWS_QUERIES;
    layout.classes = 1;
    for (int i = 0; i < ROWS; i++) {
        const float box[4] = {0.5f, 0.5f, 0.5f, bad[i]};
        memcpy(boxes + i * 4, box, sizeof box);
        logits[i] = i == 5 ? 3.0f : bad[i];
        masks[i * 4] = i == 5 ? 0.75f : bad[i];
    }
    const struct lq_detections queries = {&layout, &rules, &geometry, boxes, masks, logits};
    assert_int_equal(lq_yolo_decode(&yolo, &queries, patches), 1);
    assert_true(patches[0].data[0] == 0.75f && patches[0].data[1] == 0);
    lq_yolo_release(&yolo);
}

static void only_nail_classes_count(void **state)
{
    (void)state;
    enum { ANCHORS = 3, CLASSES = 70, ROWS = 4 + CLASSES + 1 };
    static float det[ROWS * ANCHORS];
    const float proto[4] = {1, 1, 1, 1};
    for (int i = 0; i < ANCHORS; i++) {
        det[0 * ANCHORS + i] = 50 + 200 * (float)i; // apart from each other
        det[1 * ANCHORS + i] = 100;
        det[2 * ANCHORS + i] = det[3 * ANCHORS + i] = 80;
    }
    det[(4 + 0) * ANCHORS + 0] = 0.9f;
    det[(4 + 2) * ANCHORS + 1] = 0.8f;
    det[(4 + 69) * ANCHORS + 2] = 0.7f;
    const struct lq_layout layout = {.anchors = ANCHORS, .classes = CLASSES, .protos = 1,
                                     .proto_channels_first = true, .proto_width = 2,
                                     .proto_height = 2};
    struct lq_rules rules = {.score_min = 0.25f, .nms_iou = 0.45f, .threshold = 0.5f,
                             .class_mask = UINT64_MAX};
    const struct lq_geometry geometry = {640, 640, 0, 0, 1, 1, 640, 640};
    struct lq_yolo yolo = {0};
    struct lq_patch patches[LQ_NAILS_MAX];
    assert_ok(lq_yolo_init(&yolo, &layout));
    const struct lq_detections detections = {&layout, &rules, &geometry, det, proto, NULL};
    assert_int_equal(lq_yolo_decode(&yolo, &detections, patches), 3);
    rules.class_mask = 1 << 2;
    assert_int_equal(lq_yolo_decode(&yolo, &detections, patches), 1);
    assert_true(fabsf(patches[0].confidence - 0.8f) < 1e-6f);
    lq_yolo_release(&yolo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_in_pixels_planes_first),
        cmocka_unit_test(boxes_in_units_channels_last_transposed),
        cmocka_unit_test(broken_numbers_do_no_harm),
        cmocka_unit_test(nothing_found_is_fine),
        cmocka_unit_test(options_move_the_thresholds),
        cmocka_unit_test(layouts_agree),
        cmocka_unit_test(heads_agree),
        cmocka_unit_test(broken_rows_and_queries_do_no_harm),
        cmocka_unit_test(only_nail_classes_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
