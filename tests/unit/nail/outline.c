#include "nail/outline.h"

#include <math.h>

#include "unit/unit.h"

enum { W = 80, H = 100 };

static float levels[W * H], guide[W * H];

struct shape {
    float x, y, half_broad, half_long;
};

static const struct shape nail = {41.3f, 52.6f, 18.0f, 27.0f};

// The approximate depth in pixels of (x, y) inside the ellipse.
static float depth(const struct shape *shape, float x, float y)
{
    float u = (x - shape->x) / shape->half_broad, v = (y - shape->y) / shape->half_long;
    float r = hypotf(u, v), steep = hypotf(u / shape->half_broad, v / shape->half_long) / r;
    return (1 - r) / fmaxf(steep, 1e-3f);
}

static float to_level(float depth)
{
    return 0.5f + fminf(fmaxf(depth / 8, -0.5f), 0.5f);
}

// A picture without features: only the levels count.
static struct lq_outline_field sketch(const struct shape *shape)
{
    for (int i = 0; i < W * H; i++) {
        levels[i] = to_level(depth(shape, (float)(i % W) + 0.5f, (float)(i / W) + 0.5f));
        guide[i] = 0.5f;
    }
    return (struct lq_outline_field){levels, guide, W, H, {false}, 0};
}

static void fill(int x0, int y0, int x1, int y1, float level)
{
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            levels[y * W + x] = level;
}

// The largest distance in pixels of the drawn outline from the ellipse, in columns from..to.
static float most_apart(const struct shape *shape, int from, int to)
{
    float most = 0;
    for (int i = 0; i < W * H; i++) {
        float away = depth(shape, (float)(i % W) + 0.5f, (float)(i / W) + 0.5f);
        if (i % W >= from && i % W < to && (levels[i] >= 0.5f) != (away >= 0))
            most = fmaxf(most, fabsf(away));
    }
    return most;
}

static void an_ellipse_stays(void **state)
{
    (void)state;
    struct lq_outline outline;
    struct lq_outline_field field = sketch(&nail);
    assert_true(lq_outline_fit(&outline, &field));
    lq_outline_draw(&outline, &field);
    assert_true(most_apart(&nail, 0, W) < 0.3f);
}

// A notch at the side, a hole, and a hook beside the tip are removed: nails have none.
static void notches_holes_and_hooks_are_removed(void **state)
{
    (void)state;
    struct lq_outline outline;
    struct lq_outline_field field = sketch(&nail);
    fill(54, 50, 62, 54, 0.1f);
    fill(36, 44, 41, 49, 0.1f);
    fill(48, 20, 52, 30, 0.9f);
    assert_true(most_apart(&nail, 0, W) > 5);
    assert_true(lq_outline_fit(&outline, &field));
    lq_outline_draw(&outline, &field);
    assert_true(most_apart(&nail, 0, W) < 2.5f);
}

// The first row of the drawn nail in a column.
static float top_of(int x)
{
    int y = 0;
    while (y < H - 1 && levels[y * W + x] < 0.5f)
        y++;
    return (float)y;
}

static void bite_off(const struct shape *bite)
{
    for (int i = 0; i < W * H; i++) {
        float away = -depth(bite, (float)(i % W) + 0.5f, (float)(i / W) + 0.5f);
        levels[i] = fminf(levels[i], to_level(away));
    }
}

// Where the levels miss the middle of a bare free edge, the curve bridges it from side to side.
static void a_hollow_at_the_tip_is_bridged(void **state)
{
    (void)state;
    const struct shape bite = {nail.x, nail.y - nail.half_long, 9.0f, 9.0f};
    struct lq_outline outline;
    struct lq_outline_field field = sketch(&nail);
    bite_off(&bite);
    assert_true(top_of(41) - fmaxf(top_of(33), top_of(49)) > 3);
    assert_true(lq_outline_fit(&outline, &field));
    lq_outline_draw(&outline, &field);
    for (int x = 33; x < 50; x++)
        assert_true(top_of(x) <= fmaxf(top_of(x - 6), top_of(x + 6)) + 1);
    assert_true(most_apart(&nail, 0, W) < 8);
}

// A curved nail seen from the side is hollow at its far side.
static void a_hollow_side_stays(void **state)
{
    (void)state;
    const struct shape bite = {nail.x + nail.half_broad + 8, nail.y, 16.0f, 20.0f};
    struct lq_outline outline;
    struct lq_outline_field field = sketch(&nail);
    bite_off(&bite);
    assert_true(lq_outline_fit(&outline, &field));
    lq_outline_draw(&outline, &field);
    int middle = 0, above = 0, below = 0, y = (int)nail.y; // columns of nail right of its center
    for (int x = (int)nail.x; x < W; x++) {
        middle += levels[y * W + x] >= 0.5f;
        above += levels[(y - 12) * W + x] >= 0.5f;
        below += levels[(y + 12) * W + x] >= 0.5f;
    }
    assert_true(middle + 2 < above && middle + 2 < below);
}

// A nail cut by the picture's border extends to the border, although the levels fade before it.
static void a_cut_nail_reaches_the_border(void **state)
{
    (void)state;
    const struct shape half = {6.0f, 50.0f, 24.0f, 30.0f};
    struct lq_outline outline;
    struct lq_outline_field field = sketch(&half);
    fill(0, 0, 2, H, 0.2f);
    field.cut[0] = true;
    field.untrusted = 2.5f;
    assert_true(lq_outline_fit(&outline, &field));
    lq_outline_draw(&outline, &field);
    assert_true(most_apart(&half, 3, W) < 2.0f);
    for (int y = 28; y < 72; y++)
        assert_true(levels[y * W] > 0.5f);
}

// An edge in the picture attracts the outline, but only from nearby.
static void the_edge_of_the_picture_counts(void **state)
{
    (void)state;
    static const float wider[] = {0, 1.5f, 12};
    float area[3] = {0};
    for (int i = 0; i < 3; i++) {
        struct lq_outline outline;
        struct lq_outline_field field = sketch(&nail);
        struct shape seen = {nail.x, nail.y, nail.half_broad + wider[i], nail.half_long + wider[i]};
        for (int k = 0; k < W * H; k++)
            guide[k] = depth(&seen, (float)(k % W) + 0.5f, (float)(k / W) + 0.5f) >= 0;
        assert_true(lq_outline_fit(&outline, &field));
        lq_outline_draw(&outline, &field);
        for (int k = 0; k < W * H; k++)
            area[i] += levels[k] >= 0.5f;
    }
    assert_true(area[1] > 1.02f * area[0] && area[1] < 1.09f * area[0]);
    assert_float_equal(area[2] / area[0], 1, 0.01f);
}

// Two blobs with a gap between them are not one nail: they are left unchanged.
static void shapes_without_a_closed_curve_are_rejected(void **state)
{
    (void)state;
    struct lq_outline outline;
    struct lq_outline_field field = sketch(&nail);
    fill(0, 0, W, H, 0.1f);
    assert_false(lq_outline_fit(&outline, &field));
    fill(5, 5, 10, 95, 0.9f);
    fill(5, 5, 75, 10, 0.9f);
    assert_false(lq_outline_fit(&outline, &field));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ellipse_stays),
        cmocka_unit_test(notches_holes_and_hooks_are_removed),
        cmocka_unit_test(a_hollow_at_the_tip_is_bridged),
        cmocka_unit_test(a_hollow_side_stays),
        cmocka_unit_test(a_cut_nail_reaches_the_border),
        cmocka_unit_test(the_edge_of_the_picture_counts),
        cmocka_unit_test(shapes_without_a_closed_curve_are_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
