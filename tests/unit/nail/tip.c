// Drawn fingers: skin beyond one end of the nail, background beyond the other.
#include "nail/tip.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { SIDE = 160 };
static const float HALF = 16.0f, BROAD = 11.0f; // half length and width of the nail

static uint8_t pixels[SIDE * SIDE * 3];
static uint16_t wide[SIDE * SIDE * 3];
static struct lq_image picture = {pixels, SIDE, SIDE, 3, 8, SIDE * 3};
static struct lq_nails nails;

static void color(uint8_t *at, int r, int g, int b)
{
    at[0] = (uint8_t)r;
    at[1] = (uint8_t)g;
    at[2] = (uint8_t)b;
}

// A nail in the middle whose tip points to (c, s), on a finger half as broad again.
static void draw(float c, float s)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float px = (float)x + 0.5f - SIDE / 2, py = (float)y + 0.5f - SIDE / 2;
            float u = px * c + py * s, w = py * c - px * s;
            float end = u > 12.0f ? (u - 12.0f) / 8.0f : 0.0f;
            uint8_t *at = pixels + (y * SIDE + x) * 3;
            color(at, 70, 96, 110);
            if (w * w / (14.0f * 14.0f) + end * end < 1.0f)
                color(at, 205, 150, 122);
            if (u * u / (HALF * HALF) + w * w / (BROAD * BROAD) < 1.0f)
                color(at, u > 12.0f ? 232 : 222, u > 12.0f ? 220 : 176, u > 12.0f ? 208 : 160);
        }
    picture = (struct lq_image){pixels, SIDE, SIDE, 3, 8, SIDE * 3};
    nails.count = 1;
    nails.items[0] = (struct lq_nail){.center_x = SIDE / 2, .center_y = SIDE / 2, .axis_x = c,
                                      .axis_y = s, .length = 2 * HALF, .width = 2 * BROAD};
}

static void assert_points(float c, float s)
{
    const struct lq_nail *nail = &nails.items[0];
    assert_true(nail->tip_known);
    assert_true(nail->axis_x * c + nail->axis_y * s > 0.9f);
    assert_float_equal(nail->length, 2 * HALF, 1e-3);
}

static void the_tip_lies_away_from_the_finger(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) {
        float angle = 0.5236f * (float)k, c = cosf(angle), s = sinf(angle);
        for (int flipped = 0; flipped < 2; flipped++) {
            draw(c, s);
            nails.items[0].axis_x = flipped ? -c : c;
            nails.items[0].axis_y = flipped ? -s : s;
            lq_tip_estimate(&picture, &nails);
            assert_points(c, s);
        }
    }
}

static void sixteen_bits_give_the_same(void **state)
{
    (void)state;
    draw(0.6f, -0.8f);
    for (int i = 0; i < SIDE * SIDE * 3; i++)
        wide[i] = (uint16_t)(pixels[i] * 257);
    picture = (struct lq_image){(uint8_t *)wide, SIDE, SIDE, 3, 16, SIDE * 6};
    lq_tip_estimate(&picture, &nails);
    assert_points(0.6f, -0.8f);
}

static void an_even_background_gives_no_tip(void **state)
{
    (void)state;
    draw(1, 0);
    memset(pixels, 120, sizeof(pixels));
    lq_tip_estimate(&picture, &nails);
    assert_false(nails.items[0].tip_known);
    assert_float_equal(nails.items[0].axis_x, 1.0f, 1e-6);
}

static void nails_at_the_border_are_judged_by_what_is_seen(void **state)
{
    (void)state;
    static const float places[][2] = {{0, 0}, {SIDE, 0}, {0, SIDE}, {SIDE, SIDE}, {-40, 500}};
    draw(0, 1);
    for (size_t i = 0; i < LQ_COUNT(places); i++) {
        struct lq_nail *nail = &nails.items[0];
        nail->center_x = places[i][0];
        nail->center_y = places[i][1];
        lq_tip_estimate(&picture, &nails);
        assert_true(isfinite(nail->tip_x) && isfinite(nail->tip_y));
        assert_float_equal(hypotf(nail->axis_x, nail->axis_y), 1.0f, 1e-4);
    }
}

static void a_tip_across_exchanges_length_and_width(void **state)
{
    (void)state;
    struct lq_nail nail = {.axis_x = 1, .length = 30, .width = 28, .tip_x = 0.1f, .tip_y = -0.8f};
    lq_tip_face(&nail, 0.9f);
    assert_false(nail.tip_known);
    assert_float_equal(nail.axis_x, 1.0f, 1e-6);
    lq_tip_face(&nail, LQ_TIP_CONFIDENCE);
    assert_true(nail.tip_known);
    assert_float_equal(nail.axis_y, -1.0f, 1e-6);
    assert_float_equal(nail.length, 28.0f, 1e-6);
    assert_float_equal(nail.width, 30.0f, 1e-6);
}

// Upright nails in a row, 20 long and 14 broad, tips upwards where known.
static struct lq_nails row_of(int count, const bool *known)
{
    static uint8_t full[20 * 14];
    struct lq_nails row = {.count = count};
    memset(full, 255, sizeof(full));
    for (int i = 0; i < count; i++)
        row.items[i] = (struct lq_nail){
            .crop = {40 * i, 40, 14, 20}, .alpha = full, .alpha_stride = 14,
            .center_x = 40.0f * (float)i + 7.0f, .center_y = 50.0f, .length = 20, .width = 14,
            .axis_y = known[i] ? -1.0f : 1.0f, .tip_known = known[i]};
    return row;
}

static void the_others_of_a_hand_turn_one_that_shows_no_tip(void **state)
{
    (void)state;
    struct lq_nails row = row_of(4, (bool[]){true, true, false, true});
    lq_tip_agree(&row);
    assert_true(row.items[2].tip_known);
    assert_float_equal(row.items[2].axis_y, -1.0f, 1e-5f);
    assert_float_equal(row.items[2].length, 20.0f, 1e-5f);
    row = row_of(4, (bool[]){true, false, false, true}); // half of them are unknown
    lq_tip_agree(&row);
    assert_false(row.items[1].tip_known || row.items[2].tip_known);
    row = row_of(3, (bool[]){true, true, false}); // far away: another hand's
    row.items[2].center_x += 600.0f;
    lq_tip_agree(&row);
    assert_false(row.items[2].tip_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tip_lies_away_from_the_finger),
        cmocka_unit_test(sixteen_bits_give_the_same),
        cmocka_unit_test(an_even_background_gives_no_tip),
        cmocka_unit_test(nails_at_the_border_are_judged_by_what_is_seen),
        cmocka_unit_test(a_tip_across_exchanges_length_and_width),
        cmocka_unit_test(the_others_of_a_hand_turn_one_that_shows_no_tip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
