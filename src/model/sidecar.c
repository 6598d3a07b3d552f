#include "model/sidecar.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse_json.h"

enum { CLASS_MAX = 63, SIDE_MAX = 4096 };

struct reader {
    struct lq_sidecar *out;
    const char *path;
    struct lq_error *err;
};

static int wrong(const struct reader *reader, const char *key, const char *wanted)
{
    return lq_fail(reader->err, LQ_ERR_MODEL, "bad sidecar '%.120s': \"%s\" must be %s",
                   reader->path, key, wanted);
}

// ---- one reader for each kind of value

static int read_number(const struct reader *reader, const char *key, const json_t *value,
                       double low, double high, float *out)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a number from %g to %g", low, high);
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= low && number <= high))
        return wrong(reader, key, wanted);
    *out = (float)number;
    return LQ_OK;
}

static int read_three(const struct reader *reader, const char *key, const json_t *value,
                      double low, float *out)
{
    if (!json_is_array(value) || json_array_size(value) != 3)
        return wrong(reader, key, "three numbers");
    for (size_t i = 0; i < 3; i++) {
        int status = read_number(reader, key, json_array_get(value, i), low, 1e6, &out[i]);
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}

// One of two words: *out becomes 1 or 2.
static int read_word(const struct reader *reader, const char *key, const json_t *value,
                     const char *one, const char *two, int *out)
{
    const char *text = json_string_value(value);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"%s\" or \"%s\"", one, two);
    if (!text || (strcmp(text, one) != 0 && strcmp(text, two) != 0))
        return wrong(reader, key, wanted);
    *out = strcmp(text, one) == 0 ? 1 : 2;
    return LQ_OK;
}

// ---- one function for each key

#define KEY(key)                                                                                  \
    static int key_##key(const struct reader *reader, const char *name, const json_t *value)

KEY(name)
{
    const char *text = json_string_value(value);
    if (!text || !*text || strlen(text) >= LQ_MODEL_NAME_MAX)
        return wrong(reader, name, "a text of 1 to 63 bytes");
    strcpy(reader->out->name, text);
    return LQ_OK;
}

KEY(head)
{
    const char *text = json_string_value(value);
    char wanted[80] = "";
    for (int head = LQ_HEAD_ANY + 1; head < LQ_HEAD_COUNT; head++) {
        const char *word = lq_head_name((enum lq_head)head);
        size_t len = strlen(wanted);
        if (text && strcmp(text, word) == 0) {
            reader->out->head = (enum lq_head)head;
            return LQ_OK;
        }
        snprintf(wanted + len, sizeof wanted - len, "%s\"%s\"",
                 len == 0 ? "" : head + 1 < LQ_HEAD_COUNT ? ", " : " or ", word);
    }
    return wrong(reader, name, wanted);
}

KEY(layout)
{
    int word = 0, status = read_word(reader, name, value, "nchw", "nhwc", &word);
    reader->out->layout = (enum lq_sidecar_layout)word;
    return status;
}

KEY(resize)
{
    int word = 0, status = read_word(reader, name, value, "stretch", "letterbox", &word);
    reader->out->resize = (enum lq_sidecar_resize)word;
    return status;
}

KEY(output)
{
    int word = 0, status = read_word(reader, name, value, "probability", "logits", &word);
    reader->out->values = (enum lq_values)word;
    return status;
}

KEY(boxes)
{
    int word = 0, status = read_word(reader, name, value, "pixels", "unit", &word);
    reader->out->boxes = (enum lq_boxes)word;
    return status;
}

KEY(sizes)
{
    static const char wanted[] = "1 to 4 pairs [width, height], each 32 to 4096";
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count < 1 || count > LQ_MODEL_SIZES_MAX)
        return wrong(reader, name, wanted);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(value, i);
        const json_t *width = json_array_get(pair, 0), *height = json_array_get(pair, 1);
        json_int_t w = json_integer_value(width), h = json_integer_value(height);
        if (json_array_size(pair) != 2 || w < 32 || w > SIDE_MAX || h < 32 || h > SIDE_MAX)
            return wrong(reader, name, wanted);
        reader->out->sizes[i].width = (int)w;
        reader->out->sizes[i].height = (int)h;
    }
    reader->out->size_count = (int)count;
    return LQ_OK;
}

KEY(classes)
{
    static const char wanted[] = "an array of class numbers from 0 to 63";
    if (!json_is_array(value) || json_array_size(value) < 1)
        return wrong(reader, name, wanted);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        json_int_t class = json_integer_value(item);
        if (!json_is_integer(item) || class < 0 || class > CLASS_MAX)
            return wrong(reader, name, wanted);
        reader->out->class_mask |= (uint64_t)1 << class;
    }
    return LQ_OK;
}

KEY(nail_channel)
{
    json_int_t channel = json_integer_value(value);
    if (!json_is_integer(value) || channel < 0 || channel > 1)
        return wrong(reader, name, "0 or 1");
    reader->out->nail_channel = (int)channel;
    return LQ_OK;
}

