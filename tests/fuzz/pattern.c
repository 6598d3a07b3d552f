// Nail art: a PNG that is converted to a pattern, with all its levels.
#include "fuzz/fuzz.h"
#include "paint/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_pattern *pattern;
    struct lq_error error;
    if (lq_pattern_new(&pattern, "fuzz", bytes, len, &error) != LQ_OK)
        return 0;
    FUZZ_CHECK(pattern->level_count >= 1 && pattern->level_count <= LQ_PATTERN_LEVELS);
    for (int i = 0; i < pattern->level_count; i++) {
        const struct lq_pattern_level *level = &pattern->levels[i];
        FUZZ_CHECK(level->width >= 1 && level->width <= LQ_PATTERN_SIDE_MAX);
        FUZZ_CHECK(level->height >= 1 && level->height <= LQ_PATTERN_SIDE_MAX);
        fuzz_touch(level->texels,
                   (size_t)level->width * (size_t)level->height * 4 * sizeof(float));
    }
    static const float at[3] = {0, 0.5f, 1};
    float rgba[4][3];
    const struct lq_rgb_row color = {rgba[0], rgba[1], rgba[2], 3};
    lq_pattern_read(lq_pattern_level(pattern, 20), at, at, &color, rgba[3]);
    lq_pattern_free(pattern);
    return 0;
}
