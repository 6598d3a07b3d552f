// A look: what polish is painted on a hand. What each number does to the picture is in
// docs/LOOKS.md; looks are read from JSON by look_json.h.
// Threads: any; no state: plain data, copied freely.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "nail/nail.h"

enum lq_finish {
    LQ_FINISH_CREME, LQ_FINISH_GLOSS, LQ_FINISH_SHEER, LQ_FINISH_JELLY, LQ_FINISH_SATIN,
    LQ_FINISH_MATTE, LQ_FINISH_PEARL, LQ_FINISH_SHIMMER, LQ_FINISH_GLITTER, LQ_FINISH_METALLIC,
    LQ_FINISH_CHROME, LQ_FINISH_HOLOGRAPHIC, LQ_FINISH_CAT_EYE, LQ_FINISH_TEXTURED, LQ_FINISH_COUNT
};

// The numbers of a finish; each finish reads some of them (lq_finish_reads).
enum lq_effect_number {
    LQ_EFFECT_STRENGTH, LQ_EFFECT_SIZE, LQ_EFFECT_DENSITY, LQ_EFFECT_WIDTH, LQ_EFFECT_OFFSET,
    LQ_EFFECT_SHIFT, LQ_EFFECT_COUNT
};

enum { LQ_EFFECT_COLORS_MAX = 4, LQ_COATS_MAX = 4, LQ_FINGERS = 5 };

struct lq_effect {
    float number[LQ_EFFECT_COUNT]; // 0..1
    float angle;                   // degrees, -90..90: the cat-eye's band against the nail's length
    int color_count;               // 0: the finish makes them of the polish's own
    uint8_t colors[LQ_EFFECT_COLORS_MAX][3]; // sRGB
};

// Colour that changes along the nail, places in 0 (cuticle) to 1 (tip).
struct lq_ombre {
    bool on;
    uint8_t color[3]; // at the tip
    float from, to;   // where the change begins and ends
};

enum lq_french_shape { LQ_FRENCH_SMILE, LQ_FRENCH_STRAIGHT, LQ_FRENCH_CHEVRON, LQ_FRENCH_DIAGONAL,
                       LQ_FRENCH_SHAPE_COUNT };

struct lq_french {
    bool on;
    uint8_t color[3];
    float width;      // of the tip at the nail's middle, 0..1 of the nail's length
    float curve;      // 0..1: how far its line bends
    enum lq_french_shape shape;
};

struct lq_pattern; // pattern.h

// The polish of one nail.
struct lq_polish {
    uint8_t color[3];      // sRGB
    enum lq_finish finish;
    float opacity;         // 0..1: how far the polish hides the nail, against what its finish does
    float texture;         // 0..1: how much of the nail's own fine detail shows through
    bool sheen;            // keep the nail's highlights and add the finish's own
    int coats;             // 1..LQ_COATS_MAX
    float gloss;           // 0 matte .. 1 wet: the top coat; below 0 the finish's own
    struct lq_effect effect;
    struct lq_ombre ombre;
    struct lq_french french;
    const struct lq_pattern *pattern; // nail art, or NULL; borrowed from the catalogue
    float pattern_opacity; // 0..1
    bool pattern_dyed;     // all of it in pattern_color, as dense as it is drawn
    uint8_t pattern_color[3];
};

enum lq_shape_kind { LQ_SHAPE_NATURAL, LQ_SHAPE_SQUARE, LQ_SHAPE_SQUOVAL, LQ_SHAPE_OVAL,
                     LQ_SHAPE_ALMOND, LQ_SHAPE_STILETTO, LQ_SHAPE_COFFIN, LQ_SHAPE_COUNT };

// Nails made longer than they are.
struct lq_extension {
    enum lq_shape_kind shape; // NATURAL: none
    float length;             // 0..1: beyond the natural tip, in natural nail lengths
};

struct lq_look {
    struct lq_polish polish;            // of every finger without its own, and of unknown ones
    uint8_t has_own;                    // bit 0 thumb .. bit 4 little finger
    struct lq_polish own[LQ_FINGERS];   // thumb first
    struct lq_extension extension;
};

// Medium violet red (#c71585), creme, opacity 1, texture 0.5, sheen, natural nails.
struct lq_look lq_look_default(void);

const struct lq_polish *lq_look_polish(const struct lq_look *look, enum lq_finger finger);

// The fields of the API: each is set for the whole hand, fingers with their own polish included.
// "#c71585", "c71585", "#f0a" or a CSS basic colour name; else FIELD with what is accepted.
LQ_MUST_CHECK int lq_look_parse_color(struct lq_look *look, const char *text,
                                      struct lq_error *err);
LQ_MUST_CHECK int lq_look_parse_finish(struct lq_look *look, const char *text,
                                       struct lq_error *err);
// Numbers in 0..1; anything else (NaN included): FIELD.
LQ_MUST_CHECK int lq_look_set_texture(struct lq_look *look, double texture, struct lq_error *err);
LQ_MUST_CHECK int lq_look_set_opacity(struct lq_look *look, double opacity, struct lq_error *err);
void lq_look_set_color(struct lq_look *look, const uint8_t color[3]);
void lq_look_set_pattern(struct lq_look *look, const struct lq_pattern *pattern); // borrowed
void lq_look_set_sheen(struct lq_look *look, bool sheen);
// The finish with its default numbers.
void lq_look_set_finish(struct lq_look *look, enum lq_finish finish);
void lq_polish_set_finish(struct lq_polish *polish, enum lq_finish finish);

// Three or six hexadecimal digits with or without '#', or a CSS basic colour name.
bool lq_color_parse(const char *text, uint8_t color[3]);

const char *lq_finish_name(enum lq_finish finish);
bool lq_finish_reads(enum lq_finish finish, enum lq_effect_number number);
bool lq_finish_reads_angle(enum lq_finish finish);
bool lq_finish_reads_colors(enum lq_finish finish);
const char *lq_effect_name(enum lq_effect_number number);   // "strength", …
const char *lq_french_shape_name(enum lq_french_shape shape);
const char *lq_shape_name(enum lq_shape_kind shape);