KEY(bf16_checked)
{
    if (!json_is_boolean(value))
        return wrong(reader, name, "true or false");
    reader->out->bf16_checked = json_is_true(value);
    return LQ_OK;
}

// A plain file name: the file must be in the same folder.
KEY(float_model)
{
    const char *text = json_string_value(value);
    if (!text || !*text || strlen(text) >= LQ_FLOAT_MODEL_MAX || strchr(text, '/'))
        return wrong(reader, name, "the name of a file in the same folder, of 1 to 127 bytes");
    strcpy(reader->out->float_model, text);
    return LQ_OK;
}

KEY(pad)
{
    return read_number(reader, name, value, 0, 1, &reader->out->pad);
}

KEY(mean)
{
    reader->out->normalised = true;
    return read_three(reader, name, value, -1e6, reader->out->mean);
}

KEY(std)
{
    reader->out->normalised = true;
    return read_three(reader, name, value, 1e-6, reader->out->std);
}

KEY(input_scale)
{
    return read_number(reader, name, value, 1e-9, 1e6, &reader->out->input.scale);
}

KEY(input_zero)
{
    json_int_t zero = json_integer_value(value);
    if (!json_is_integer(value) || zero < -128 || zero > 255)
        return wrong(reader, name, "a whole number from -128 to 255");
    reader->out->input.zero = (int)zero;
    return LQ_OK;
}

KEY(score)
{
    return read_number(reader, name, value, 0.001, 1, &reader->out->score);
}

KEY(nms_iou)
{
    return read_number(reader, name, value, 0.001, 1, &reader->out->nms_iou);
}

KEY(threshold)
{
    return read_number(reader, name, value, 0.001, 1, &reader->out->threshold);
}

// A text for people: any string is valid.
KEY(text)
{
    (void)reader, (void)name, (void)value;
    return LQ_OK;
}

static const struct {
    const char *key;
    int (*read)(const struct reader *reader, const char *key, const json_t *value);
} keys[] = {
    {"name", key_name},           {"head", key_head},
    {"layout", key_layout},       {"resize", key_resize},
    {"output", key_output},       {"boxes", key_boxes},
    {"sizes", key_sizes},         {"classes", key_classes},
    {"nail_channel", key_nail_channel}, {"bf16_checked", key_bf16_checked},
    {"pad", key_pad},             {"mean", key_mean},
    {"std", key_std},             {"score", key_score},
    {"nms_iou", key_nms_iou},     {"threshold", key_threshold},
    {"input_scale", key_input_scale}, {"input_zero", key_input_zero},
    {"float_model", key_float_model},
    {"licence", key_text},        {"attribution", key_text},
    {"source", key_text},         {"notes", key_text},
};

static int read_keys(const struct reader *reader, json_t *root)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        size_t i = 0;
        while (i < LQ_COUNT(keys) && strcmp(keys[i].key, key) != 0)
            i++;
        // A key of a later version must not be an error, but a typing error should be reported.
        if (i == LQ_COUNT(keys)) {
            lq_log_warn("sidecar '%s': unknown key \"%.40s\" is ignored", reader->path, key);
            continue;
        }
        int status = keys[i].read(reader, key, value);
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}

int lq_sidecar_parse(struct lq_sidecar *sidecar, const char *name, const struct lq_buf *file,
                     struct lq_error *err)
{
    const struct reader reader = {sidecar, name, err};
    json_error_t where;
    lq_sidecar_none(sidecar);
    sidecar->present = true;
    json_t *root = lq_json_parse(file->data, file->len, JSON_REJECT_DUPLICATES, &where);
    if (!root && lq_json_ran_out(&where))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (!root)
        return lq_fail(err, LQ_ERR_MODEL, "bad sidecar '%.120s': line %d: %.80s", name, where.line,
                       where.text);
    int status = json_is_object(root)
                     ? read_keys(&reader, root)
                     : lq_fail(err, LQ_ERR_MODEL,
                               "bad sidecar '%.120s': it must be one JSON object", name);
    json_decref(root);
    return status;
}

bool lq_sidecar_path(const char *model_path, char *path, size_t size)
{
    const char *slash = strrchr(model_path, '/');
    const char *dot = strrchr(slash ? slash : model_path, '.');
    int stem = (int)(dot ? (size_t)(dot - model_path) : strlen(model_path));
    return snprintf(path, size, "%.*s.json", stem, model_path) < (int)size;
}

int lq_sidecar_read(struct lq_sidecar *sidecar, const char *model_path, struct lq_error *err)
{
    lq_sidecar_none(sidecar);
    char path[4096];
    if (!lq_sidecar_path(model_path, path, sizeof path))
        return lq_fail(err, LQ_ERR_MODEL, "path too long: '%.80s…'", model_path);
    if (access(path, F_OK) != 0)
        return LQ_OK;
    struct lq_buf file;
    lq_buf_init(&file, LQ_SIDECAR_BYTES_MAX);
    int status = lq_file_read(path, &file, err);
    if (status == LQ_OK)
        status = lq_sidecar_parse(sidecar, path, &file, err);
    lq_buf_release(&file);
    return status;
}
