#include "frame/crop.h"

#include <stdbool.h>
#include <string.h>

// A token: bit 7 the run's value (0 or 255), bits 6..3 its length, bits 2..0 how many samples
// follow as bytes. Length 15 is 15 plus one more byte, which comes before the samples.
enum { RUN_SHORT_MAX = 14, RUN_MAX = 15 + 255, LITERALS_MAX = 7 };

struct cursor {
    const uint8_t *row;
    size_t stride;
    int x, width, rows_left;
};

static bool at_end(const struct cursor *cursor)
{
    return cursor->rows_left == 0;
}

static uint8_t sample(const struct cursor *cursor)
{
    return cursor->row[cursor->x];
}

static void step(struct cursor *cursor)
{
    if (++cursor->x == cursor->width) {
        cursor->x = 0;
        cursor->row += cursor->stride;
        cursor->rows_left--;
    }
}

// Skips samples of one value, across rows.
static int skip_run(struct cursor *cursor, uint8_t value)
{
    int run = 0;
    for (; run < RUN_MAX && !at_end(cursor) && sample(cursor) == value; run++)
        step(cursor);
    return run;
}

// Whether a run of two or more begins here: a single 0 or 255 is cheaper as a literal.
static bool run_begins(struct cursor cursor)
{
    uint8_t value = sample(&cursor);
    if (value != 0 && value != 255)
        return false;
    step(&cursor);
    return at_end(&cursor) || sample(&cursor) == value;
}

size_t lq_crop_encode(const uint8_t *alpha, size_t stride, int width, int height, uint8_t *out)
{
    struct cursor cursor = {alpha, stride, 0, width, height};
    uint8_t *to = out;
    while (!at_end(&cursor)) {
        uint8_t value = sample(&cursor) == 255 ? 255 : 0, *token = to++;
        int run = skip_run(&cursor, value), literals = 0;
        if (run > RUN_SHORT_MAX)
            *to++ = (uint8_t)(run - 15);
        for (; literals < LITERALS_MAX && !at_end(&cursor) && !run_begins(cursor); literals++) {
            *to++ = sample(&cursor);
            step(&cursor);
        }
        *token = (uint8_t)((value & 0x80) | (run > RUN_SHORT_MAX ? 15 : run) << 3 | literals);
    }
    return (size_t)(to - out);
}

int lq_crop_decode(const uint8_t *code, size_t len, uint8_t *alpha, int width, int height)
{
    size_t left = (size_t)width * (size_t)height, at = 0;
    while (left > 0) {
        if (at == len)
            return LQ_ERR_SYNTAX;
        uint8_t token = code[at++];
        size_t run = token >> 3 & 15, literals = token & 7;
        if (run == 15) {
            if (at == len)
                return LQ_ERR_SYNTAX;
            run += code[at++];
        }
        if (run + literals == 0 || run + literals > left || literals > len - at)
            return LQ_ERR_SYNTAX;
        memset(alpha, token & 0x80 ? 255 : 0, run);
        memcpy(alpha + run, code + at, literals);
        at += literals;
        alpha += run + literals;
        left -= run + literals;
    }
    return at == len ? LQ_OK : LQ_ERR_SYNTAX;
}

void lq_crop_shrink(const uint8_t *alpha, size_t stride, int width, int height, int scale,
                    uint8_t *out)
{
    int half = scale * scale / 2;
    for (int y = 0; y < height; y += scale)
        for (int x = 0; x < width; x += scale) {
            int sum = 0;
            for (int j = y; j < y + scale && j < height; j++)
                for (int i = x; i < x + scale && i < width; i++)
                    sum += alpha[(size_t)j * stride + (size_t)i];
            *out++ = (uint8_t)((sum + half) / (scale * scale));
        }
}
