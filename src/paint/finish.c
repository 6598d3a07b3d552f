#include "paint/finish.h"

#include <math.h>

#include "paint/effect.h"
#include "paint/layout.h"
#include "paint/noise.h"
#include "paint/pattern.h"
#include "paint/transfer.h"

// Limits how much light a polish reflects, to leave room for shading and highlights on white.
static const float WHITEST = 0.94f;
// What the surface reflects of its surroundings besides the lamps, more on the lamps' side: about 4
// % of the mean light, of which rooms return six sevenths. The page's shader has the
// same value (web/paint/surface.js).
static const float SURROUNDINGS = 0.034f;

// Top coats from matte to wet. Values between two entries are interpolated.
static const struct {
    float gloss;
    struct lq_recipe recipe;
} TOPS[] = {
    {0.00f, {.contrast = 0.92f, .lift = 0.70f, .volume = 0.22f, .rim = 0.12f, .soft_w = 0.90f,
             .soft_u = 0.90f, .strength = 0.012f, .haze = 0.016f}},
    {0.35f, {.contrast = 0.95f, .lift = 0.60f, .volume = 0.26f, .rim = 0.16f, .half_w = 0.05f,
             .half_u = 0.16f, .soft_w = 0.55f, .soft_u = 0.55f, .strength = 0.13f, .mirror = 0.15f,
             .haze = 0.028f, .fresnel = 0.015f, .kept = 0.20f}},
    {0.60f, {.contrast = 0.98f, .lift = 0.90f, .volume = 0.26f, .rim = 0.18f, .half_w = 0.01f,
             .half_u = 0.10f, .soft_w = 0.36f, .soft_u = 0.46f, .strength = 0.10f, .mirror = 0.50f,
             .haze = 0.030f, .fresnel = 0.03f, .kept = 0.85f}},
    {1.00f, {.contrast = 1.05f, .lift = 1.00f, .volume = 0.30f, .depth = 0.10f, .rim = 0.24f,
             .half_w = 0.07f, .half_u = 0.20f, .soft_w = 0.11f, .soft_u = 0.22f, .strength = 0.40f,
             .mirror = 1.00f, .haze = 0.026f, .fresnel = 0.10f, .kept = 1.15f}},
};

// Each finish's default gloss, the opacity of one coat, and how strongly it tints what shows
// through.
static const struct {
    float gloss, hide, stain;
} FILMS[LQ_FINISH_COUNT] = {
    [LQ_FINISH_CREME] = {0.60f, 1.00f, 0.0f},       [LQ_FINISH_GLOSS] = {1.00f, 1.00f, 0.0f},
    [LQ_FINISH_SHEER] = {1.00f, 0.36f, 0.25f},      [LQ_FINISH_JELLY] = {1.00f, 0.30f, 0.9f},
    [LQ_FINISH_SATIN] = {0.35f, 1.00f, 0.0f},       [LQ_FINISH_MATTE] = {0.00f, 1.00f, 0.0f},
    [LQ_FINISH_PEARL] = {0.85f, 0.96f, 0.0f},       [LQ_FINISH_SHIMMER] = {0.95f, 1.00f, 0.0f},
    [LQ_FINISH_GLITTER] = {0.95f, 0.85f, 0.3f},     [LQ_FINISH_METALLIC] = {0.70f, 1.00f, 0.0f},
    [LQ_FINISH_CHROME] = {0.85f, 1.00f, 0.0f},      [LQ_FINISH_HOLOGRAPHIC] = {0.90f, 1.00f, 0.0f},
    [LQ_FINISH_CAT_EYE] = {1.00f, 1.00f, 0.0f},     [LQ_FINISH_TEXTURED] = {0.08f, 1.00f, 0.0f},
};

// ---- mixing -------------------------------------------------------------------------------------

