#include "engine/kserve_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse_json.h"

static const struct {
    const char *word;
    enum lq_tensor_type type;
} types[] = {{"FP32", LQ_TENSOR_F32}, {"FP16", LQ_TENSOR_F16}, {"FP64", LQ_TENSOR_F64},
             {"UINT8", LQ_TENSOR_U8}, {"INT8", LQ_TENSOR_I8}, {"INT32", LQ_TENSOR_I32},
                 {"INT64", LQ_TENSOR_I64}};

static enum lq_tensor_type type_of(const char *word)
{
    for (size_t i = 0; word && i < LQ_COUNT(types); i++)
        if (strcmp(types[i].word, word) == 0)
            return types[i].type;
    return LQ_TENSOR_OTHER;
}

const char *lq_kserve_type(enum lq_tensor_type type)
{
    for (size_t i = 0; i < LQ_COUNT(types); i++)
        if (types[i].type == type)
            return types[i].word;
    return "";
}

int lq_kserve_malformed(struct lq_error *err, const char *what)
{
    return lq_fail(err, LQ_ERR_ENGINE, "the server's response is malformed: %s", what);
}

json_t *lq_kserve_parse(const void *json, size_t len)
{
    if (!json || len > LQ_KSERVE_JSON_MAX)
        return NULL;
    json_error_t where;
    json_t *root = lq_json_parse(json, len, 0, &where);
    if (json_is_object(root) || json_is_array(root))
        return root;
    json_decref(root);
    return NULL;
}

const char *lq_kserve_read_tensor(struct lq_tensor *tensor, const json_t *from)
{
    const char *name = json_string_value(json_object_get(from, "name"));
    const json_t *shape = json_object_get(from, "shape");
    if (!name || !*name || strlen(name) >= sizeof tensor->name)
        return "a tensor without a usable name";
    if (!json_is_array(shape) || json_array_size(shape) > LQ_TENSOR_RANK_MAX)
        return "a tensor without a shape of at most 6 dimensions";
    *tensor = (struct lq_tensor){
        .type = type_of(json_string_value(json_object_get(from, "datatype"))),
        .rank = (int)json_array_size(shape)};
    strcpy(tensor->name, name);
    for (int i = 0; i < tensor->rank; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        tensor->dims[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || tensor->dims[i] < -1 || tensor->dims[i] > INT32_MAX)
            return "a dimension that is no size";
    }
    return NULL;
}

static const char *read_list(struct lq_tensor *tensors, int *count, const json_t *list)
{
    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > LQ_TENSORS_MAX)
        return "it does not list 1 to 8 inputs and 1 to 8 outputs (a server that is not Triton may "
               "want them in the model's own settings)";
    *count = (int)json_array_size(list);
    for (int i = 0; i < *count; i++) {
        const char *reason = lq_kserve_read_tensor(&tensors[i], json_array_get(list, (size_t)i));
        if (reason)
            return reason;
    }
    return NULL;
}

int lq_kserve_read_model(struct lq_tensors *tensors, const void *json, size_t len,
                         struct lq_error *err)
{
    *tensors = (struct lq_tensors){0};
    json_t *root = lq_kserve_parse(json, len);
    const char *reason = root ? NULL : "the model's metadata is no JSON object";
    if (!reason)
        reason = read_list(tensors->inputs, &tensors->input_count, json_object_get(root, "inputs"));
    if (!reason)
        reason =
            read_list(tensors->outputs, &tensors->output_count, json_object_get(root, "outputs"));
    json_decref(root);
    return reason ? lq_kserve_malformed(err, reason) : LQ_OK;
}

int lq_kserve_read_parameter(struct lq_buf *value, const char *key, const void *json, size_t len,
                             struct lq_error *err)
{
    json_t *root = lq_kserve_parse(json, len);
    if (!root)
        return lq_kserve_malformed(err, "the model's configuration is no JSON object");
    const json_t *parameter = json_object_get(json_object_get(root, "parameters"), key);
    const json_t *text = json_object_get(parameter, "string_value");
    text = text ? text : parameter;
    int status = LQ_OK;
    char *written = json_is_object(text) ? json_dumps(text, JSON_COMPACT) : NULL;
    if (written)
        status = lq_buf_append(value, written, strlen(written));
    else if (json_is_string(text))
        status = lq_buf_append(value, json_string_value(text), json_string_length(text));
    free(written);
    json_decref(root);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "parameter '%s' is too long", key);
}

