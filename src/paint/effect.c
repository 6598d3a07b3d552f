#include "paint/effect.h"

#include "paint/effect_parts.h"

void lq_effect_apply(const struct lq_coat *coat, const struct lq_polish_row *row)
{
    static void (*const effects[LQ_FINISH_COUNT])(const struct lq_coat *,
                                                  const struct lq_polish_row *) = {
        [LQ_FINISH_PEARL] = lq_effect_pearl,
        [LQ_FINISH_SHIMMER] = lq_effect_shimmer,
        [LQ_FINISH_GLITTER] = lq_effect_glitter,
        [LQ_FINISH_METALLIC] = lq_effect_metallic,
        [LQ_FINISH_CHROME] = lq_effect_chrome,
        [LQ_FINISH_HOLOGRAPHIC] = lq_effect_holographic,
        [LQ_FINISH_CAT_EYE] = lq_effect_cat_eye,
        [LQ_FINISH_TEXTURED] = lq_effect_textured,
    };
    if (effects[coat->finish])
        effects[coat->finish](coat, row);
}