static struct lq_recipe recipe_at(float gloss)
{
    int i = 0;
    while (i + 2 < (int)LQ_COUNT(TOPS) && gloss > TOPS[i + 1].gloss)
        i++;
    float t = lq_clamp01((gloss - TOPS[i].gloss) / (TOPS[i + 1].gloss - TOPS[i].gloss));
    const struct lq_recipe *a = &TOPS[i].recipe, *b = &TOPS[i + 1].recipe;
#define MIX(field) .field = a->field + (b->field - a->field) * t
    return (struct lq_recipe){MIX(contrast), MIX(lift), MIX(volume), MIX(depth), MIX(rim),
                              MIX(half_w), MIX(half_u), MIX(soft_w), MIX(soft_u), MIX(strength),
                              MIX(mirror), MIX(haze), MIX(fresnel), MIX(kept)};
#undef MIX
}

static void linear_of(float linear[3], const uint8_t color[3])
{
    for (int k = 0; k < 3; k++)
        linear[k] = WHITEST * (float)lq_srgb_decode(color[k] / 255.0);
}

static void mix_effect(struct lq_coat *coat, const struct lq_effect *effect)
{
    float turn = effect->angle * 0.017453293f;
    for (int i = 0; i < LQ_EFFECT_COUNT; i++)
        coat->number[i] = effect->number[i];
    coat->turn_c = cosf(turn);
    coat->turn_s = sinf(turn);
    coat->color_count = effect->color_count;
    for (int i = 0; i < effect->color_count; i++)
        linear_of(coat->color[i], effect->colors[i]);
}

// Blurs the highlight as much as the photo: what it gains in size it loses in strength.
static void soften(struct lq_recipe *recipe, float blur, float aspect)
{
    float size = recipe->half_w + 0.5f * recipe->soft_w;
    if (blur <= 0.0f || size <= 0.0f)
        return;
    recipe->soft_w += blur;
    recipe->soft_u += blur / fmaxf(aspect, 0.5f);
    recipe->strength *= size / (size + 0.5f * blur);
}

static float brightest_of(const float c[3])
{
    return fmaxf(fmaxf(c[0], c[1]), c[2]);
}

// On a rough surface light also scatters inside the film: the highlight takes on the polish's
// colour, and is weaker on a dark polish.
static void tint_gleam(struct lq_coat *coat, float gloss)
{
    float rough = lq_clamp01(1.4f - gloss * (1.4f / 0.6f)), most = brightest_of(coat->pigment);
    float dark = 1.0f - lq_clamp01(2.5f * most);
    float less = 1.0f - 0.5f * lq_clamp01(1.7f * rough) * dark;
    for (int k = 0; k < 3; k++) {
        float tinted = coat->pigment[k] / fmaxf(most, 0.05f);
        coat->gleam[k] = less * (1.0f + (tinted - 1.0f) * 0.8f * rough);
    }
}

void lq_coat_mix(struct lq_coat *coat, const struct lq_polish *polish, float width)
{
    float bare = 1.0f, gloss = polish->gloss >= 0.0f ? polish->gloss : FILMS[polish->finish].gloss;
    for (int i = 0; i < polish->coats; i++)
        bare *= 1.0f - FILMS[polish->finish].hide;
    coat->finish = polish->finish;
    coat->recipe = recipe_at(gloss);
    soften(&coat->recipe, coat->blur, coat->aspect);
    linear_of(coat->pigment, polish->color);
    tint_gleam(coat, gloss);
    if (!coat->surround)
        coat->surround = &lq_surround_plain;
    // A mirror reflects all directions, a top coat only those in front of it.
    lq_glimpse_take(&coat->glimpse, coat->surround, &coat->outlook,
                    polish->finish == LQ_FINISH_CHROME ? 1.0f : 0.5f);
    coat->hide = (1.0f - bare) * polish->opacity;
    coat->stain = FILMS[polish->finish].stain * polish->opacity;
    if (polish->finish == LQ_FINISH_JELLY)
        coat->stain *= polish->effect.number[LQ_EFFECT_STRENGTH];
    coat->texture = polish->texture;
    mix_effect(coat, &polish->effect);
    coat->ombre = polish->ombre;
    coat->french = polish->french;
    linear_of(coat->ombre_color, polish->ombre.color);
    linear_of(coat->french_color, polish->french.color);
    coat->pattern = polish->pattern ? lq_pattern_level(polish->pattern, width) : NULL;
    // The pattern covers the whole of an extended nail.
    if (polish->pattern)
        coat->pattern_span = lq_pattern_span(polish->pattern, coat->aspect / coat->whole_u);
    coat->pattern_opacity = polish->pattern_opacity * polish->opacity;
    coat->pattern_dyed = polish->pattern_dyed;
    linear_of(coat->pattern_color, polish->pattern_color);
}

