#include "paint/look.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    uint8_t color[3];
} COLORS[] = {
    // CSS 2.1, section 4.3.6
    {"maroon", {0x80, 0x00, 0x00}}, {"red", {0xff, 0x00, 0x00}},  {"orange", {0xff, 0xa5, 0x00}},
    {"yellow", {0xff, 0xff, 0x00}}, {"olive", {0x80, 0x80, 0x00}}, {"purple", {0x80, 0x00, 0x80}},
    {"fuchsia", {0xff, 0x00, 0xff}}, {"white", {0xff, 0xff, 0xff}}, {"lime", {0x00, 0xff, 0x00}},
    {"green", {0x00, 0x80, 0x00}},  {"navy", {0x00, 0x00, 0x80}},  {"blue", {0x00, 0x00, 0xff}},
    {"aqua", {0x00, 0xff, 0xff}},   {"teal", {0x00, 0x80, 0x80}},  {"black", {0x00, 0x00, 0x00}},
    {"silver", {0xc0, 0xc0, 0xc0}}, {"gray", {0x80, 0x80, 0x80}},
};

enum { READS_ANGLE = 1 << LQ_EFFECT_COUNT, READS_COLORS = 2 << LQ_EFFECT_COUNT };
#define READS(number) (1 << LQ_EFFECT_##number)

// Each finish's name, the numbers it uses, and their defaults.
static const struct {
    const char *name;
    int reads;
    float strength, size, density, width, offset, shift;
} FINISHES[LQ_FINISH_COUNT] = {
    [LQ_FINISH_CREME] = {"creme", 0},
    [LQ_FINISH_GLOSS] = {"gloss", 0},
    [LQ_FINISH_SHEER] = {"sheer", 0},
    [LQ_FINISH_JELLY] = {"jelly", READS(STRENGTH), .strength = 0.7f},
    [LQ_FINISH_SATIN] = {"satin", 0},
    [LQ_FINISH_MATTE] = {"matte", 0},
    [LQ_FINISH_PEARL] = {"pearl", READS(STRENGTH) | READS(SHIFT) | READS_COLORS, .strength = 0.6f,
                         .shift = 0.4f},
    [LQ_FINISH_SHIMMER] = {"shimmer", READS(STRENGTH) | READS(SIZE) | READS(DENSITY) | READS_COLORS,
                           .strength = 0.6f, .size = 0.3f, .density = 0.6f},
    [LQ_FINISH_GLITTER] = {"glitter", READS(STRENGTH) | READS(SIZE) | READS(DENSITY) | READS_COLORS,
                           .strength = 0.7f, .size = 0.5f, .density = 0.7f},
    [LQ_FINISH_METALLIC] = {"metallic", READS(STRENGTH), .strength = 0.7f},
    [LQ_FINISH_CHROME] = {"chrome", READS(STRENGTH) | READS(SHIFT) | READS_COLORS, .strength = 1.0f,
                          .shift = 0.0f},
    [LQ_FINISH_HOLOGRAPHIC] = {"holographic", READS(STRENGTH) | READS(SIZE) | READS(SHIFT),
                               .strength = 0.7f, .size = 0.3f, .shift = 0.5f},
    [LQ_FINISH_CAT_EYE] = {"cat-eye", READS(STRENGTH) | READS(WIDTH) | READS(OFFSET) |
                           READS(SHIFT) | READS_ANGLE | READS_COLORS,
                           .strength = 0.8f, .width = 0.35f, .offset = 0.5f, .shift = 0.0f},
    [LQ_FINISH_TEXTURED] = {"textured", READS(STRENGTH) | READS(SIZE), .strength = 0.6f,
                            .size = 0.4f},
};

static const char *const FRENCH_SHAPES[LQ_FRENCH_SHAPE_COUNT] = {
    [LQ_FRENCH_SMILE] = "smile", [LQ_FRENCH_STRAIGHT] = "straight",
    [LQ_FRENCH_CHEVRON] = "chevron", [LQ_FRENCH_DIAGONAL] = "diagonal",
};

static const char *const SHAPES[LQ_SHAPE_COUNT] = {
    [LQ_SHAPE_NATURAL] = "natural", [LQ_SHAPE_SQUARE] = "square", [LQ_SHAPE_SQUOVAL] = "squoval",
    [LQ_SHAPE_OVAL] = "oval", [LQ_SHAPE_ALMOND] = "almond", [LQ_SHAPE_STILETTO] = "stiletto",
    [LQ_SHAPE_COFFIN] = "coffin",
};

void lq_polish_set_finish(struct lq_polish *polish, enum lq_finish finish)
{
    polish->finish = finish;
    polish->gloss = -1.0f;
    polish->effect = (struct lq_effect){
        .number = {[LQ_EFFECT_STRENGTH] = FINISHES[finish].strength,
                   [LQ_EFFECT_SIZE] = FINISHES[finish].size,
                   [LQ_EFFECT_DENSITY] = FINISHES[finish].density,
                   [LQ_EFFECT_WIDTH] = FINISHES[finish].width,
                   [LQ_EFFECT_OFFSET] = FINISHES[finish].offset,
                   [LQ_EFFECT_SHIFT] = FINISHES[finish].shift}};
}

struct lq_look lq_look_default(void)
{
    struct lq_look look = {.polish = {.color = {0xc7, 0x15, 0x85},
                                      .opacity = 1.0f,
                                      .texture = 0.5f,
                                      .sheen = true,
                                      .coats = 1,
                                      .pattern_opacity = 1.0f}};
    lq_polish_set_finish(&look.polish, LQ_FINISH_CREME);
    return look;
}

