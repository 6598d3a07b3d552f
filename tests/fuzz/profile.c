// A colour profile: how it is classified, and the conversion of pixels with it.
#include "fuzz/fuzz.h"
#include "image/color.h"

enum { WIDTH = 300 };

static void show(struct lq_color *color, enum lq_color_kind kind, int channels, int depth)
{
    static uint8_t bytes[WIDTH * 8], shown[WIDTH * 3];
    float red[WIDTH], green[WIDTH], blue[WIDTH];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    struct lq_image image = {bytes, WIDTH, 1, channels, depth, sizeof bytes, NULL};
    const struct lq_image srgb = {shown, WIDTH, 1, 3, 8, sizeof shown, NULL};
    if (kind == LQ_COLOR_BOTH_WAYS) {
        lq_color_to_srgb(color, &image, &srgb);
        const struct lq_rgb_row row = {red, green, blue, WIDTH};
        lq_color_read(color, &image, bytes, &row);
        lq_color_store(color, &row);
        for (int i = 0; i < WIDTH; i++)
            FUZZ_CHECK(red[i] >= 0 && red[i] <= 1 && blue[i] >= 0 && blue[i] <= 1);
    } else if (kind == LQ_COLOR_READ_ONLY) {
        lq_color_to_srgb(color, &image, &image);
    } else if (kind == LQ_COLOR_GREY) {
        lq_color_grey_to_srgb(color, &image);
    } else if (kind == LQ_COLOR_INKS && depth == 8) {
        lq_color_inks_to_srgb(color, channels == 4, bytes, shown, WIDTH);
    }
    fuzz_touch(shown, sizeof shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_color *color;
    FUZZ_CHECK(lq_color_new(&color) == LQ_OK);
    enum lq_color_kind kind = lq_color_set(color, bytes, len);
    for (int format = 0; format < 4; format++)
        show(color, kind, 3 + format % 2, format & 2 ? 16 : 8);
    lq_color_free(color);
    return 0;
}