// ---- the surface --------------------------------------------------------------------------------

// The surface's slope: a cylinder across the nail that bends down and narrows towards both ends, so
// that a highlight curves with the outline.
LQ_HOT static void slope_row(const struct lq_nail_row *place, float *restrict su,
                             float *restrict sw, float *restrict sz)
{
    const float u0 = place->u, w0 = place->w, du = place->du, dw = place->dw;
    const int n = place->count;
    for (int i = 0; i < n; i++) {
        float u = u0 + du * (float)i, w = w0 + dw * (float)i;
        float nw = lq_clamp01(0.5f + 0.43f * w * (1.0f + 0.3f * u * u)) * 2.0f - 1.0f;
        float nu = lq_clamp01(0.5f + 0.5f * (u * (0.10f + 0.36f * u * u))) * 2.0f - 1.0f;
        float nz = 1.0f - nw * nw - nu * nu;
        su[i] = nu;
        sw[i] = nw;
        sz[i] = sqrtf(nz > 0.01f ? nz : 0.01f);
    }
}

// Light on the polish, relative to the nail's mean.
LQ_HOT static void body_row(const struct lq_coat *coat, const struct lq_coat_row *nail,
                            const struct lq_polish_row *row)
{
    const struct lq_recipe r = coat->recipe;
    const float *restrict su = row->slope_u, *restrict sw = row->slope_w;
    const float *restrict sz = row->slope_z, *restrict slow = nail->slow;
    const float *restrict detail = nail->detail, *restrict rim = nail->rim;
    float *restrict body = row->body;
    const float sun_u = coat->sun_u, sun_w = coat->sun_w, texture = coat->texture;
    const float cuticle = 0.9f * coat->cuticle, u = row->place->u, du = row->place->du;
    const int n = row->place->count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        // A duller surface shows less of the bare nail's own highlights.
        float over = slow[i] - 1.0f, fine = (detail[i] - 1.0f) * texture;
        float light = 1.0f + over * (over > 0.0f ? r.lift : r.contrast);
        light *= 1.0f + r.volume * (sw[i] * sun_w + su[i] * sun_u + sz[i] - 0.80f);
        light *= 1.0f + fine * (fine > 0.0f ? r.lift : 1.0f);
        // The film has a rounded edge, and a shadow where it meets the skin at the base.
        float base = lq_clamp01(-1.6f * (u + du * (float)i) - 0.6f) * cuticle;
        light *= 1.0f - r.rim * (1.0f + base) * (1.0f - rim[i]);
        body[i] = light > 0.02f ? light : 0.02f;
    }
}

// The nail below the film: beyond the natural nail, a tip of the same colour.
LQ_HOT static void under_row(const float *restrict in, const float *restrict own,
                             const float *restrict slow, float bed, int n, float *restrict under)
{
    for (int i = 0; i < n; i++) {
        float tip = bed * slow[i];
        under[i] = tip + (in[i] - tip) * own[i];
    }
}

// Adds the pigment over the nail that shows through: `in`, which may be row->painted itself.
LQ_HOT static void film_row(const struct lq_coat *coat, const struct lq_coat_row *nail,
                            const struct lq_polish_row *row, const float *const in[3])
{
    const float *restrict body = row->body, *restrict rim = nail->rim;
    const float *restrict hide = row->hide, *restrict clear = row->clear;
    const float depth = coat->recipe.depth, stain = coat->stain;
    const int n = row->place->count;
    for (int k = 0; k < 3; k++) {
        const float *restrict pigment = row->pigment[k], *bare = in[k];
        float *out = row->painted[k];
        const float light = coat->light[k];
        LQ_IVDEP
        for (int i = 0; i < n; i++) {
            float deep = 1.0f - depth * (1.0f - rim[i]);
            float under = bare[i] * (1.0f - stain * (1.0f - pigment[i] * clear[i]));
            out[i] = under + (pigment[i] * light * body[i] * deep - under) * hide[i];
        }
    }
}

