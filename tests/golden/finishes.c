// Every finish on every skin tone, and looks on large nails, against the sheets in
// tests/golden/finishes: a row a finish (in the order of enum lq_finish) or look, the hand's two
// largest nails side by side.
// Usage: golden-finishes            compare; exit status 1 when a sheet is off
//        golden-finishes --write    make the sheets anew (tools/regolden.sh); look at them then
#include "golden/hand.h"

enum { COLUMNS = 2 };

static const struct {
    const char *hand;
    int tile, shrink, cell;
    bool looks; // else finishes
} SHEETS[] = {
    {"very-light", 56, 1, 4, false}, {"tan", 56, 1, 4, false}, {"dark", 56, 1, 4, false},
    {"very-dark", 56, 1, 4, false},  {"large", 128, 2, 10, true},
};

static const char *const LOOKS[] = {"classic-french", "chevron-french", "sunset-ombre", "leopard",
                                    "emerald-cat-eye", "silver-chrome", "party-glitter",
                                    "red-almond", "chrome-stiletto"};

static const char *const COLORS[LQ_FINISH_COUNT] = {
    [LQ_FINISH_CREME] = "#c71585",   [LQ_FINISH_GLOSS] = "#b3122a",
    [LQ_FINISH_SHEER] = "#f3d3d0",   [LQ_FINISH_JELLY] = "#e01f26",
    [LQ_FINISH_SATIN] = "#5a1118",   [LQ_FINISH_MATTE] = "#0e1330",
    [LQ_FINISH_PEARL] = "#f7c1cf",   [LQ_FINISH_SHIMMER] = "#0a6a80",
    [LQ_FINISH_GLITTER] = "#c98b7c", [LQ_FINISH_METALLIC] = "#b58a35",
    [LQ_FINISH_CHROME] = "#c9ccd0",  [LQ_FINISH_HOLOGRAPHIC] = "#c9ccd0",
    [LQ_FINISH_CAT_EYE] = "#0a6b4b", [LQ_FINISH_TEXTURED] = "#c48793",
};

// The two largest nails' numbers.
static void pick_nails(const struct lq_nails *nails, int picked[COLUMNS])
{
    picked[0] = picked[1] = 0;
    for (int i = 1; i < nails->count; i++)
        if (nails->items[i].area > nails->items[picked[0]].area)
            picked[0] = i;
    picked[1] = picked[0] == 0 && nails->count > 1 ? 1 : 0;
    for (int i = 0; i < nails->count; i++)
        if (i != picked[0] && nails->items[i].area > nails->items[picked[1]].area)
            picked[1] = i;
}

static int row_look(const struct stage *stage, bool looks, int row, struct lq_look *look,
                    struct lq_error *err)
{
    *look = lq_look_default();
    if (looks) {
        const struct lq_named_look *named = lq_catalogue_look(stage->catalogue, LOOKS[row]);
        if (!named)
            return lq_fail(err, LQ_ERR_FIELD, "there is no look '%s'", LOOKS[row]);
        *look = named->look;
        return LQ_OK;
    }
    lq_look_set_finish(look, (enum lq_finish)row);
    return lq_look_parse_color(look, COLORS[row], err);
}

static int make_sheet(struct stage *stage, size_t index, char *path, size_t size)
{
    snprintf(path, size, "tests/golden/finishes/%s.png", SHEETS[index].hand);
    int rows = SHEETS[index].looks ? (int)LQ_COUNT(LOOKS) : LQ_FINISH_COUNT;
    int tile = SHEETS[index].tile, picked[COLUMNS];
    int status = sheet_init(stage, COLUMNS * tile, rows * tile);
    for (int row = 0; status == LQ_OK && row < rows; row++) {
        struct lq_look look;
        status = row_look(stage, SHEETS[index].looks, row, &look, &stage->err);
        if (status == LQ_OK)
            status = find_hand(stage, SHEETS[index].hand, SHEETS[index].cell);
        if (status == LQ_OK)
            status = lq_paint(stage->painter, &stage->hand, &stage->nails, &look, &stage->err);
        if (status != LQ_OK)
            break;
        pick_nails(&stage->nails, picked);
        for (int i = 0; i < COLUMNS; i++)
            sheet_put(stage, &stage->nails.items[picked[i]], i * tile, row * tile, tile,
                      SHEETS[index].shrink);
    }
    return status;
}

int main(int argc, char **argv)
{
    return golden_main(argc, argv, LQ_COUNT(SHEETS), make_sheet);
}