// ---- requests

// Placeholder in a request, as long as every id; the id replaces it when the request is sent.
static const char no_id[] = "0000000000000000";

void lq_kserve_stamp(struct lq_buf *json, uint64_t id)
{
    static const char before[] = "{\"id\":\"";
    char text[sizeof no_id];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
    memcpy(json->data + sizeof before - 1, text, sizeof text - 1);
}

static json_t *shape_json(const struct lq_tensor *tensor)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer(tensor->dims[i]));
    return shape;
}

static json_t *place_json(const struct lq_kserve_region *region, size_t at, size_t bytes)
{
    return json_pack("{s:s, s:I, s:I}", "shared_memory_region", region->name,
                     "shared_memory_offset", (json_int_t)at, "shared_memory_byte_size",
                     (json_int_t)bytes);
}

int lq_kserve_print_request(struct lq_buf *json, const struct lq_tensors *tensors,
                            const struct lq_kserve_region *region, struct lq_error *err)
{
    json_t *inputs = json_array(), *outputs = json_array();
    for (int i = 0; i < tensors->input_count; i++) {
        const struct lq_tensor *tensor = &tensors->inputs[i];
        size_t bytes = lq_tensor_bytes(tensor);
        json_t *how = region ? place_json(region, region->input_at[i], bytes)
                             : json_pack("{s:I}", "binary_data_size", (json_int_t)bytes);
        json_array_append_new(inputs,
                              json_pack("{s:s, s:o, s:s, s:o}", "name", tensor->name, "shape",
                                        shape_json(tensor), "datatype",
                                            lq_kserve_type(tensor->type),
                                        "parameters", how));
    }
    for (int i = 0; i < tensors->output_count; i++) {
        const struct lq_tensor *tensor = &tensors->outputs[i];
        json_t *how = region
                          ? place_json(region, region->output_at[i], lq_tensor_bytes(tensor))
                          : json_pack("{s:b}", "binary_data", 1);
        json_array_append_new(outputs,
                              json_pack("{s:s, s:o}", "name", tensor->name, "parameters", how));
    }
    json_t *root =
        json_pack("{s:s, s:o, s:o}", "id", no_id, "inputs", inputs, "outputs", outputs);
    bool written = lq_json_print(root, JSON_COMPACT, json);
    json_decref(root);
    return written ? LQ_OK : lq_fail(err, LQ_ERR_MEMORY, "cannot write an inference request");
}

// ---- responses

static int find_output(const struct lq_tensors *tensors, const char *name)
{
    for (int i = 0; i < tensors->output_count; i++)
        if (strcmp(tensors->outputs[i].name, name) == 0)
            return i;
    return -1;
}

int lq_kserve_find_output(const struct lq_tensors *tensors, const json_t *from, unsigned *seen,
                          struct lq_tensor *received, struct lq_error *err)
{
    const char *reason = lq_kserve_read_tensor(received, from);
    int index = reason ? -1 : find_output(tensors, received->name);
    if (index < 0 || *seen & 1u << index) {
        lq_kserve_malformed(err, reason ? reason : "an output that was not requested");
        return -1;
    }
    *seen |= 1u << index;
    return index;
}

int lq_kserve_check_shape(struct lq_tensor *wanted, const struct lq_tensor *received,
                          struct lq_error *err)
{
    if (lq_tensor_count(received) == 0)
        return lq_kserve_malformed(err, "an output without a size");
    if (wanted->rank == 0) {
        wanted->rank = received->rank;
        memcpy(wanted->dims, received->dims, sizeof wanted->dims);
    }
    if (wanted->rank != received->rank ||
        memcmp(wanted->dims, received->dims,
               sizeof received->dims[0] * (size_t)received->rank) != 0)
        return lq_fail(err, LQ_ERR_ENGINE, "the server sent output '%.60s' in another shape",
                       received->name);
    return LQ_OK;
}