// 1 / the pigment's brightest channel: scales the pigment to the tint of a staining film.
LQ_HOT static void clear_row(const struct lq_polish_row *row)
{
    const float *restrict red = row->pigment[0], *restrict green = row->pigment[1];
    const float *restrict blue = row->pigment[2];
    float *restrict clear = row->clear;
    const int n = row->place->count;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float most = red[i] > green[i] ? red[i] : green[i];
        most = most > blue[i] ? most : blue[i];
        clear[i] = 1.0f / (most > 0.05f ? most : 0.05f);
    }
}

// ---- the top coat -------------------------------------------------------------------------------

// 1 inside |x| < half, falling smoothly to 0 over `soft`.
static inline float window(float x, float half, float inverse_soft)
{
    return lq_smooth01(lq_clamp01(1.0f - ((x < 0.0f ? -x : x) - half) * inverse_soft));
}

// Compresses values near white, so that a light polish keeps its shading and highlights.
static inline float shoulder(float x)
{
    float over = (x - 0.8f) * (1.0f / 0.2f);
    over = over > 0.0f ? over : 0.0f;
    return x < 0.8f ? x : 0.8f + 0.2f * over / (1.0f + over);
}

// The specular reflection, from the reflected view direction: a vertical lamp, brighter where the
// surroundings are, and the surroundings themselves. Surface detail distorts it slightly, so that
// it does not look drawn with a ruler.
LQ_HOT static void gleam_row(const struct lq_coat *coat, const struct lq_coat_row *nail,
                             const struct lq_polish_row *row)
{
    const float *restrict su = row->slope_u, *restrict sw = row->slope_w;
    const float *restrict sz = row->slope_z, *restrict detail = nail->detail;
    const float *restrict rim = nail->rim;
    float *restrict gleam = row->gleam;
    const int n = row->place->count;
    const struct lq_recipe r = coat->recipe;
    const struct lq_glimpse glimpse = coat->glimpse;
    float sun_u = coat->sun_u, sun_w = coat->sun_w, stretch = coat->stretch;
    float axis_x = coat->axis_x, axis_y = coat->axis_y;
    float bending = coat->texture * 0.2f, added = coat->added;
    float inverse_w = 1.0f / r.soft_w, inverse_u = 1.0f / r.soft_u;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float pw = 2.0f * sz[i] * sw[i], pu = 2.0f * sz[i] * su[i];
        float level = 1.0f + (lq_glimpse_read(&glimpse, pw, pu) - 1.0f) * r.mirror;
        float rw = pw - sun_w + (detail[i] - 1.0f) * bending, ru = (pu - sun_u) * stretch;
        float across = axis_x * ru - axis_y * rw, down = axis_y * ru + axis_x * rw;
        float lamp = window(across, r.half_w, inverse_w) * window(down, r.half_u, inverse_u);
        float haze = window(rw, 0.0f, 1.0f / 0.55f) * window(ru, 0.1f, 1.0f / 0.7f);
        float graze = 1.0f - sz[i];
        float sky = 1.0f + 1.2f * (sw[i] * sun_w + su[i] * sun_u);
        float back = r.strength * lamp * (0.6f + 0.4f * level) + r.haze * haze +
                     r.fresnel * graze * graze * level;
        gleam[i] = added * (back * rim[i] + SURROUNDINGS * sky * level);
    }
}

