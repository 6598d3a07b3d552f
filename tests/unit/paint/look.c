#include "paint/look.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

static void default_look(void **state)
{
    (void)state;
    struct lq_look look = lq_look_default();
    assert_memory_equal(look.polish.color, ((uint8_t[]){0xc7, 0x15, 0x85}), 3);
    assert_int_equal(look.polish.finish, LQ_FINISH_CREME);
    assert_float_equal(look.polish.opacity, 1.0f, 0.0f);
    assert_float_equal(look.polish.texture, 0.5f, 0.0f);
    assert_true(look.polish.sheen);
}

static void colors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t color[3];
    } good[] = {
        {"#c71585", {0xc7, 0x15, 0x85}}, {"C71585", {0xc7, 0x15, 0x85}}, {"#f0a", {0xff, 0, 0xaa}},
        {"f0A", {0xff, 0, 0xaa}}, {"red", {0xff, 0, 0}}, {"Navy", {0, 0, 0x80}},
        {"silver", {0xc0, 0xc0, 0xc0}}, {"#000000", {0, 0, 0}}, {"#FFFFFF", {0xff, 0xff, 0xff}},
    };
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        struct lq_look look = lq_look_default();
        assert_ok(lq_look_parse_color(&look, good[i].text, NULL));
        assert_memory_equal(look.polish.color, good[i].color, 3);
    }
}

static void colors_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "#", "#zzz", "#12", "#1234", "#12345", "#1234567",
                                      "##123",
                                      "#12345g", "0x1234", "rouge", " red", "red ", "#ff ff0",
                                      "-12345", "+12345", "#f\xc3\xa9", NULL};
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        struct lq_look look = lq_look_default();
        struct lq_error err;
        assert_int_equal(lq_look_parse_color(&look, bad[i], &err), LQ_ERR_FIELD);
        assert_non_null(strstr(err.text, "#rrggbb"));
        assert_memory_equal(look.polish.color, lq_look_default().polish.color, 3);
    }
    struct lq_error err;
    struct lq_look look = lq_look_default();
    assert_int_equal(lq_look_parse_color(&look, "#zzz", &err), LQ_ERR_FIELD);
    assert_string_equal(err.text,
                        "unknown color '#zzz': give #rrggbb, #rgb or a basic name such as red");
}

static void finishes(void **state)
{
    (void)state;
    struct lq_look look = lq_look_default();
    for (int i = 0; i < LQ_FINISH_COUNT; i++) {
        assert_ok(lq_look_parse_finish(&look, lq_finish_name((enum lq_finish)i), NULL));
        assert_int_equal(look.polish.finish, i);
    }
    assert_ok(lq_look_parse_finish(&look, "Gloss", NULL));
    struct lq_error err;
    assert_int_equal(lq_look_parse_finish(&look, "glossy!", &err), LQ_ERR_FIELD);
    assert_string_equal(err.text, "unknown finish 'glossy!': give creme, gloss, sheer, jelly, "
                        "satin, matte, pearl, shimmer, glitter, metallic, chrome, holographic, "
                        "cat-eye or textured");
    assert_int_equal(lq_look_parse_finish(&look, "", NULL), LQ_ERR_FIELD);
    assert_int_equal(lq_look_parse_finish(&look, NULL, NULL), LQ_ERR_FIELD);
    assert_int_equal(look.polish.finish, LQ_FINISH_GLOSS);
    assert_string_equal(lq_finish_name((enum lq_finish)99), "unknown");
}

static void textures(void **state)
{
    (void)state;
    struct lq_look look = lq_look_default();
    static const double good[] = {0.0, 0.25, 1.0}, bad[] = {-1e-9, 1.0000001, NAN, INFINITY, -1.0};
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        assert_ok(lq_look_set_texture(&look, good[i], NULL));
        assert_float_equal(look.polish.texture, (float)good[i], 0.0f);
    }
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(lq_look_set_texture(&look, bad[i], NULL), LQ_ERR_FIELD);
    assert_float_equal(look.polish.texture, 1.0f, 0.0f);
}

static void fingers_have_their_own(void **state)
{
    (void)state;
    struct lq_look look = lq_look_default();
    look.own[3] = look.polish;
    look.own[3].color[0] = 1;
    look.has_own = 1 << 3;
    assert_int_equal(lq_look_polish(&look, LQ_FINGER_RING)->color[0], 1);
    assert_ptr_equal(lq_look_polish(&look, LQ_FINGER_THUMB), &look.polish);
    assert_ptr_equal(lq_look_polish(&look, LQ_FINGER_UNKNOWN), &look.polish);
    assert_ptr_equal(lq_look_polish(&look, LQ_FINGER_COUNT), &look.polish);
    // A field for the whole hand reaches it too.
    assert_ok(lq_look_parse_color(&look, "#020304", NULL));
    assert_int_equal(lq_look_polish(&look, LQ_FINGER_RING)->color[0], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_look),
        cmocka_unit_test(colors),
        cmocka_unit_test(colors_that_are_none),
        cmocka_unit_test(finishes),
        cmocka_unit_test(textures),
        cmocka_unit_test(fingers_have_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
