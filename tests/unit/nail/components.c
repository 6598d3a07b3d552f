#include "nail/components.h"

#include <math.h>
#include <string.h>

#include "unit/unit.h"

// Finds the components of a drawing: '#' is 0.9, '+' 0.6, anything else 0.1; equally long rows.
static int find(struct lq_components *components, const char *const *rows, int height)
{
    static float grid[64 * 64];
    int width = (int)strlen(rows[0]);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            grid[y * width + x] = rows[y][x] == '#' ? 0.9f : rows[y][x] == '+' ? 0.6f : 0.1f;
    const struct lq_grid_roi whole = {grid, width, 0, 0, width - 1, height - 1};
    return lq_components_find(components, &whole, 0.5f);
}

static void joins_diagonals(void **state)
{
    (void)state;
    struct lq_components components;
    lq_components_init(&components);
    const char *rows[] = {"#....#", ".#..#.", "..##..", "......", "#....#"};
    assert_ok(find(&components, rows, 5));
    assert_int_equal(components.count, 3);
    const struct lq_component *items = lq_components_items(&components);
    assert_int_equal(items[0].count, 6);
    assert_int_equal(items[0].x0, 0);
    assert_int_equal(items[0].x1, 5);
    assert_int_equal(items[0].y1, 2);
    assert_int_equal(items[1].count, 1);
    assert_int_equal(items[2].count, 1);
    lq_components_release(&components);
}

static void joins_branches_late(void **state)
{
    (void)state;
    struct lq_components components;
    lq_components_init(&components);
    const char *rows[] = {"#.#.#.#.##", "#.#.#.#..#", "#.#.###..#", "#.#......#", "###..#####",
                          "..####...."};
    assert_ok(find(&components, rows, 6));
    assert_int_equal(components.count, 2); // the comb of columns 4..6 stands alone
    const struct lq_run *runs = lq_components_runs(&components);
    for (int i = 0; i < components.run_count; i++)
        assert_int_equal(runs[i].label, runs[i].x0 >= 4 && runs[i].x1 <= 6 && runs[i].y < 3);
    lq_components_release(&components);
}

static void labels_match_a_flood_fill(void **state)
{
    (void)state;
    enum { SIDE = 37 };
    struct lq_components components;
    lq_components_init(&components);
    uint32_t seed = 99;
    for (int round = 0; round < 20; round++) {
        static float grid[SIDE * SIDE];
        static int label[SIDE * SIDE], stack[SIDE * SIDE * 9];
        for (int i = 0; i < SIDE * SIDE; i++)
            grid[i] = (float)(unit_random(&seed) % 100) / 100.0f;
        memset(label, 0, sizeof(label));
        int expected = 0;
        float threshold = 0.55f + 0.01f * (float)round;
        for (int i = 0; i < SIDE * SIDE; i++) {
            if (label[i] || grid[i] < threshold)
                continue;
            int top = 0;
            expected++;
            stack[top++] = i;
            while (top) {
                int at = stack[--top];
                if (label[at] || grid[at] < threshold)
                    continue;
                label[at] = expected;
                for (int dy = -1; dy <= 1; dy++)
                    for (int dx = -1; dx <= 1; dx++) {
                        int x = at % SIDE + dx, y = at / SIDE + dy;
                        if (x >= 0 && y >= 0 && x < SIDE && y < SIDE)
                            stack[top++] = y * SIDE + x;
                    }
            }
        }
        const struct lq_grid_roi whole = {grid, SIDE, 0, 0, SIDE - 1, SIDE - 1};
        assert_ok(lq_components_find(&components, &whole, threshold));
        assert_int_equal(components.count, expected);
        const struct lq_run *runs = lq_components_runs(&components);
        for (int i = 0; i < components.run_count; i++)
            for (int x = runs[i].x0; x <= runs[i].x1; x++)
                assert_int_equal(label[runs[i].y * SIDE + x], runs[i].label + 1);
    }
    lq_components_release(&components);
}

static void reads_only_inside_its_bounds(void **state)
{
    (void)state;
    struct lq_components components;
    lq_components_init(&components);
    float grid[25];
    for (int i = 0; i < 25; i++)
        grid[i] = 1.0f;
    grid[12] = NAN;
    const struct lq_grid_roi middle = {grid, 5, 1, 1, 3, 3}, empty = {grid, 5, 3, 3, 2, 2};
    assert_ok(lq_components_find(&components, &middle, 0.5f));
    assert_int_equal(components.count, 1);
    assert_int_equal(lq_components_items(&components)[0].count, 8);
    assert_ok(lq_components_find(&components, &empty, 0.5f));
    assert_int_equal(components.count, 0);
    lq_components_release(&components);
}

static void aspect_follows_the_shape(void **state)
{
    (void)state;
    struct lq_components components;
    lq_components_init(&components);
    const char *bar[] = {"##########"};
    assert_ok(find(&components, bar, 1));
    assert_float_equal(lq_component_aspect(lq_components_items(&components), 1, 1), 10.0f, 0.01f);
    assert_float_equal(lq_component_aspect(lq_components_items(&components), 1, 5), 2.0f, 0.01f);
    const char *slope[] = {"#...", ".#..", "..#.", "...#"};
    assert_ok(find(&components, slope, 4));
    assert_true(lq_component_aspect(lq_components_items(&components), 1, 1) > 4.0f);
    lq_components_release(&components);
}

static void solidity_separates_rings_from_discs(void **state)
{
    (void)state;
    struct lq_components components;
    lq_components_init(&components);
    const char *disc[] = {"..####..", ".######.", "########", "########", ".######.", "..####.."};
    assert_ok(find(&components, disc, 6));
    assert_float_equal(lq_component_solidity(lq_components_items(&components)), 1.0f, 0.05f);
    const char *ring[] = {"..####..", ".#....#.", "#......#", "#......#", ".#....#.", "..####.."};
    assert_ok(find(&components, ring, 6));
    assert_true(lq_component_solidity(lq_components_items(&components)) < 0.5f);
    lq_components_release(&components);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_diagonals),
        cmocka_unit_test(joins_branches_late),
        cmocka_unit_test(labels_match_a_flood_fill),
        cmocka_unit_test(reads_only_inside_its_bounds),
        cmocka_unit_test(aspect_follows_the_shape),
        cmocka_unit_test(solidity_separates_rings_from_discs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
