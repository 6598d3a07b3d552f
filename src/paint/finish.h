// Finishes: how a nail's light becomes polish. docs/LOOKS.md has the arithmetic, step by step; the
// page's shader follows it too.
// Threads: any. Owner: plain data.
#pragma once

#include "paint/light.h"
#include "paint/look.h"
#include "paint/shade.h"
#include "paint/surround.h"

// The top coat and the film under it: what gloss makes of them.
struct lq_recipe {
    float contrast;    // of slow shading
    float lift;        // of what is brighter than the bare nail's mean: its shine lies in that
    float volume;      // shading of the curve itself, which a translucent bare nail hides
    float depth;       // how much the pigment deepens where little light comes back
    float rim;         // darkening at the outline
    float half_w, half_u, soft_w, soft_u; // the highlight's half size and softness
    float strength;    // of the highlight, against white in this light
    float mirror;      // how clearly the surroundings show
    float haze;        // a broad, weak lobe around it
    float fresnel;     // mirror-like return at grazing angles
    float kept;        // of the nail's own highlight
};

// What is the same for a whole nail.
struct lq_coat {
    enum lq_finish finish;
    struct lq_recipe recipe;
    float pigment[3];    // linear albedo
    float light[3];      // the scene's light on this nail: exposure and tint
    float bed[3];        // the bare nail's mean colour, linear, without highlights
    float hide;          // 0..1: how far the film hides the nail
    float stain;         // 0..1: how far what is seen through the film takes its colour
    float texture;       // 0..1
    float kept;          // how much of the nail's own highlight is kept
    float added;         // strength of the finish's own highlight
    float gleam[3];      // … its colour, against the light's
    float sun_u, sun_w;  // where that highlight lies, in nail coordinates
    float axis_x, axis_y; // the nail's, in the picture: a lamp stands upright there
    float away_u, away_w; // the nail's place from the picture's middle, in heights
    const struct lq_surround *surround; // what it mirrors; NULL: nothing in particular
    struct lq_outlook outlook;          // … and from where
    struct lq_glimpse glimpse;          // … made of both
    float stretch;       // 1; more makes the highlight shorter along the nail
    float aspect;        // length over width
    float pixel;         // a pixel's side in half widths
    float blur;          // … and how much wider the picture's edges are than a sharp one's
    float cuticle;       // 1 where the base is known to be at u = -1, else 0
    float number[LQ_EFFECT_COUNT];
    float turn_c, turn_s; // cosine and sine of the effect's angle
    float color[LQ_EFFECT_COLORS_MAX][3]; // the effect's, linear; all filled
    int color_count;
    // Layout: colours in places. Places along are stretched over an extended nail.
    struct lq_ombre ombre;
    struct lq_french french;
    float ombre_color[3], french_color[3]; // linear
    const struct lq_pattern_level *pattern;
    float pattern_opacity, pattern_span; // span: patterns along the nail
    bool pattern_dyed;
    float pattern_color[3]; // linear
    float whole_u, whole_u0; // u over the whole, extended nail: u * whole_u + whole_u0
};

// One row of a nail's planes (struct lq_shade): `place.count` floats each.
struct lq_coat_row {
    const float *red, *green, *blue, *cover, *slow, *detail, *shine, *rim;
    struct lq_nail_row place;
    const float *own;    // the natural nail's cover; NULL: the same as cover
};

// The polish on that row while it is made: place->count floats each. Colours are red, green, blue.
struct lq_polish_row {
    const struct lq_nail_row *place;
    float *slope_u, *slope_w, *slope_z; // the surface's unit normal: along, across, out of the nail
    float *body;         // light on the film's body, against the nail's mean
    float *pigment[3];   // linear albedo
    float *clear;        // one over the pigment's brightest channel
    float *hide;         // 0..1: how far the film hides the nail
    float *seen;         // 0..1: how much of the finish's effect shows (nothing on a French tip)
    float *gleam;        // what the top coat reflects, before the light's colour
    float *painted[3];   // linear light: the result
};

enum { LQ_FINISH_ROWS = 11 };

// The coat of a polish; the light, sun and geometry are the caller's to fill in, before.
void lq_coat_mix(struct lq_coat *coat, const struct lq_polish *polish, float width);

// Fills out with the composited row, linear light: polish over the photo by cover. scratch:
// LQ_FINISH_ROWS * nail->place.count floats.
void lq_finish_row(const struct lq_coat *coat, const struct lq_coat_row *nail, float *scratch,
                   float *red, float *green, float *blue);
