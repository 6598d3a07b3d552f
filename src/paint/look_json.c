// Reads looks from JSON: checks kind and range of each value before changing the look.
#include "paint/look_json.h"

#include <stdio.h>
#include <string.h>

// `path`: the current place in the document, for errors; it is short because the schema is shallow.
struct reader {
    const struct lq_catalogue *catalogue;
    struct lq_error *err;
    char path[96];
};

static int wrong(const struct reader *reader, const char *key, const char *wanted)
{
    return lq_fail(reader->err, LQ_ERR_FIELD, "look: %s%.40s must be %s", reader->path, key,
                   wanted);
}

// Enters a key; returns what leave() needs to go back.
static size_t enter(struct reader *reader, const char *key)
{
    size_t before = strlen(reader->path);
    snprintf(reader->path + before, sizeof reader->path - before, "%.24s.", key);
    return before;
}

static void leave(struct reader *reader, size_t before)
{
    reader->path[before] = 0;
}

// ---- values of one kind: *out is unchanged if the key is missing --------------------------------

static int read_range(const struct reader *reader, const json_t *object, const char *key,
                      double least, double most, float *out)
{
    const json_t *value = json_object_get(object, key);
    char wanted[64];
    if (!value)
        return LQ_OK;
    double number = json_number_value(value);
    snprintf(wanted, sizeof wanted, "a number from %g to %g", least, most);
    if (!json_is_number(value) || !(number >= least && number <= most))
        return wrong(reader, key, wanted);
    *out = (float)number;
    return LQ_OK;
}

static int read_unit(const struct reader *reader, const json_t *object, const char *key,
                     float *out)
{
    return read_range(reader, object, key, 0.0, 1.0, out);
}

static int read_bool(const struct reader *reader, const json_t *object, const char *key, bool *out)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return LQ_OK;
    if (!json_is_boolean(value))
        return wrong(reader, key, "true or false");
    *out = json_is_true(value);
    return LQ_OK;
}

static int color_of(const struct reader *reader, const char *key, const json_t *value,
                    uint8_t color[3])
{
    const char *text = json_string_value(value);
    const struct lq_shade_name *shade =
        text && reader->catalogue ? lq_catalogue_shade(reader->catalogue, text) : NULL;
    if (shade)
        memcpy(color, shade->color, 3);
    else if (!text || !lq_color_parse(text, color))
        return wrong(reader, key, "a colour: #rrggbb or the name of a shade");
    return LQ_OK;
}

static int read_color(const struct reader *reader, const json_t *object, const char *key,
                      uint8_t color[3])
{
    const json_t *value = json_object_get(object, key);
    return value ? color_of(reader, key, value, color) : LQ_OK;
}

// Reads one of `count` words; *out becomes its index.
static int read_word(const struct reader *reader, const json_t *object, const char *key,
                     const char *(*name)(int), int count, int *out)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    if (!value)
        return LQ_OK;
    for (int i = 0; text && i < count; i++)
        if (strcmp(text, name(i)) == 0) {
            *out = i;
            return LQ_OK;
        }
    char wanted[200] = "one of";
    for (int i = 0; i < count; i++) {
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof wanted - used, "%s %s", i ? "," : "", name(i));
    }
    return wrong(reader, key, wanted);
}

static const char *finish_name(int i)
{
    return lq_finish_name((enum lq_finish)i);
}

static const char *french_shape_name(int i)
{
    return lq_french_shape_name((enum lq_french_shape)i);
}

static const char *shape_name(int i)
{
    return lq_shape_name((enum lq_shape_kind)i);
}

// Every key must be in `known`, which ends with NULL.
static int check_keys(const struct reader *reader, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        int i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return lq_fail(reader->err, LQ_ERR_FIELD, "look: %s%.40s is not a known key",
                           reader->path, key);
    }
    return LQ_OK;
}

// ---- the parts of a polish ----------------------------------------------------------------------

