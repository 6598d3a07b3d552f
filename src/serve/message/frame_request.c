#include "serve/message/frame_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/parse_json.h"
#include "paint/look_json.h"
#include "base/base64.h"
#include "serve/message/form.h"
#include "serve/message/json.h"

// Copies a short text field as a C string. A text longer than any valid value is truncated, and its
// beginning is reported as the wrong value.
static void copy_text(char *out, size_t size, const char *text, size_t len)
{
    if (len > size - 1)
        len = size - 1;
    memcpy(out, text, len);
    out[len] = 0;
}

static int parse_unit(const char *name, const char *text, double *value, struct lq_error *err)
{
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end)
        return lq_fail(err, LQ_ERR_FIELD, "%s wants a number from 0 to 1, not '%.40s'", name, text);
    return LQ_OK;
}

static int set_color(struct lq_look *look, const char *text, struct lq_error *err)
{
    return lq_look_parse_color(look, text, err);
}

static int set_finish(struct lq_look *look, const char *text, struct lq_error *err)
{
    return lq_look_parse_finish(look, text, err);
}

static int set_texture(struct lq_look *look, const char *text, struct lq_error *err)
{
    double value;
    int status = parse_unit("texture", text, &value, err);
    return status == LQ_OK ? lq_look_set_texture(look, value, err) : status;
}

static int set_opacity_text(struct lq_look *look, const char *text, struct lq_error *err)
{
    double value;
    int status = parse_unit("opacity", text, &value, err);
    return status == LQ_OK ? lq_look_set_opacity(look, value, err) : status;
}

static int parse_switch(const char *name, const char *text, bool *on, struct lq_error *err)
{
    static const char *const yes[] = {"1", "true", "on", "yes"};
    static const char *const no[] = {"0", "false", "off", "no", ""};
    for (size_t i = 0; i < LQ_COUNT(yes); i++)
        if (strcasecmp(text, yes[i]) == 0) {
            *on = true;
            return LQ_OK;
        }
    for (size_t i = 0; i < LQ_COUNT(no); i++)
        if (strcasecmp(text, no[i]) == 0) {
            *on = false;
            return LQ_OK;
        }
    return lq_fail(err, LQ_ERR_FIELD, "%s wants true or false, not '%.40s'", name, text);
}

static int set_sheen(struct lq_look *look, const char *text, struct lq_error *err)
{
    bool on = false;
    int status = parse_switch("sheen", text, &on, err);
    if (status == LQ_OK)
        lq_look_set_sheen(look, on);
    return status;
}

static const struct look_field {
    const char *name;
    int (*set)(struct lq_look *look, const char *text, struct lq_error *err);
} fields[] = {
    {"color", set_color},     {"finish", set_finish},          {"texture", set_texture},
    {"sheen", set_sheen},     {"opacity", set_opacity_text},
};

enum { FORM_NAME_CHARS_MAX = 64 }; // longer than any known field's name

// Not part of the look: whether a still gets a multi-scale pass. The second name is the old name of
// the first, an alias until version 2.
static const char *const MULTISCALE[] = {"multiscale", "closer"};

// Stores a form's field as it would be in JSON, so that the same rules apply to both, and `look` is
// processed first whatever the order. Unknown names are ignored.
static int keep_field(json_t *said, const struct lq_form_field *field, struct lq_error *err)
{
    json_error_t where = {0};
    if (lq_form_field_is(field, "look")) {
        if (field->value_len > LQ_LOOK_BYTES_MAX)
            return lq_fail(err, LQ_ERR_TOO_LARGE, "look is larger than %d bytes",
                           LQ_LOOK_BYTES_MAX);
        bool object = field->value_len > 0 && field->value[0] == '{';
        json_t *look = object ? lq_json_parse(field->value, field->value_len,
                                              JSON_REJECT_DUPLICATES, &where)
                              : json_stringn(field->value, field->value_len);
        return json_object_set_new(said, "look", look) == 0
                   ? LQ_OK
                   : lq_fail(err, lq_json_ran_out(&where) ? LQ_ERR_MEMORY : LQ_ERR_SYNTAX,
                             "look is not JSON: %.120s", where.text);
    }
    for (size_t i = 0; i < LQ_COUNT(fields) + LQ_COUNT(MULTISCALE); i++) {
        const char *name = i < LQ_COUNT(fields) ? fields[i].name : MULTISCALE[i - LQ_COUNT(fields)];
        char text[64];
        if (!lq_form_field_is(field, name))
            continue;
        copy_text(text, sizeof text, field->value, field->value_len);
        if (json_object_set_new(said, name, json_string(text)) != 0)
            return lq_fail(err, LQ_ERR_FIELD, "%s is not UTF-8 text", name);
    }
    return LQ_OK;
}

