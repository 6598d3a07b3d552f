// Paints the golden hands through their true masks, as a model a quarter their size would give
// them, and compares every nail with the pictures in tests/golden/painted.
// Usage: golden-paint            compare; exit status 1 when a picture is off
//        golden-paint --write    make the pictures anew (tools/regolden.sh); look at them then
#include "golden/hand.h"

static const struct {
    const char *hand, *color, *finish;
    int tile, cell; // pixels: of one nail's square in the golden picture, of one grid point
} CASES[] = {
    {"very-dark", "#b00020", "gloss", 96, 4}, {"dark", "#c71585", "creme", 96, 4},
    {"brown", "#e8c4b8", "creme", 96, 4},     {"tan", "#ff7f50", "gloss", 96, 4},
    {"intermediate", "#ff2d95", "gloss", 96, 4}, {"light", "#000000", "gloss", 96, 4},
    {"very-light", "#ffffff", "creme", 96, 4}, {"polished", "#1b1464", "creme", 96, 4},
    {"large", "#c71585", "gloss", 200, 10},
};

// One square a nail, side by side.
static int make_sheet(struct stage *stage, int tile)
{
    int status = sheet_init(stage, tile * stage->nails.count, tile);
    for (int k = 0; status == LQ_OK && k < stage->nails.count; k++)
        sheet_put(stage, &stage->nails.items[k], k * tile, 0, tile, 1);
    return status;
}

static int paint_hand(struct stage *stage, size_t index, char *path, size_t size)
{
    snprintf(path, size, "tests/golden/painted/%s-%s-%s.png", CASES[index].hand,
             CASES[index].color + 1, CASES[index].finish);
    const struct lq_nails *nails = &stage->nails;
    struct lq_look look = lq_look_default();
    int status = find_hand(stage, CASES[index].hand, CASES[index].cell);
    if (status == LQ_OK)
        status = lq_look_parse_color(&look, CASES[index].color, &stage->err);
    if (status == LQ_OK)
        status = lq_look_parse_finish(&look, CASES[index].finish, &stage->err);
    if (status == LQ_OK)
        status = lq_paint(stage->painter, &stage->hand, nails, &look, &stage->err);
    return status == LQ_OK ? make_sheet(stage, CASES[index].tile) : status;
}

int main(int argc, char **argv)
{
    return golden_main(argc, argv, LQ_COUNT(CASES), paint_hand);
}