static int read_effect_numbers(struct reader *reader, const json_t *object,
                               struct lq_polish *polish)
{
    for (int i = 0; i < LQ_EFFECT_COUNT; i++) {
        const char *name = lq_effect_name((enum lq_effect_number)i);
        if (!json_object_get(object, name))
            continue;
        if (!lq_finish_reads(polish->finish, (enum lq_effect_number)i))
            return lq_fail(reader->err, LQ_ERR_FIELD, "look: %s%s is not a parameter of %s",
                           reader->path, name, lq_finish_name(polish->finish));
        int status = read_unit(reader, object, name, &polish->effect.number[i]);
        if (status != LQ_OK)
            return status;
    }
    if (!json_object_get(object, "angle"))
        return LQ_OK;
    if (!lq_finish_reads_angle(polish->finish))
        return lq_fail(reader->err, LQ_ERR_FIELD, "look: %sangle is not a parameter of %s",
                       reader->path, lq_finish_name(polish->finish));
    return read_range(reader, object, "angle", -90.0, 90.0, &polish->effect.angle);
}

static int read_effect_colors(struct reader *reader, const json_t *object,
                              struct lq_polish *polish)
{
    const json_t *list = json_object_get(object, "colors");
    if (!list)
        return LQ_OK;
    if (!lq_finish_reads_colors(polish->finish))
        return lq_fail(reader->err, LQ_ERR_FIELD, "look: %scolors are not used by %s",
                       reader->path, lq_finish_name(polish->finish));
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > LQ_EFFECT_COLORS_MAX)
        return wrong(reader, "colors", "an array of at most 4 colours");
    for (size_t i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "colors[%d]", (int)i);
        int status = color_of(reader, key, json_array_get(list, i), polish->effect.colors[i]);
        if (status != LQ_OK)
            return status;
    }
    polish->effect.color_count = (int)count;
    return LQ_OK;
}

// A finish's name, or an object with its name and numbers.
static int read_finish(struct reader *reader, const json_t *polish_object,
                       struct lq_polish *polish)
{
    static const char *const known[] = {"name", "strength", "size", "density", "width", "offset",
                                        "shift", "angle", "colors", NULL};
    const json_t *value = json_object_get(polish_object, "finish");
    int finish = (int)polish->finish;
    if (!value)
        return LQ_OK;
    if (!json_is_object(value)) {
        int status = read_word(reader, polish_object, "finish", finish_name, LQ_FINISH_COUNT,
                               &finish);
        if (status == LQ_OK)
            lq_polish_set_finish(polish, (enum lq_finish)finish);
        return status;
    }
    size_t before = enter(reader, "finish");
    int status = check_keys(reader, value, known);
    if (status == LQ_OK && !json_object_get(value, "name"))
        status = wrong(reader, "name", "there");
    if (status == LQ_OK)
        status = read_word(reader, value, "name", finish_name, LQ_FINISH_COUNT, &finish);
    if (status == LQ_OK) {
        lq_polish_set_finish(polish, (enum lq_finish)finish);
        status = read_effect_numbers(reader, value, polish);
    }
    if (status == LQ_OK)
        status = read_effect_colors(reader, value, polish);
    leave(reader, before);
    return status;
}

// Enters the object under `key`. Returns 1 if it exists, 0 if it is missing or null (a finger drops
// what the hand has), else an error.
static int open_part(struct reader *reader, const json_t *object, const char *key,
                     const char *const *known, const json_t **part, size_t *before)
{
    *part = json_object_get(object, key);
    if (!*part || json_is_null(*part))
        return 0;
    if (!json_is_object(*part))
        return wrong(reader, key, "an object");
    *before = enter(reader, key);
    int status = check_keys(reader, *part, known);
    return status == LQ_OK ? 1 : status;
}