// A proxy that mixes up responses must not give one user another user's result.
int lq_kserve_check_id(const json_t *root, uint64_t id, struct lq_error *err)
{
    char sent[sizeof no_id];
    const char *received = json_string_value(json_object_get(root, "id"));
    snprintf(sent, sizeof sent, "%016llx", (unsigned long long)id);
    return !id || !received || !*received || strcmp(received, sent) == 0
               ? LQ_OK
               : lq_kserve_malformed(err, "it belongs to another request");
}

// The binary data after the JSON that has not been read yet.
struct payload {
    const uint8_t *at;
    size_t left;
};

// Checks that the payload contains the next output's bytes, and skips them.
static int skip_payload(struct payload *payload, const json_t *from,
                        const struct lq_tensor *tensor, struct lq_error *err)
{
    const json_t *size =
        json_object_get(json_object_get(from, "parameters"), "binary_data_size");
    size_t bytes = lq_tensor_bytes(tensor);
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        (uint64_t)json_integer_value(size) != bytes)
        return lq_kserve_malformed(err, "an output's byte count does not match its shape");
    if (bytes > payload->left)
        return lq_kserve_malformed(err, "it ends before its outputs do");
    payload->at += bytes;
    payload->left -= bytes;
    return LQ_OK;
}

static int read_outputs(struct lq_tensors *tensors, const json_t *list, struct payload *payload,
                        const uint8_t **parts, struct lq_error *err)
{
    unsigned seen = 0;
    int status = LQ_OK;
    for (size_t i = 0; i < json_array_size(list) && status == LQ_OK; i++) {
        const json_t *from = json_array_get(list, i);
        struct lq_tensor received;
        int index = lq_kserve_find_output(tensors, from, &seen, &received, err);
        if (index < 0)
            return LQ_ERR_ENGINE;
        struct lq_tensor *wanted = &tensors->outputs[index];
        if (received.type != wanted->type)
            return lq_fail(err, LQ_ERR_ENGINE, "the server sent output '%.60s' as %s, not as %s",
                           received.name, lq_tensor_type_name(received.type),
                           lq_tensor_type_name(wanted->type));
        status = lq_kserve_check_shape(wanted, &received, err);
        if (status == LQ_OK && parts) {
            parts[index] = payload->at;
            status = skip_payload(payload, from, &received, err);
        }
    }
    if (status != LQ_OK)
        return status;
    if (seen != (1u << tensors->output_count) - 1)
        return lq_kserve_malformed(err, "an output is missing");
    return payload->left == 0 ? LQ_OK
                              : lq_kserve_malformed(err, "bytes follow its last output");
}

int lq_kserve_read_reply(struct lq_tensors *tensors, const struct lq_kserve_reply *reply,
                         const uint8_t **parts, struct lq_error *err)
{
    if (parts && reply->json_len < 0)
        return lq_kserve_malformed(err, "no Inference-Header-Content-Length");
    size_t head = reply->json_len < 0 ? reply->len : (size_t)reply->json_len;
    if (head > reply->len)
        return lq_kserve_malformed(err, "its JSON part is longer than the whole");
    json_t *root = lq_kserve_parse(reply->body, head);
    const json_t *list = json_object_get(root, "outputs");
    int status = json_is_array(list)
                     ? lq_kserve_check_id(root, reply->id, err)
                     : lq_kserve_malformed(err, "it is no JSON object with outputs");
    struct payload payload = {reply->body + head, reply->len - head};
    if (status == LQ_OK)
        status = read_outputs(tensors, list, &payload, parts, err);
    json_decref(root);
    return status;
}

void lq_kserve_read_refusal(char *text, size_t size, const void *body, size_t len)
{
    json_t *root = lq_kserve_parse(body, len);
    const char *words = json_string_value(json_object_get(root, "error"));
    if (!words)
        words = json_string_value(json_object_get(root, "detail")); // in FastAPI's errors
    snprintf(text, size, "%s", words ? words : "no reason given");
    json_decref(root);
}

bool lq_kserve_name_is_plain(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return *name && name[strspn(name, plain)] == '\0' && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}