const struct lq_polish *lq_look_polish(const struct lq_look *look, enum lq_finger finger)
{
    int i = (int)finger - LQ_FINGER_THUMB;
    return i >= 0 && i < LQ_FINGERS && (look->has_own >> i & 1) ? &look->own[i] : &look->polish;
}

// The hand's polish for i = LQ_FINGERS, else that of a finger, so that a loop can set all of them.
static struct lq_polish *polish_at(struct lq_look *look, int i)
{
    return i == LQ_FINGERS ? &look->polish : &look->own[i];
}

void lq_look_set_color(struct lq_look *look, const uint8_t color[3])
{
    for (int i = 0; i <= LQ_FINGERS; i++)
        memcpy(polish_at(look, i)->color, color, 3);
}

void lq_look_set_pattern(struct lq_look *look, const struct lq_pattern *pattern)
{
    for (int i = 0; i <= LQ_FINGERS; i++)
        polish_at(look, i)->pattern = pattern;
}

void lq_look_set_sheen(struct lq_look *look, bool sheen)
{
    for (int i = 0; i <= LQ_FINGERS; i++)
        polish_at(look, i)->sheen = sheen;
}

void lq_look_set_finish(struct lq_look *look, enum lq_finish finish)
{
    for (int i = 0; i <= LQ_FINGERS; i++)
        lq_polish_set_finish(polish_at(look, i), finish);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; // to lower case
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Three or six hexadecimal digits and nothing else.
static bool parse_hex(const char *text, uint8_t color[3])
{
    size_t len = strlen(text), digits = len == 3 ? 1 : 2;
    if (len != 3 && len != 6)
        return false;
    for (size_t k = 0; k < 3; k++) {
        int high = hex_digit(text[k * digits]), low = hex_digit(text[k * digits + digits - 1]);
        if (high < 0 || low < 0)
            return false;
        color[k] = (uint8_t)(high * 16 + low);
    }
    return true;
}

bool lq_color_parse(const char *text, uint8_t color[3])
{
    if (parse_hex(text[0] == '#' ? text + 1 : text, color))
        return true;
    for (size_t i = 0; i < LQ_COUNT(COLORS); i++)
        if (strcasecmp(text, COLORS[i].name) == 0) {
            memcpy(color, COLORS[i].color, sizeof(COLORS[i].color));
            return true;
        }
    return false;
}

int lq_look_parse_color(struct lq_look *look, const char *text, struct lq_error *err)
{
    uint8_t color[3];
    if (!text || !lq_color_parse(text, color))
        return lq_fail(err, LQ_ERR_FIELD,
                       "unknown color '%.40s': give #rrggbb, #rgb or a basic name such as red",
                       text ? text : "");
    lq_look_set_color(look, color);
    return LQ_OK;
}

int lq_look_parse_finish(struct lq_look *look, const char *text, struct lq_error *err)
{
    for (int i = 0; text && i < LQ_FINISH_COUNT; i++)
        if (strcasecmp(text, FINISHES[i].name) == 0) {
            lq_look_set_finish(look, (enum lq_finish)i);
            return LQ_OK;
        }
    char names[200] = "";
    for (int i = 0; i < LQ_FINISH_COUNT; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s",
                 i == 0 ? "" : i + 1 < LQ_FINISH_COUNT ? ", " : " or ", FINISHES[i].name);
    }
    return lq_fail(err, LQ_ERR_FIELD, "unknown finish '%.40s': give %s", text ? text : "", names);
}

int lq_look_set_texture(struct lq_look *look, double texture, struct lq_error *err)
{
    if (!(texture >= 0.0 && texture <= 1.0))
        return lq_fail(err, LQ_ERR_FIELD, "texture %g is out of range: give a number in 0..1",
                       texture);
    for (int i = 0; i <= LQ_FINGERS; i++)
        polish_at(look, i)->texture = (float)texture;
    return LQ_OK;
}

int lq_look_set_opacity(struct lq_look *look, double opacity, struct lq_error *err)
{
    if (!(opacity >= 0.0 && opacity <= 1.0))
        return lq_fail(err, LQ_ERR_FIELD, "opacity must be from 0 to 1");
    for (int i = 0; i <= LQ_FINGERS; i++)
        polish_at(look, i)->opacity = (float)opacity;
    return LQ_OK;
}

const char *lq_finish_name(enum lq_finish finish)
{
    return (unsigned)finish < LQ_FINISH_COUNT ? FINISHES[finish].name : "unknown";
}

bool lq_finish_reads(enum lq_finish finish, enum lq_effect_number number)
{
    return FINISHES[finish].reads >> number & 1;
}

bool lq_finish_reads_angle(enum lq_finish finish)
{
    return FINISHES[finish].reads & READS_ANGLE;
}

bool lq_finish_reads_colors(enum lq_finish finish)
{
    return FINISHES[finish].reads & READS_COLORS;
}

const char *lq_effect_name(enum lq_effect_number number)
{
    static const char *const names[LQ_EFFECT_COUNT] = {"strength", "size",   "density",
                                                       "width",    "offset", "shift"};
    return names[number];
}

const char *lq_french_shape_name(enum lq_french_shape shape)
{
    return FRENCH_SHAPES[shape];
}

const char *lq_shape_name(enum lq_shape_kind shape)
{
    return SHAPES[shape];
}