static int read_ombre(struct reader *reader, const json_t *object, struct lq_polish *polish)
{
    static const char *const known[] = {"color", "from", "to", NULL};
    const json_t *part;
    size_t before;
    int status = open_part(reader, object, "ombre", known, &part, &before);
    if (json_is_null(part))
        polish->ombre.on = false;
    if (status <= 0)
        return status;
    struct lq_ombre ombre = {.on = true, .from = 0.2f, .to = 0.9f};
    if (!json_object_get(part, "color"))
        return wrong(reader, "color", "there");
    status = read_color(reader, part, "color", ombre.color);
    if (status == LQ_OK)
        status = read_unit(reader, part, "from", &ombre.from);
    if (status == LQ_OK)
        status = read_unit(reader, part, "to", &ombre.to);
    if (status == LQ_OK && !(ombre.to > ombre.from))
        status = wrong(reader, "to", "more than from");
    polish->ombre = ombre;
    leave(reader, before);
    return status;
}

static int read_french(struct reader *reader, const json_t *object, struct lq_polish *polish)
{
    static const char *const known[] = {"color", "width", "curve", "shape", NULL};
    const json_t *part;
    size_t before;
    int shape = LQ_FRENCH_SMILE;
    int status = open_part(reader, object, "french", known, &part, &before);
    if (json_is_null(part))
        polish->french.on = false;
    if (status <= 0)
        return status;
    struct lq_french french = {.on = true, .color = {0xfb, 0xf8, 0xf2}, .width = 0.25f,
                               .curve = 0.5f};
    status = read_color(reader, part, "color", french.color);
    if (status == LQ_OK)
        status = read_unit(reader, part, "width", &french.width);
    if (status == LQ_OK)
        status = read_unit(reader, part, "curve", &french.curve);
    if (status == LQ_OK)
        status = read_word(reader, part, "shape", french_shape_name, LQ_FRENCH_SHAPE_COUNT, &shape);
    french.shape = (enum lq_french_shape)shape;
    polish->french = french;
    leave(reader, before);
    return status;
}

// A pattern's name, or an object with its name, opacity and colour.
static int read_pattern(struct reader *reader, const json_t *object, struct lq_polish *polish)
{
    static const char *const known[] = {"image", "opacity", "color", NULL};
    const json_t *value = json_object_get(object, "pattern");
    polish->pattern = json_is_null(value) ? NULL : polish->pattern;
    if (!value || json_is_null(value))
        return LQ_OK;
    polish->pattern_dyed = json_object_get(value, "color") != NULL;
    size_t before = strlen(reader->path);
    const json_t *name = value;
    int status = LQ_OK;
    if (json_is_object(value)) {
        enter(reader, "pattern");
        status = check_keys(reader, value, known);
        if (status == LQ_OK)
            status = read_unit(reader, value, "opacity", &polish->pattern_opacity);
        if (status == LQ_OK && polish->pattern_dyed)
            status = read_color(reader, value, "color", polish->pattern_color);
        name = json_object_get(value, "image");
    }
    const char *text = json_string_value(name);
    polish->pattern =
        text && reader->catalogue ? lq_catalogue_pattern(reader->catalogue, text) : NULL;
    if (status == LQ_OK && !polish->pattern)
        status = wrong(reader, json_is_object(value) ? "image" : "pattern",
                       "the name of a pattern in the catalogue");
    leave(reader, before);
    return status;
}

#define POLISH_KEYS "color", "finish", "opacity", "texture", "sheen", "coats", "gloss", "ombre", \
                    "french", "pattern"

// null resets the gloss to the finish's default, whatever the hand has.
static int read_gloss(const struct reader *reader, const json_t *object, struct lq_polish *polish)
{
    if (json_is_null(json_object_get(object, "gloss"))) {
        polish->gloss = -1.0f;
        return LQ_OK;
    }
    return read_unit(reader, object, "gloss", &polish->gloss);
}

