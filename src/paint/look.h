// A look: the polish to paint on a hand. docs/LOOKS.md explains what each number does; look_json.h
// reads looks from JSON.
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

// Parameters of a finish; each finish reads some of them (lq_finish_reads).
enum lq_effect_number {
    LQ_EFFECT_STRENGTH, LQ_EFFECT_SIZE, LQ_EFFECT_DENSITY, LQ_EFFECT_WIDTH, LQ_EFFECT_OFFSET,
    LQ_EFFECT_SHIFT, LQ_EFFECT_COUNT
};

enum { LQ_EFFECT_COLORS_MAX = 4, LQ_COATS_MAX = 4, LQ_FINGERS = 5 };

struct lq_effect {
    float number[LQ_EFFECT_COUNT]; // 0..1
    float angle;                   // degrees, -90..90: angle of the cat-eye's band to the nail's
                                   // length
    int color_count;               // 0: the finish derives them from the polish's own colour
    uint8_t colors[LQ_EFFECT_COLORS_MAX][3]; // sRGB
};

// A colour change along the nail; positions run from 0 (cuticle) to 1 (tip).
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
    float width;      // of the tip, at the middle of the nail, as a share 0..1 of the nail's length
    float curve;      // 0..1: how far its edge bends
    enum lq_french_shape shape;
};

struct lq_pattern; // pattern.h

// The polish of one nail.
struct lq_polish {
    uint8_t color[3];      // sRGB
    enum lq_finish finish;
    float opacity;         // 0..1: how far the polish hides the nail, relative to the finish's own
    float texture;         // 0..1: how much of the nail's own fine detail shows through
    bool sheen;            // keep the nail's highlights and add those of the finish
    int coats;             // 1..LQ_COATS_MAX
    float gloss;           // 0 matte .. 1 wet: the top coat; negative: the finish's own
    struct lq_effect effect;
    struct lq_ombre ombre;
    struct lq_french french;
    const struct lq_pattern *pattern; // nail art, or NULL; borrowed from the catalogue
    float pattern_opacity; // 0..1
    bool pattern_dyed;     // draw the whole pattern in pattern_color, with its own density
    uint8_t pattern_color[3];
};

enum lq_shape_kind { LQ_SHAPE_NATURAL, LQ_SHAPE_SQUARE, LQ_SHAPE_SQUOVAL, LQ_SHAPE_OVAL,
                     LQ_SHAPE_ALMOND, LQ_SHAPE_STILETTO, LQ_SHAPE_COFFIN, LQ_SHAPE_COUNT };

// An artificial extension of the nails.
struct lq_extension {
    enum lq_shape_kind shape; // NATURAL: no extension
    float length;             // 0..1: length beyond the natural tip, in natural nail lengths
};

struct lq_look {
    struct lq_polish polish;            // for fingers without their own, and for unknown fingers
    uint8_t has_own;                    // bit 0 thumb .. bit 4 little finger
    struct lq_polish own[LQ_FINGERS];   // thumb first
    struct lq_extension extension;
};

// The default look: medium violet red (#c71585), creme, opacity 1, texture 0.5, sheen, natural
// nails.
struct lq_look lq_look_default(void);

const struct lq_polish *lq_look_polish(const struct lq_look *look, enum lq_finger finger);

// Setters for the API's fields: each applies to the whole hand, including fingers with their own
// polish. Colours are "#c71585", "c71585", "#f0a" or a CSS basic colour name; anything else fails
// with FIELD and a text that says what is accepted.
LQ_MUST_CHECK int lq_look_parse_color(struct lq_look *look, const char *text,
                                      struct lq_error *err);
LQ_MUST_CHECK int lq_look_parse_finish(struct lq_look *look, const char *text,
                                       struct lq_error *err);
// Numbers in 0..1; anything else, NaN included, fails with FIELD.
LQ_MUST_CHECK int lq_look_set_texture(struct lq_look *look, double texture, struct lq_error *err);
LQ_MUST_CHECK int lq_look_set_opacity(struct lq_look *look, double opacity, struct lq_error *err);
void lq_look_set_color(struct lq_look *look, const uint8_t color[3]);
void lq_look_set_pattern(struct lq_look *look, const struct lq_pattern *pattern); // borrowed
void lq_look_set_sheen(struct lq_look *look, bool sheen);
// Sets the finish with its default parameters.
void lq_look_set_finish(struct lq_look *look, enum lq_finish finish);
void lq_polish_set_finish(struct lq_polish *polish, enum lq_finish finish);

// Parses three or six hexadecimal digits, with or without '#', or a CSS basic colour name.
bool lq_color_parse(const char *text, uint8_t color[3]);

const char *lq_finish_name(enum lq_finish finish);
bool lq_finish_reads(enum lq_finish finish, enum lq_effect_number number);
bool lq_finish_reads_angle(enum lq_finish finish);
bool lq_finish_reads_colors(enum lq_finish finish);
const char *lq_effect_name(enum lq_effect_number number);   // "strength", …
const char *lq_french_shape_name(enum lq_french_shape shape);
const char *lq_shape_name(enum lq_shape_kind shape);
