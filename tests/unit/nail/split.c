#include "nail/split.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

enum { WIDTH = 96, HEIGHT = 64 };

static float grid[WIDTH * HEIGHT];

static void clear(void)
{
    memset(grid, 0, sizeof(grid));
}

// Adds an ellipse to the grid whose outline is one point soft.
static void add(float x, float y, float half_long, float half_broad, float angle)
{
    for (int j = 0; j < HEIGHT; j++)
        for (int i = 0; i < WIDTH; i++) {
            float px = (float)i - x, py = (float)j - y;
            float u = (px * cosf(angle) + py * sinf(angle)) / half_long;
            float w = (py * cosf(angle) - px * sinf(angle)) / half_broad;
            float p = (1.0f - sqrtf(u * u + w * w)) * half_broad + 0.5f;
            p = p < 0.0f ? 0.0f : p > 1.0f ? 1.0f : p;
            grid[j * WIDTH + i] = fmaxf(grid[j * WIDTH + i], p);
        }
}

static int count_parts(struct lq_components *components)
{
    const struct lq_grid_roi whole = {grid, WIDTH, 0, 0, WIDTH - 1, HEIGHT - 1};
    assert_ok(lq_components_find(components, &whole, 0.5f));
    assert_ok(lq_components_split(components, grid, WIDTH));
    return components->count;
}

static void parts_touching_nails(void **state)
{
    struct lq_components components;
    lq_components_init(&components);
    for (int turn = 0; turn < 6; turn++) {
        float angle = 0.5f * (float)turn, c = cosf(angle), s = sinf(angle);
        clear();
        for (int k = -1; k <= 1; k++) // side by side, sharing an edge
            add(48.0f - 13.4f * (float)k * s, 32.0f + 13.4f * (float)k * c, 9.5f, 7.0f, angle);
        assert_int_equal(count_parts(&components), 3);
    }
    lq_components_release(&components);
    (void)state;
}

static void parts_hold_every_point_once(void **state)
{
    struct lq_components components;
    lq_components_init(&components);
    clear();
    add(30.0f, 30.0f, 9.0f, 7.0f, 1.4f);
    add(43.5f, 33.0f, 9.0f, 7.0f, 1.7f);
    add(80.0f, 40.0f, 9.0f, 7.0f, 1.5f); // by itself
    assert_int_equal(count_parts(&components), 3);
    const struct lq_component *items = lq_components_items(&components);
    const struct lq_run *runs = lq_components_runs(&components);
    int points[3] = {0}, all = 0, inside = 0;
    for (int k = 0; k < components.run_count; k++) {
        const struct lq_run *run = &runs[k];
        assert_in_range(run->label, 0, 2);
        assert_true(k == 0 || run->y > run[-1].y || (run->y == run[-1].y && run->x0 > run[-1].x1));
        assert_true(run->x0 >= items[run->label].x0 && run->x1 <= items[run->label].x1);
        assert_true(run->y >= items[run->label].y0 && run->y <= items[run->label].y1);
        points[run->label] += run->x1 - run->x0 + 1;
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(points[i], items[i].count);
        all += points[i];
    }
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        inside += grid[i] >= 0.5f;
    assert_int_equal(all, inside);
    lq_components_release(&components);
    (void)state;
}

static void leaves_one_nail_whole(void **state)
{
    struct lq_components components;
    lq_components_init(&components);
    for (int turn = 0; turn < 6; turn++)
        for (int size = 2; size <= 14; size += 3) {
            clear();
            add(48.0f, 32.0f, 1.8f * (float)size, (float)size, 0.5f * (float)turn);
            assert_int_equal(count_parts(&components), 1);
        }
    clear(); // a fainter line across a nail (a gleam, a pale free edge) is not a neck
    add(48.0f, 32.0f, 18.0f, 10.0f, 0.0f);
    for (int j = 0; j < HEIGHT; j++)
        for (int i = 52; i < 55; i++)
            grid[j * WIDTH + i] *= 0.56f;
    assert_int_equal(count_parts(&components), 1);
    clear();
    for (int j = 20; j < 44; j++) // a square nail
        for (int i = 30; i < 66; i++)
            grid[j * WIDTH + i] = 0.9f;
    assert_int_equal(count_parts(&components), 1);
    clear(); // a spur from a hair
    add(48.0f, 32.0f, 14.0f, 10.0f, 0.0f);
    add(66.0f, 32.0f, 5.0f, 1.6f, 0.0f);
    assert_int_equal(count_parts(&components), 1);
    lq_components_release(&components);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_touching_nails),
        cmocka_unit_test(parts_hold_every_point_once),
        cmocka_unit_test(leaves_one_nail_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
