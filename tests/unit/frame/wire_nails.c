#include "frame/wire_nails.h"

#include <string.h>

#include "frame/crop.h"
#include "frame/wire.h"
#include "unit/unit.h"

enum { SIDE = 200 };

static uint8_t alpha[SIDE * SIDE], shown[SIDE * SIDE];
static struct lq_buf out, scratch;

static int open_all(void **state)
{
    (void)state;
    lq_buf_init(&out, 1 << 20);
    lq_buf_init(&scratch, 1 << 20);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lq_buf_release(&out);
    lq_buf_release(&scratch);
    return 0;
}

static float get_float(const uint8_t *bytes)
{
    uint32_t bits = (uint32_t)lq_wire_get(bytes, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const struct lq_scene scene = {
    .light = {0.75f, {1.05f, 1.0f, 0.875f}, -0.25f, -0.5f},
    .level = 0.375f,
    .fits = {{.c = {1, 2, 3, 4, 5, 6}, .level = 0.5f, .grey = 0.625f,
              .bed = {0.5f, 0.25f, 0.125f}}},
};

static void blocks_are_laid_out_as_documented(void **state)
{
    (void)state;
    static const uint8_t crop[] = {0, 0, 0, 0, 0x50, 255, 255, 0xc0};
    struct lq_nails nails = {1, {{.id = 0x01020304, .confidence = 1.0f, .crop = {300, 5, 4, 2},
                                  .alpha = crop, .alpha_stride = 4,
                                  .center_x = 302.5f, .center_y = 6, .axis_x = 0, .axis_y = -1,
                                  .length = 40, .width = 30, .edge = 2.5f, .curvature = -0.125f,
                                  .tip_known = true, .finger = LQ_FINGER_RING}}};
    lq_buf_clear(&out);
    assert_ok(lq_wire_nails_append(&out, &scratch, &nails, &scene));
    assert_int_equal(out.len, 4 + 28 + 4 + 92 + 4);
    static const uint8_t light[] = {1, 0, 28, 0, 0, 0, 0x40, 0x3f}; // 0.75
    assert_memory_equal(out.data, light, sizeof light);
    static const float lights[] = {0.75f, 1.05f, 1.0f, 0.875f, -0.25f, -0.5f, 0.375f};
    for (size_t i = 0; i < LQ_COUNT(lights); i++)
        assert_true(get_float(out.data + 4 + 4 * i) == lights[i]);
    static const uint8_t head[] = {2, 0, 96, 0, 92, 0, 4, 255, 4, 3, 2, 1, 0x2c, 1, 5, 0, 4, 0, 2,
                                   0, 1, 1, 0x80, 2};
    const uint8_t *nail = out.data + 32;
    assert_memory_equal(nail, head, sizeof head);
    static const float floats[] = {302.5f, 6, 0, -1, 40, 30, -0.125f, 1, 2, 3, 4, 5, 6, 0.5f,
                                   0.625f, 0.5f, 0.25f, 0.125f};
    for (size_t i = 0; i < LQ_COUNT(floats); i++)
        assert_true(get_float(nail + 24 + 4 * i) == floats[i]);
    static const uint8_t code[] = {0x21, 0x50, 0x91, 0xc0};
    assert_memory_equal(nail + 96, code, sizeof code);
}

static void no_nail_is_the_light_alone(void **state)
{
    (void)state;
    const struct lq_nails nails = {0};
    lq_buf_clear(&out);
    assert_ok(lq_wire_nails_append(&out, &scratch, &nails, &scene));
    assert_int_equal(out.len, 32);
}

// A disc with a soft outline, as large as the crop.
static struct lq_nail disc(int side)
{
    float middle = (float)(side - 1) / 2, radius = middle - 2;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            float dx = (float)x - middle, dy = (float)y - middle;
            float level = 128 + (radius * radius - dx * dx - dy * dy) * 40 / radius;
            alpha[y * side + x] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
    return (struct lq_nail){.id = 1, .crop = {0, 0, side, side}, .alpha = alpha,
                            .alpha_stride = (size_t)side};
}

static void ten_nails_stay_within_four_kilobytes(void **state)
{
    (void)state;
    static const int sides[] = {20, 40, 70, SIDE};
    for (size_t k = 0; k < LQ_COUNT(sides); k++) {
        struct lq_nails nails = {.count = 10};
        for (int i = 0; i < 10; i++)
            nails.items[i] = disc(sides[k]);
        lq_buf_clear(&out);
        assert_ok(lq_wire_nails_append(&out, &scratch, &nails, &scene));
        print_message("10 nails of %d x %d: %zu bytes\n", sides[k], sides[k], out.len);
        assert_true(LQ_WIRE_REPLY_BYTES + out.len <= 4096);
        const uint8_t *nail = out.data + 32;
        for (int i = 0; i < 10; i++) {
            size_t len = (size_t)lq_wire_get(nail + 2, 2);
            int width = (int)lq_wire_get(nail + 16, 2), height = (int)lq_wire_get(nail + 18, 2);
            int scale = nail[20];
            assert_true(width * scale >= sides[k] && (width - 1) * scale < sides[k]);
            assert_ok(lq_crop_decode(nail + 96, len - 92, shown, width, height));
            assert_int_equal(shown[height / 2 * width + width / 2], 255);
            assert_int_equal(shown[0], 0);
            nail += 4 + len;
        }
        assert_ptr_equal(nail, out.data + out.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_laid_out_as_documented),
        cmocka_unit_test(no_nail_is_the_light_alone),
        cmocka_unit_test(ten_nails_stay_within_four_kilobytes),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