// An extended nail has a thick free edge: a thin line along its outline, lit where it faces the
// light. The natural nail's outline has none, as it lies in skin.
LQ_HOT static void edge_row(const struct lq_coat *coat, const struct lq_coat_row *nail,
                            const struct lq_polish_row *row)
{
    const float *restrict su = row->slope_u, *restrict sw = row->slope_w;
    const float *restrict rim = nail->rim;
    float *restrict gleam = row->gleam;
    const float u = row->place->u, du = row->place->du;
    const int n = row->place->count;
    float bright = coat->added * (0.06f + 0.30f * coat->recipe.strength);
    float toward_u = 2.0f * coat->sun_u, toward_w = 1.2f * coat->sun_w;
    LQ_IVDEP
    for (int i = 0; i < n; i++) {
        float free = lq_clamp01(4.0f * (u + du * (float)i) - 3.6f);
        float facing = lq_clamp01(0.55f + su[i] * toward_u + sw[i] * toward_w);
        gleam[i] += bright * free * facing * 4.0f * rim[i] * (1.0f - rim[i]);
    }
}

// Adds the top coat, and blends the result over the photo (`in`) by the nail's coverage.
LQ_HOT static void top_row(const struct lq_coat *coat, const struct lq_coat_row *nail,
                           const struct lq_polish_row *row, const float *const in[3])
{
    const float *restrict cover = nail->cover, *restrict shine = nail->shine;
    const float *restrict gleam = row->gleam, *restrict hide = row->hide;
    const float kept = coat->kept * coat->recipe.kept;
    const int n = row->place->count;
    for (int k = 0; k < 3; k++) {
        const float *restrict photo = in[k];
        float *restrict out = row->painted[k];
        const float light = coat->light[k] * coat->gleam[k];
        LQ_IVDEP
        for (int i = 0; i < n; i++) {
            float painted = shoulder(out[i] + shine[i] * kept * hide[i] + gleam[i] * light);
            out[i] = photo[i] + (painted - photo[i]) * cover[i];
        }
    }
}

// The row's coordinates on the whole extended nail, whose end is at u = 1.
static struct lq_nail_row place_on_whole(const struct lq_coat *coat,
                                         const struct lq_nail_row *place)
{
    return (struct lq_nail_row){place->u * coat->whole_u + coat->whole_u0, place->w,
                                place->du * coat->whole_u, place->dw, place->count};
}

// Divides scratch memory into the row's planes; results go to the caller's memory.
static struct lq_polish_row cut_scratch(const struct lq_nail_row *place, float *scratch,
                                        float *const painted[3])
{
    size_t n = (size_t)place->count;
    return (struct lq_polish_row){
        .place = place, .slope_u = scratch, .slope_w = scratch + n, .slope_z = scratch + 2 * n,
        .body = scratch + 3 * n, .hide = scratch + 4 * n, .seen = scratch + 5 * n,
        .clear = scratch + 6 * n, .gleam = scratch + 7 * n,
        .pigment = {scratch + 8 * n, scratch + 9 * n, scratch + 10 * n},
        .painted = {painted[0], painted[1], painted[2]},
    };
}

void lq_finish_row(const struct lq_coat *coat, const struct lq_coat_row *nail, float *scratch,
                   float *red, float *green, float *blue)
{
    float *const painted[3] = {red, green, blue};
    const float *const photo[3] = {nail->red, nail->green, nail->blue};
    const float *const under[3] = {red, green, blue}; // computed in place
    const struct lq_polish_row row = cut_scratch(&nail->place, scratch, painted);
    const struct lq_nail_row whole = place_on_whole(coat, &nail->place);
    slope_row(&whole, row.slope_u, row.slope_w, row.slope_z);
    body_row(coat, nail, &row);
    lq_layout_row(coat, &row);
    clear_row(&row);
    for (int k = 0; k < 3 && nail->own; k++)
        under_row(photo[k], nail->own, nail->slow, coat->bed[k], nail->place.count, painted[k]);
    film_row(coat, nail, &row, nail->own ? under : photo);
    lq_effect_apply(coat, &row);
    gleam_row(coat, nail, &row);
    if (nail->own)
        edge_row(coat, nail, &row);
    top_row(coat, nail, &row, photo);
}
