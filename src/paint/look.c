#include "paint/look.h"

#include <math.h>
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

static const char *const FINISHES[LQ_FINISH_COUNT] = {
    [LQ_FINISH_CREME] = "creme",
    [LQ_FINISH_GLOSS] = "gloss",
};

struct lq_look lq_look_default(void)
{
    return (struct lq_look){.color = {0xc7, 0x15, 0x85},
                            .finish = LQ_FINISH_CREME,
                            .opacity = 1.0f,
                            .texture = 0.5f,
                            .sheen = true};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; // lower case
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

int lq_look_parse_color(struct lq_look *look, const char *text, struct lq_error *err)
{
    uint8_t color[3];
    if (text && parse_hex(text[0] == '#' ? text + 1 : text, color)) {
        memcpy(look->color, color, sizeof(color));
        return LQ_OK;
    }
    for (size_t i = 0; text && i < LQ_COUNT(COLORS); i++)
        if (strcasecmp(text, COLORS[i].name) == 0) {
            memcpy(look->color, COLORS[i].color, sizeof(COLORS[i].color));
            return LQ_OK;
        }
    return lq_fail(err, LQ_ERR_FIELD,
                   "unknown color '%.40s': give #rrggbb, #rgb or a basic name such as red",
                   text ? text : "");
}

int lq_look_parse_finish(struct lq_look *look, const char *text, struct lq_error *err)
{
    for (int i = 0; text && i < LQ_FINISH_COUNT; i++)
        if (strcasecmp(text, FINISHES[i]) == 0) {
            look->finish = (enum lq_finish)i;
            return LQ_OK;
        }
    char names[128] = "";
    size_t used = 0;
    for (int i = 0; i < LQ_FINISH_COUNT; i++) {
        const char *joint = i == 0 ? "" : i + 1 < LQ_FINISH_COUNT ? ", " : " or ";
        size_t room = sizeof(names) - used, len = strlen(joint) + strlen(FINISHES[i]);
        if (len >= room)
            break;
        memcpy(names + used, joint, strlen(joint));
        memcpy(names + used + strlen(joint), FINISHES[i], strlen(FINISHES[i]) + 1);
        used += len;
    }
    return lq_fail(err, LQ_ERR_FIELD, "unknown finish '%.40s': give %s", text ? text : "", names);
}

int lq_look_set_texture(struct lq_look *look, double texture, struct lq_error *err)
{
    if (!(texture >= 0.0 && texture <= 1.0))
        return lq_fail(err, LQ_ERR_FIELD, "texture %g is out of range: give a number in 0..1",
                       texture);
    look->texture = (float)texture;
    return LQ_OK;
}

const char *lq_finish_name(enum lq_finish finish)
{
    return (unsigned)finish < LQ_FINISH_COUNT ? FINISHES[finish] : "unknown";
}