static int read_polish(struct reader *reader, const json_t *object, struct lq_polish *polish)
{
    const json_t *coats = json_object_get(object, "coats");
    int status = read_color(reader, object, "color", polish->color);
    if (status == LQ_OK)
        status = read_finish(reader, object, polish);
    if (status == LQ_OK)
        status = read_unit(reader, object, "opacity", &polish->opacity);
    if (status == LQ_OK)
        status = read_unit(reader, object, "texture", &polish->texture);
    if (status == LQ_OK)
        status = read_gloss(reader, object, polish);
    if (status == LQ_OK)
        status = read_bool(reader, object, "sheen", &polish->sheen);
    if (status == LQ_OK && coats) {
        json_int_t number = json_integer_value(coats);
        if (!json_is_integer(coats) || number < 1 || number > LQ_COATS_MAX)
            return wrong(reader, "coats", "a whole number from 1 to 4");
        polish->coats = (int)number;
    }
    if (status == LQ_OK)
        status = read_ombre(reader, object, polish);
    if (status == LQ_OK)
        status = read_french(reader, object, polish);
    return status == LQ_OK ? read_pattern(reader, object, polish) : status;
}

// ---- the look -----------------------------------------------------------------------------------

static int read_shape(struct reader *reader, const json_t *object, struct lq_look *look)
{
    static const char *const known[] = {"kind", "length", NULL};
    const json_t *part;
    size_t before;
    int shape = LQ_SHAPE_NATURAL;
    int status = open_part(reader, object, "shape", known, &part, &before);
    if (status <= 0)
        return status;
    look->extension.length = 0.4f;
    status = read_word(reader, part, "kind", shape_name, LQ_SHAPE_COUNT, &shape);
    if (status == LQ_OK)
        status = read_unit(reader, part, "length", &look->extension.length);
    look->extension.shape = (enum lq_shape_kind)shape;
    leave(reader, before);
    return status;
}

static int read_fingers(struct reader *reader, const json_t *object, struct lq_look *look)
{
    static const char *const fingers[] = {"thumb", "index", "middle", "ring", "little", NULL};
    static const char *const known[] = {POLISH_KEYS, NULL};
    const json_t *part;
    size_t before = 0;
    int status = open_part(reader, object, "fingers", fingers, &part, &before);
    if (status <= 0)
        return status;
    status = LQ_OK;
    for (int i = 0; status == LQ_OK && i < LQ_FINGERS; i++) {
        const json_t *finger;
        size_t inner;
        status = open_part(reader, part, fingers[i], known, &finger, &inner);
        if (status <= 0)
            continue;
        look->own[i] = look->polish;
        look->has_own |= (uint8_t)(1u << i);
        status = read_polish(reader, finger, &look->own[i]);
        leave(reader, inner);
    }
    leave(reader, before);
    return status;
}

int lq_look_read(struct lq_look *look, const json_t *object, const struct lq_catalogue *catalogue,
                 struct lq_error *err)
{
    static const char *const known[] = {"title", POLISH_KEYS, "shape", "fingers", NULL};
    struct reader reader = {catalogue, err, ""};
    struct lq_look next = lq_look_default();
    if (!json_is_object(object))
        return lq_fail(err, LQ_ERR_FIELD, "look: it must be an object or the name of a look");
    const json_t *title = json_object_get(object, "title");
    int status = check_keys(&reader, object, known);
    if (status == LQ_OK && title &&
        (!json_is_string(title) || json_string_length(title) >= LQ_LOOK_NAME_MAX))
        status = wrong(&reader, "title", "a text of at most 47 bytes");
    if (status == LQ_OK)
        status = read_polish(&reader, object, &next.polish);
    if (status == LQ_OK)
        status = read_shape(&reader, object, &next);
    if (status == LQ_OK)
        status = read_fingers(&reader, object, &next);
    if (status == LQ_OK)
        *look = next;
    return status;
}

int lq_look_read_any(struct lq_look *look, const json_t *value,
                     const struct lq_catalogue *catalogue, struct lq_error *err)
{
    const char *name = json_string_value(value);
    if (!name)
        return lq_look_read(look, value, catalogue, err);
    const struct lq_named_look *found = catalogue ? lq_catalogue_look(catalogue, name) : NULL;
    if (!found)
        return lq_fail(err, LQ_ERR_FIELD, "unknown look '%.40s': `lacquer looks` lists them", name);
    *look = found->look;
    return LQ_OK;
}
