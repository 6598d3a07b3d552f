// The hand landmark network itself, on a rendered hand, in f32 and in bf16.
#include "model/landmarks.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/limits.h"
#include "image/codec.h"
#include "model/model.h"
#include "unit/unit.h"

static struct lq_error err;
static struct lq_buf file, pixels;
static struct lq_codec *codec;
static struct lq_image picture;

static int open_picture(void **state)
{
    (void)state;
    lq_buf_init(&file, 1 << 20);
    lq_buf_init(&pixels, 1 << 24);
    if (lq_codec_new(&codec, &err) != LQ_OK ||
        lq_file_read("tests/golden/hands/light.jpg", &file, &err) != LQ_OK)
        return -1;
    const struct lq_picture_file hand = {file.data, file.len, LQ_FRAME_PIXELS_MAX};
    return lq_codec_decode(codec, &hand, &pixels, &picture, NULL, &err);
}

static int close_picture(void **state)
{
    (void)state;
    lq_codec_free(codec);
    lq_buf_release(&file);
    lq_buf_release(&pixels);
    return 0;
}

static enum lq_precision look(enum lq_precision precision, const struct lq_hand_crop *crop,
                              struct lq_hand *hand)
{
    const struct lq_engine_options options = {.precision = precision, .threads = 1};
    struct lq_landmarks *landmarks;
    struct lq_landmarker *landmarker;
    assert_ok(lq_landmarks_open(&landmarks, "models/hand.onnx", &options, &err));
    enum lq_precision had = lq_landmarks_precision(landmarks);
    assert_ok(lq_landmarker_new(&landmarker, landmarks, &err));
    assert_ok(lq_landmarker_set_picture(landmarker, &picture, &err));
    assert_ok(lq_landmarker_run(landmarker, crop, false, hand, &err));
    lq_landmarker_free(landmarker);
    lq_landmarks_close(landmarks);
    return had;
}

static void bf16_sees_the_same_hand(void **state)
{
    (void)state;
    if (!lq_cpu_has_bf16())
        skip();
    float side = fmaxf((float)picture.width, (float)picture.height), most = 0;
    const struct lq_hand_crop crop = {
        {0.5f * (float)picture.width, 0.5f * (float)picture.height}, side, 0};
    struct lq_hand full, half;
    assert_int_equal(look(LQ_PRECISION_F32, &crop, &full), LQ_PRECISION_F32);
    if (look(LQ_PRECISION_BF16, &crop, &half) != LQ_PRECISION_BF16)
        skip(); // not supported on every processor
    assert_true(full.presence > 0.9f && half.presence > 0.9f);
    assert_true((full.right > 0.5f) == (half.right > 0.5f));
    for (int i = 0; i < LQ_LANDMARK_COUNT; i++)
        most = fmaxf(most, hypotf(full.points[i].x - half.points[i].x,
                                  full.points[i].y - half.points[i].y));
    print_message("at most %.2f pixels of %.0f\n", (double)most, (double)side);
    assert_true(most < 0.02f * side); // a fingertip is about 5 % of it wide
}

static void the_hand_network_computes_as_the_nails_do(void **state)
{
    (void)state;
    static const enum lq_precision kinds[] = {LQ_PRECISION_F32, LQ_PRECISION_BF16};
    for (size_t i = 0; i < LQ_COUNT(kinds); i++) {
        const struct lq_model_options options = {.precision = kinds[i], .threads = 1};
        struct lq_model *model;
        if (kinds[i] == LQ_PRECISION_BF16 && !lq_cpu_has_bf16())
            continue;
        assert_ok(lq_model_open(&model, "models/nail-f16.onnx", &options, &err));
        assert_int_equal(lq_landmarks_precision(lq_model_landmarks(model)),
                         lq_model_info(model)->precision);
        lq_model_close(model);
    }
}

// f16 was not validated for this network.
static void other_arithmetic_is_f32(void **state)
{
    (void)state;
    const struct lq_hand_crop crop = {{320, 240}, 640, 0};
    struct lq_hand hand;
    assert_int_equal(look(LQ_PRECISION_AUTO, &crop, &hand), LQ_PRECISION_F32);
    assert_int_equal(look(LQ_PRECISION_F16, &crop, &hand), LQ_PRECISION_F32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_sees_the_same_hand),
        cmocka_unit_test(the_hand_network_computes_as_the_nails_do),
        cmocka_unit_test(other_arithmetic_is_f32),
    };
    return cmocka_run_group_tests(tests, open_picture, close_picture);
}
