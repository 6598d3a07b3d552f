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
static const double PSNR_MIN = 40.0;

// One square a nail, side by side.
static int make_sheet(struct stage *stage, const struct lq_nails *nails, int tile)
{
    int width = tile * nails->count;
    int status = lq_image_alloc(&stage->sheet, &stage->sheet_pixels, width, tile, 3, 8);
    if (status != LQ_OK)
        return lq_fail(&stage->err, status, "cannot make a sheet of %d nails", nails->count);
    for (int k = 0; k < nails->count; k++)
        for (int j = 0; j < tile; j++)
            for (int i = 0; i < tile; i++) {
                int x = (int)nails->items[k].center_x + i - tile / 2;
                int y = (int)nails->items[k].center_y + j - tile / 2;
                x = x < 0 ? 0 : x >= stage->hand.width ? stage->hand.width - 1 : x;
                y = y < 0 ? 0 : y >= stage->hand.height ? stage->hand.height - 1 : y;
                memcpy(lq_image_row(&stage->sheet, j) + (k * tile + i) * 3,
                       lq_image_row(&stage->hand, y) + x * stage->hand.channels, 3);
            }
    return LQ_OK;
}

static int paint_hand(struct stage *stage, size_t index)
{
    const struct lq_nails *nails;
    struct lq_look look = lq_look_default();
    int status = find_hand(stage, CASES[index].hand, CASES[index].cell, &nails);
    if (status == LQ_OK && CASES[index].color)
        status = lq_look_parse_color(&look, CASES[index].color, &stage->err);
    if (status == LQ_OK && CASES[index].color)
        status = lq_look_parse_finish(&look, CASES[index].finish, &stage->err);
    if (status == LQ_OK && !CASES[index].color)
        look = lq_catalogue_look(stage->catalogue, CASES[index].finish)->look;
    if (status == LQ_OK)
        status = lq_paint(stage->painter, &stage->hand, nails, &look, &stage->err);
    return status == LQ_OK ? make_sheet(stage, nails, CASES[index].tile) : status;
}

static double psnr(const struct lq_image *a, const struct lq_image *b)
{
    double sum = 0.0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width * 3; x++) {
            double difference = lq_image_row(a, y)[x] - lq_image_row(b, y)[x];
            sum += difference * difference;
        }
    sum /= (double)a->width * a->height * 3;
    return 10.0 * log10(255.0 * 255.0 / fmax(sum, 1e-9));
}

static int compare(struct stage *stage, const char *path)
{
    int status = load(stage, path, &stage->golden_pixels, &stage->golden);
    if (status != LQ_OK)
        return status;
    if (stage->golden.width != stage->sheet.width || stage->golden.height != stage->sheet.height)
        return lq_fail(&stage->err, LQ_ERR_CORRUPT, "not as many nails as in '%s'", path);
    double quality = psnr(&stage->sheet, &stage->golden);
    printf("%-56s %6.1f dB\n", path, quality);
    if (!(quality >= PSNR_MIN))
        return lq_fail(&stage->err, LQ_ERR_CORRUPT, "differs from '%s': %.1f dB", path, quality);
    return LQ_OK;
}

static int write_golden(struct stage *stage, const char *path)
{
    lq_buf_clear(&stage->file);
    int status = lq_codec_encode_png(stage->codec, &stage->sheet, NULL, &stage->file, &stage->err);
    return status != LQ_OK ? status
                           : lq_file_write(path, stage->file.data, stage->file.len, &stage->err);
}

int main(int argc, char **argv)
{
    bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
    static struct stage stage;
    int failed = stage_init(&stage) != LQ_OK;
    for (size_t i = 0; !failed && i < LQ_COUNT(CASES); i++) {
        char path[512];
        const char *color = CASES[i].color;
        snprintf(path, sizeof(path), "tests/golden/painted/%s-%s%s%s.png", CASES[i].hand,
                 color ? color + 1 : "", color ? "-" : "", CASES[i].finish);
        int status = paint_hand(&stage, i);
        if (status == LQ_OK)
            status = write ? write_golden(&stage, path) : compare(&stage, path);
        if (status != LQ_OK) {
            fprintf(stderr, "%s: %s\n", path, stage.err.text);
            failed = 1;
        }
    }
    stage_release(&stage);
    return failed;
}
