// Writes looks as JSON.
#include "paint/look_json.h"

#include <stdio.h>

static json_t *color_json(const uint8_t color[3])
{
    char text[8];
    snprintf(text, sizeof text, "#%02x%02x%02x", color[0], color[1], color[2]);
    return json_string(text);
}

// Prints a number as people wrote it: 0.3, not 0.30000001192092896.
static json_t *number_json(float number)
{
    char text[24];
    snprintf(text, sizeof text, "%.6g", (double)number);
    double value;
    return sscanf(text, "%lf", &value) == 1 ? json_real(value) : NULL;
}

static json_t *finish_json(const struct lq_polish *polish)
{
    json_t *object = json_pack("{s:s}", "name", lq_finish_name(polish->finish));
    for (int i = 0; i < LQ_EFFECT_COUNT; i++)
        if (lq_finish_reads(polish->finish, (enum lq_effect_number)i))
            json_object_set_new(object, lq_effect_name((enum lq_effect_number)i),
                                number_json(polish->effect.number[i]));
    if (lq_finish_reads_angle(polish->finish))
        json_object_set_new(object, "angle", number_json(polish->effect.angle));
    if (polish->effect.color_count > 0) {
        json_t *colors = json_array();
        for (int i = 0; i < polish->effect.color_count; i++)
            json_array_append_new(colors, color_json(polish->effect.colors[i]));
        json_object_set_new(object, "colors", colors);
    }
    return object;
}

static json_t *pattern_json(const struct lq_polish *polish)
{
    json_t *object = json_pack("{s:s, s:o}", "image", polish->pattern->name, "opacity",
                               number_json(polish->pattern_opacity));
    if (object && polish->pattern_dyed)
        json_object_set_new(object, "color", color_json(polish->pattern_color));
    return object;
}

static json_t *polish_json(const struct lq_polish *polish)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:i}", "color", color_json(polish->color), "finish",
        finish_json(polish), "opacity", number_json(polish->opacity), "texture",
        number_json(polish->texture), "sheen", (int)polish->sheen, "coats", polish->coats);
    if (polish->gloss >= 0.0f)
        json_object_set_new(object, "gloss", number_json(polish->gloss));
    if (polish->ombre.on)
        json_object_set_new(object, "ombre",
                            json_pack("{s:o, s:o, s:o}", "color", color_json(polish->ombre.color),
                                      "from", number_json(polish->ombre.from), "to",
                                      number_json(polish->ombre.to)));
    if (polish->french.on)
        json_object_set_new(object, "french",
                            json_pack("{s:o, s:o, s:o, s:s}", "color",
                                      color_json(polish->french.color), "width",
                                      number_json(polish->french.width), "curve",
                                      number_json(polish->french.curve), "shape",
                                      lq_french_shape_name(polish->french.shape)));
    if (polish->pattern)
        json_object_set_new(object, "pattern", pattern_json(polish));
    return object;
}

json_t *lq_look_write(const struct lq_look *look)
{
    json_t *object = polish_json(&look->polish), *fingers = json_object();
    if (look->extension.shape != LQ_SHAPE_NATURAL)
        json_object_set_new(object, "shape",
                            json_pack("{s:s, s:o}", "kind", lq_shape_name(look->extension.shape),
                                      "length", number_json(look->extension.length)));
    for (int i = 0; i < LQ_FINGERS; i++)
        if (look->has_own >> i & 1)
            json_object_set_new(fingers, lq_finger_name((enum lq_finger)(LQ_FINGER_THUMB + i)),
                                polish_json(&look->own[i]));
    if (json_object_size(fingers) > 0)
        json_object_set(object, "fingers", fingers);
    json_decref(fingers);
    return object;
}