// Converts a JSON value to the text that a form would contain, so that the same rules apply to
// both.
static int value_text(const struct look_field *field, const json_t *value, char *text, size_t size,
                      struct lq_error *err)
{
    if (json_is_string(value))
        copy_text(text, size, json_string_value(value), json_string_length(value));
    else if (json_is_boolean(value) && field->set == set_sheen)
        snprintf(text, size, "%s", json_is_true(value) ? "true" : "false");
    else if (json_is_number(value) && field->set != set_color && field->set != set_finish)
        snprintf(text, size, "%.17g", json_number_value(value));
    else
        return lq_fail(err, LQ_ERR_FIELD, "%s has the wrong type", field->name);
    return LQ_OK;
}

int lq_frame_request_look(struct lq_look *look, const struct lq_catalogue *catalogue,
                     const json_t *object, struct lq_error *err)
{
    struct lq_look next = *look;
    char text[64];
    const json_t *whole = json_object_get(object, "look");
    if (whole && !json_is_null(whole)) {
        int status = lq_look_read_any(&next, whole, catalogue, err);
        if (status != LQ_OK)
            return status;
    }
    for (size_t i = 0; i < LQ_COUNT(fields); i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (!value || json_is_null(value))
            continue;
        int status = value_text(&fields[i], value, text, sizeof text, err);
        if (status == LQ_OK)
            status = fields[i].set(&next, text, err);
        if (status != LQ_OK)
            return status;
    }
    *look = next;
    return LQ_OK;
}

static int read_multiscale(struct lq_frame_request *request, const json_t *object,
                           struct lq_error *err)
{
    const char *name = json_object_get(object, MULTISCALE[0]) ? MULTISCALE[0] : MULTISCALE[1];
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value))
        return parse_switch(name, json_string_value(value), &request->multi_scale, err);
    if (value && !json_is_boolean(value) && !json_is_null(value))
        return lq_fail(err, LQ_ERR_FIELD, "%s has the wrong type", name);
    request->multi_scale = json_is_true(value);
    return LQ_OK;
}

// Reads what a request for one picture may contain besides it: the look and `multiscale`.
static int read_still(struct lq_frame_request *request, const json_t *object, struct lq_error *err)
{
    int status = read_multiscale(request, object, err);
    return status == LQ_OK ? lq_frame_request_look(&request->look, request->catalogue, object,
                                                   err) : status;
}

static int missing_image(struct lq_error *err)
{
    return lq_fail(err, LQ_ERR_FIELD, "missing field 'image'");
}

// Reads a picture as text: a data URL or bare base64.
static int read_text(const char *text, size_t len, struct lq_buf *decoded,
                     struct lq_frame_picture *picture, struct lq_error *err)
{
    struct lq_data_url url;
    int status = lq_data_url_parse(text, len, &url, err);
    if (status == LQ_OK && url.base64_len == 0)
        return missing_image(err);
    if (status == LQ_OK)
        status = lq_base64_decode(url.base64, url.base64_len, decoded, err);
    if (status == LQ_OK && decoded->len == 0)
        return missing_image(err);
    if (status != LQ_OK)
        return status;
    picture->bytes = decoded->data;
    picture->len = decoded->len;
    picture->text = true;
    picture->url = url.is_url;
    return LQ_OK;
}

