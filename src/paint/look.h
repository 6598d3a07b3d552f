// A look: what polish is painted. Plain data, copied freely, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum lq_finish { LQ_FINISH_CREME, LQ_FINISH_GLOSS, LQ_FINISH_COUNT };

struct lq_look {
    uint8_t color[3];      // sRGB
    enum lq_finish finish;
    float opacity;         // 0..1: how far the pigment hides the nail; creme 1
    float texture;         // 0..1: how much of the nail's own fine detail shows through
    bool sheen;            // keep the nail's highlights and add the finish's own
};

// Medium violet red (#c71585), creme, opacity 1, texture 0.5, sheen.
struct lq_look lq_look_default(void);

// "#c71585", "c71585", "#f0a" or a CSS basic colour name; else FIELD with what is accepted.
LQ_MUST_CHECK int lq_look_parse_color(struct lq_look *look, const char *text,
                                      struct lq_error *err);
LQ_MUST_CHECK int lq_look_parse_finish(struct lq_look *look, const char *text,
                                       struct lq_error *err);
// A number in 0..1; anything else (NaN included): FIELD.
LQ_MUST_CHECK int lq_look_set_texture(struct lq_look *look, double texture, struct lq_error *err);

const char *lq_finish_name(enum lq_finish finish);
