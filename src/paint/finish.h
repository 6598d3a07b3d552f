// Finishes: how a nail's light becomes polish. docs/LOOKS.md explains the arithmetic step by step;
// the page's shader implements it too.
// Threads: any. Owner: plain data.
#pragma once

#include "paint/light.h"
#include "paint/look.h"
#include "paint/shade.h"
#include "paint/surround.h"

// How the top coat and the polish under it look, as a function of gloss.
struct lq_recipe {
    float contrast;    // contrast of slow shading
    float lift;        // contrast of areas brighter than the bare nail's mean: its highlights
    float volume;      // shading of the curved shape, which hardly shows on a bare nail
    float depth;       // how much the pigment deepens where little light returns
    float rim;         // darkening at the outline
    float half_w, half_u, soft_w, soft_u; // the highlight's half size and softness
    float strength;    // of the highlight, relative to white in this light
    float mirror;      // how clearly the surroundings are mirrored
    float haze;        // a broad, weak lobe around the highlight
    float fresnel;     // mirror-like reflection at grazing angles
    float kept;        // share of the nail's own highlight that is kept
};

// Values that are constant for a whole nail.
struct lq_coat {
    enum lq_finish finish;
    struct lq_recipe recipe;
    float pigment[3];    // linear albedo
    float light[3];      // the scene's light on this nail: exposure and tint
    float bed[3];        // the bare nail's mean colour, linear, without highlights
    float hide;          // 0..1: how far the polish hides the nail
    float stain;         // 0..1: how far the nail seen through the polish takes on its colour
    float texture;       // 0..1
    float kept;          // share of the nail's own highlight that is kept
    float added;         // strength of the finish's own highlight
    float gleam[3];      // … its colour, relative to the light's
    float sun_u, sun_w;  // position of that highlight, in nail coordinates
    float axis_x, axis_y; // the nail's axis in the picture; lamps are vertical in the picture
    float away_u, away_w; // position of the nail relative to the picture's middle, in picture
                          // heights
    const struct lq_surround *surround; // what the nail mirrors; NULL: nothing in particular
    struct lq_outlook outlook;          // … and from where
    struct lq_glimpse glimpse;          // … the mirrored image computed from both
    float stretch;       // 1: normal; above 1: shortens the highlight along the nail
    float aspect;        // length over width
    float pixel;         // side of a pixel, in half widths
    float blur;          // how much wider the picture's edges are than sharp ones, in half widths
    float cuticle;       // 1 if the base is known to be at u = -1, else 0
    float number[LQ_EFFECT_COUNT];
    float turn_c, turn_s; // cosine and sine of the effect's angle
    float color[LQ_EFFECT_COLORS_MAX][3]; // of the effect, linear; all are set
    int color_count;
    // Layout: positions of colours. Positions along the nail are stretched over an extended nail.
    struct lq_ombre ombre;
    struct lq_french french;
    float ombre_color[3], french_color[3]; // linear
    const struct lq_pattern_level *pattern;
    float pattern_opacity, pattern_span; // span: number of pattern repeats along the nail
    bool pattern_dyed;
    float pattern_color[3]; // linear
    float whole_u, whole_u0; // u over the whole, extended nail is u * whole_u + whole_u0
};

// One row of a nail's planes (struct lq_shade): `place.count` floats in each.
struct lq_coat_row {
    const float *red, *green, *blue, *cover, *slow, *detail, *shine, *rim;
    struct lq_nail_row place;
    const float *own;    // the natural nail's cover; NULL: same as cover
};

// One row of polish while it is computed: place->count floats each. Colours are red, green, blue.
struct lq_polish_row {
    const struct lq_nail_row *place;
    float *slope_u, *slope_w, *slope_z; // the surface's unit normal: along, across, out of the nail
    float *body;         // light on the body of the polish, relative to the nail's mean
    float *pigment[3];   // linear albedo
    float *clear;        // reciprocal of the pigment's brightest channel
    float *hide;         // 0..1: how far the polish hides the nail
    float *seen;         // 0..1: how much of the finish's effect shows (none on a French tip)
    float *gleam;        // reflection of the top coat, before the light's colour is applied
    float *painted[3];   // linear light: the result
};

enum { LQ_FINISH_ROWS = 11 };

// Sets up the coat for a polish. The caller sets light, sun and geometry before.
void lq_coat_mix(struct lq_coat *coat, const struct lq_polish *polish, float width);

// Composites one row in linear light: polish over the photo, weighted by cover. scratch:
// LQ_FINISH_ROWS * nail->place.count floats.
void lq_finish_row(const struct lq_coat *coat, const struct lq_coat_row *nail, float *scratch,
                   float *red, float *green, float *blue);