// Length of a UTF-8 byte order mark, with which some clients begin their text; else 0.
static size_t byte_order_mark(const struct lq_buf *body)
{
    return body->len >= 3 && memcmp(body->data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static int read_json(struct lq_frame_slot *slot, struct lq_buf *decoded,
                     struct lq_frame_picture *picture, struct lq_error *err)
{
    json_t *root;
    size_t mark = byte_order_mark(&slot->body);
    int status = lq_json_read(&root, mark ? slot->body.data + mark : slot->body.data,
                              slot->body.len - mark, err);
    if (status != LQ_OK) {
        lq_fail_within(err, "body");
        return status;
    }
    const json_t *image = json_object_get(root, "image");
    if (!json_is_object(root))
        status = lq_fail(err, LQ_ERR_SYNTAX, "body is not a JSON object");
    else if (!image || json_is_null(image))
        status = missing_image(err);
    else if (!json_is_string(image))
        status = lq_fail(err, LQ_ERR_FIELD, "image must be a string");
    else
        status = read_still(&slot->request, root, err);
    if (status == LQ_OK)
        status = read_text(json_string_value(image), json_string_length(image), decoded, picture,
                           err);
    json_decref(root);
    return status;
}

static int read_form(struct lq_frame_slot *slot, struct lq_buf *decoded,
                     struct lq_frame_picture *picture, struct lq_error *err)
{
    struct lq_web_form form;
    struct lq_form_field field, image = {0};
    int status = LQ_OK, parts = 0;
    if (slot->request.body_form == LQ_BODY_MULTIPART)
        status = lq_form_init_multipart(&form, slot->body.data, slot->body.len,
                                        slot->request.boundary, err);
    else
        lq_form_init_urlencoded(&form, slot->body.data, slot->body.len);
    json_t *said = json_object();
    while (status == LQ_OK && (status = lq_form_next(&form, &field, err)) == 1) {
        if (lq_form_field_is(&field, "image"))
            image = field;
        status = ++parts <= LQ_FORM_PARTS_MAX
                     ? keep_field(said, &field, err)
                     : lq_fail(err, LQ_ERR_TOO_LARGE, "form has more than %d parts",
                               LQ_FORM_PARTS_MAX);
    }
    if (status == LQ_OK)
        status = read_still(&slot->request, said, err);
    json_decref(said);
    if (status != LQ_OK)
        return status;
    if (image.value_len == 0)
        return missing_image(err);
    picture->bytes = (const uint8_t *)image.value;
    picture->len = image.value_len;
    if (lq_picture_sniff(picture->bytes, picture->len) != LQ_PICTURE_UNKNOWN)
        return LQ_OK;
    if (slot->request.body_form == LQ_BODY_URLENCODED ||
        (image.value_len > 5 && strncasecmp(image.value, "data:", 5) == 0))
        return read_text(image.value, image.value_len, decoded, picture, err);
    // A part may also contain text. If it is neither, the decoder reports that.
    struct lq_frame_picture text = *picture;
    if (read_text(image.value, image.value_len, decoded, &text, NULL) == LQ_OK &&
        lq_picture_sniff(text.bytes, text.len) != LQ_PICTURE_UNKNOWN)
        *picture = text;
    return LQ_OK;
}

// Offset of a text body's first word.
static size_t first_word(const struct lq_buf *body)
{
    size_t at = byte_order_mark(body);
    while (at < body->len && body->data[at] && strchr(" \t\r\n", body->data[at]))
        at++;
    return at;
}

// curl -d and $.post declare everything that they send as a form, even JSON.
static bool is_json_after_all(const struct lq_buf *body)
{
    size_t at = first_word(body);
    return at < body->len && body->data[at] == '{';
}

// Reads a body whose declared type says little: pages send JSON as text/plain to avoid a preflight.
static int read_any_text(struct lq_frame_slot *slot, struct lq_buf *decoded,
                         struct lq_frame_picture *picture, struct lq_error *err)
{
    const struct lq_buf *body = &slot->body;
    size_t at = first_word(body), left = body->len - at;
    if (left == 0)
        return missing_image(err);
    const char *text = (const char *)body->data + at;
    if (*text == '{')
        return read_json(slot, decoded, picture, err);
    if (left > 5 && strncasecmp(text, "data:", 5) == 0)
        return read_text(text, left, decoded, picture, err);
    slot->request.body_form = LQ_BODY_URLENCODED;
    if (memchr(text, '=', left < FORM_NAME_CHARS_MAX ? left : FORM_NAME_CHARS_MAX))
        return read_form(slot, decoded, picture, err);
    return lq_fail(err, LQ_ERR_FORMAT, "body is neither JSON nor a form nor a data URL: set its "
                                       "Content-Type");
}

static int read_attachment(struct lq_frame_slot *slot, struct lq_buf *decoded,
                           struct lq_frame_picture *picture, struct lq_error *err)
{
    picture->bytes = slot->attachment.data;
    picture->len = slot->attachment.len;
    if (!slot->request.attachment_base64)
        return LQ_OK;
    int status = lq_base64_decode((const char *)slot->attachment.data, slot->attachment.len,
                                  decoded, err);
    picture->bytes = decoded->data;
    picture->len = decoded->len;
    return status;
}

static int read_event_argument(struct lq_frame_slot *slot, const json_t *argument,
                               struct lq_buf *decoded, struct lq_frame_picture *picture,
                               struct lq_error *err)
{
    const json_t *image = argument;
    picture->bare = !json_is_object(argument) || json_object_get(argument, "_placeholder");
    if (!picture->bare) {
        image = json_object_get(argument, "image");
        json_t *id = json_object_get(argument, "id");
        if (json_is_number(id) || json_is_string(id))
            picture->id = json_incref(id);
        int status = lq_frame_request_look(&slot->request.look, slot->request.catalogue, argument,
                                           err);
        if (status != LQ_OK)
            return status;
    }
    if (!image || json_is_null(image))
        return missing_image(err);
    if (json_is_string(image))
        return read_text(json_string_value(image), json_string_length(image), decoded, picture,
                         err);
    if (json_is_true(json_object_get(image, "_placeholder")) && slot->request.has_attachment)
        return read_attachment(slot, decoded, picture, err);
    return lq_fail(err, LQ_ERR_FIELD, "image must be binary, a data URL or base64");
}

// The body contains the event's JSON array from picture_at on: ["frame", argument].
static int read_event(struct lq_frame_slot *slot, struct lq_buf *decoded,
                      struct lq_frame_picture *picture, struct lq_error *err)
{
    json_t *root;
    if (slot->body.len <= slot->request.picture_at)
        return lq_fail(err, LQ_ERR_SYNTAX, "event is empty");
    int status = lq_json_read(&root, slot->body.data + slot->request.picture_at,
                              slot->body.len - slot->request.picture_at, err);
    if (status != LQ_OK) {
        lq_fail_within(err, "event");
        return status;
    }
    if (json_is_array(root))
        status = read_event_argument(slot, json_array_get(root, 1), decoded, picture, err);
    else
        status = lq_fail(err, LQ_ERR_SYNTAX, "event is not a JSON array");
    json_decref(root);
    return status;
}

void lq_frame_picture_release(struct lq_frame_picture *picture)
{
    json_decref(picture->id);
    picture->id = NULL;
}

int lq_frame_request_read(struct lq_frame_slot *slot, struct lq_buf *decoded,
                          struct lq_frame_picture *picture, struct lq_error *err)
{
    *picture = (struct lq_frame_picture){0};
    lq_buf_clear(decoded);
    switch (slot->request.body_form) {
    case LQ_BODY_JSON:
        return read_json(slot, decoded, picture, err);
    case LQ_BODY_URLENCODED:
        if (is_json_after_all(&slot->body))
            return read_json(slot, decoded, picture, err);
        return read_form(slot, decoded, picture, err);
    case LQ_BODY_MULTIPART:
        return read_form(slot, decoded, picture, err);
    case LQ_BODY_TEXT:
        return read_any_text(slot, decoded, picture, err);
    case LQ_BODY_EVENT:
        return read_event(slot, decoded, picture, err);
    case LQ_BODY_PICTURE:
        break;
    }
    if (slot->body.len <= slot->request.picture_at)
        return lq_fail(err, LQ_ERR_FORMAT, "picture is empty");
    picture->bytes = slot->body.data + slot->request.picture_at;
    picture->len = slot->body.len - slot->request.picture_at;
    return LQ_OK;
}
