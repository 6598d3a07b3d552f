#include "engine/kserve_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kserve_read.h"

enum { NUMBER_CHARS_MAX = 24, NUMBER_TEXT_MAX = 40, DECIMALS = 7, NESTING_MAX = 8,
       LIFTED_MAX = LQ_TENSORS_MAX,
       OUTPUT_DEPTH = 3 }; // the response, its list of outputs, an output

// ---- requests

// Seven decimals are much finer than half precision, and enough for a pixel's value.
static size_t print_float(char *out, float value)
{
    static const double unit = 1e7; // 10 to the power of DECIMALS
    if (!isfinite(value))
        value = 0;
    double size = fabs((double)value);
    if (size >= 1e8)
        return (size_t)snprintf(out, NUMBER_CHARS_MAX, "%.9g", (double)value);
    uint64_t scaled = (uint64_t)(size * unit + 0.5), whole = scaled / (uint64_t)unit;
    uint64_t part = scaled % (uint64_t)unit;
    char digits[NUMBER_CHARS_MAX];
    char *at = digits + sizeof digits;
    int decimals = DECIMALS;
    for (; part && part % 10 == 0; decimals--)
        part /= 10;
    for (int i = 0; part && i < decimals; i++, part /= 10)
        *--at = (char)('0' + part % 10);
    if (at != digits + sizeof digits) {
        while (digits + sizeof digits - at < decimals)
            *--at = '0';
        *--at = '.';
    }
    do
        *--at = (char)('0' + whole % 10);
    while (whole /= 10);
    if (value < 0)
        *--at = '-';
    size_t len = (size_t)(digits + sizeof digits - at);
    memcpy(out, at, len);
    return len;
}

static int print_values(struct lq_buf *json, const struct lq_tensor *tensor, const void *data)
{
    size_t count = lq_tensor_count(tensor);
    int status = lq_buf_reserve(json, json->len + count * NUMBER_CHARS_MAX);
    for (size_t i = 0; i < count && status == LQ_OK; i++) {
        char text[NUMBER_CHARS_MAX + 1];
        float value = tensor->type == LQ_TENSOR_U8 ? ((const uint8_t *)data)[i]
                                                   : ((const float *)data)[i];
        size_t len = print_float(text, value);
        text[len++] = i + 1 < count ? ',' : ']';
        status = lq_buf_append(json, text, len);
    }
    return status;
}

// Prints an object or array without its closing bracket, so that the caller can append to it.
static int print_begin(struct lq_buf *json, json_t *made)
{
    char *text = made ? json_dumps(made, JSON_COMPACT) : NULL;
    int status = text ? lq_buf_append(json, text, strlen(text) - 1) : LQ_ERR_MEMORY;
    free(text);
    json_decref(made);
    return status;
}

static int print_inputs(struct lq_buf *json, const struct lq_tensors *tensors,
                        const void *const data[LQ_TENSORS_MAX])
{
    int status = LQ_OK;
    for (int i = 0; i < tensors->input_count && status == LQ_OK; i++) {
        const struct lq_tensor *tensor = &tensors->inputs[i];
        json_t *shape = json_array();
        for (int d = 0; d < tensor->rank; d++)
            json_array_append_new(shape, json_integer(tensor->dims[d]));
        status = lq_buf_printf(json, "%s", i ? "," : "");
        if (status == LQ_OK)
            status = print_begin(json, json_pack("{s:s, s:o, s:s}", "name", tensor->name, "shape",
                                                 shape, "datatype", lq_kserve_type(tensor->type)));
        if (status == LQ_OK)
            status = lq_buf_printf(json, ",\"data\":[");
        if (status == LQ_OK)
            status = print_values(json, tensor, data[i]);
        if (status == LQ_OK)
            status = lq_buf_printf(json, "}");
    }
    return status;
}

int lq_kserve_print_json(struct lq_buf *json, const struct lq_tensors *tensors,
                         const void *const data[LQ_TENSORS_MAX], uint64_t id,
                         struct lq_error *err)
{
    json_t *outputs = json_array();
    for (int i = 0; i < tensors->output_count; i++)
        json_array_append_new(outputs, json_pack("{s:s}", "name", tensors->outputs[i].name));
    int status = lq_buf_printf(json, "{\"id\":\"%016llx\",\"inputs\":[", (unsigned long long)id);
    if (status == LQ_OK)
        status = print_inputs(json, tensors, data);
    if (status == LQ_OK)
        status = lq_buf_printf(json, "],\"outputs\":");
    if (status == LQ_OK)
        status = print_begin(json, outputs);
    else
        json_decref(outputs);
    if (status == LQ_OK)
        status = lq_buf_printf(json, "]}");
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "cannot write an inference request");
}

// ---- responses

struct scan {
    const char *at, *end;
    struct lq_buf *head, *numbers;
    int lifted;                    // arrays of numbers found so far …
    size_t begins[LIFTED_MAX + 1]; // … and where in `numbers` each begins, as elements
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
        scan->at++;
}

static bool accept_word(struct scan *scan, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
        return false;
    scan->at += len;
    return true;
}

// Reads a JSON number, or the NaN and Infinity that Python's json module writes (as NaN). The
// program never leaves the C locale, so strtof expects a point.
static bool read_number(struct scan *scan, float *out)
{
    static const char *const none[] = {"null", "NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < LQ_COUNT(none); i++)
        if (accept_word(scan, none[i])) {
            *out = NAN;
            return true;
        }
    char text[NUMBER_TEXT_MAX + 1];
    size_t len = 0;
    while (scan->at < scan->end && len < NUMBER_TEXT_MAX && *scan->at &&
           strchr("0123456789+-.eE", *scan->at))
        text[len++] = *scan->at++;
    text[len] = '\0';
    char *end;
    *out = strtof(text, &end);
    return len > 0 && *end == '\0';
}

// Moves the numbers of an array, nested or not, to `numbers` and writes the array's index in
// `head`.
static const char *lift_array(struct scan *scan)
{
    int depth = 0;
    if (scan->lifted == LIFTED_MAX)
        return "more arrays of data than outputs";
    do {
        skip_space(scan);
        float value;
        if (accept_word(scan, "[")) {
            if (++depth > NESTING_MAX)
                return "data that is nested too deep";
        } else if (accept_word(scan, "]")) {
            depth--;
        } else if (!accept_word(scan, ",")) {
            if (!read_number(scan, &value))
                return "data that is no number";
            if (lq_buf_append(scan->numbers, &value, sizeof value) != LQ_OK)
                return "more data than its outputs hold";
        }
    } while (depth > 0);
    if (lq_buf_printf(scan->head, "%d", scan->lifted++) != LQ_OK)
        return "too much JSON besides its data";
    scan->begins[scan->lifted] = scan->numbers->len / sizeof(float);
    return NULL;
}

// Skips a string, including its quotes.
static bool skip_text(struct scan *scan)
{
    for (scan->at++; scan->at < scan->end && *scan->at != '"'; scan->at++)
        if (*scan->at == '\\' && ++scan->at == scan->end)
            return false;
    return scan->at < scan->end && *scan->at++ == '"';
}

// Whether the string just skipped is an output's "data" key, followed by an array.
static bool at_data(struct scan *scan, const char *text, int depth)
{
    if (depth != OUTPUT_DEPTH || scan->at - text != 6 || memcmp(text, "\"data\"", 6) != 0)
        return false;
    const char *after = scan->at;
    skip_space(scan);
    if (accept_word(scan, ":")) {
        skip_space(scan);
        if (scan->at < scan->end && *scan->at == '[')
            return true;
    }
    scan->at = after;
    return false;
}

static const char *lift_numbers(struct scan *scan)
{
    static const char too_much[] = "too much JSON besides its data";
    int depth = 0;
    while (scan->at < scan->end) {
        const char *from = scan->at;
        if (*from == '"') {
            if (!skip_text(scan))
                return "an unterminated string";
        } else {
            depth += (*from == '{' || *from == '[') - (*from == '}' || *from == ']');
            scan->at++;
        }
        const char *passed = scan->at;
        bool data = *from == '"' && at_data(scan, from, depth);
        if (lq_buf_append(scan->head, from, (size_t)(passed - from)) != LQ_OK ||
            (data && lq_buf_append(scan->head, ":", 1) != LQ_OK))
            return too_much;
        const char *reason = data ? lift_array(scan) : NULL;
        if (reason)
            return reason;
    }
    return NULL;
}

static int read_output(struct lq_tensors *tensors, const json_t *from, const struct scan *scan,
                       unsigned *seen, const float *parts[LQ_TENSORS_MAX], struct lq_error *err)
{
    struct lq_tensor received;
    int index = lq_kserve_find_output(tensors, from, seen, &received, err);
    if (index < 0)
        return LQ_ERR_ENGINE;
    const json_t *data = json_object_get(from, "data");
    json_int_t which = json_integer_value(data);
    if (!json_is_integer(data) || which < 0 || which >= scan->lifted)
        return lq_kserve_malformed(err, "an output without data");
    int status = lq_kserve_check_shape(&tensors->outputs[index], &received, err);
    size_t begin = scan->begins[which], count = scan->begins[which + 1] - begin;
    if (status == LQ_OK && count != lq_tensor_count(&received))
        return lq_kserve_malformed(err, "an output's number count does not match its shape");
    parts[index] = (const float *)(const void *)scan->numbers->data + begin;
    return status;
}

int lq_kserve_read_json(struct lq_tensors *tensors, const struct lq_kserve_reply *reply,
                        struct lq_buf *head, struct lq_buf *numbers,
                        const float *parts[LQ_TENSORS_MAX], struct lq_error *err)
{
    const char *text = (const char *)reply->body;
    struct scan scan = {.at = text, .end = text + reply->len, .head = head, .numbers = numbers};
    lq_buf_clear(head);
    lq_buf_clear(numbers);
    const char *reason = reply->len ? lift_numbers(&scan) : "it is empty";
    if (reason)
        return lq_kserve_malformed(err, reason);
    json_t *root = lq_kserve_parse(head->data, head->len);
    const json_t *list = json_object_get(root, "outputs");
    int status = json_is_array(list) ? lq_kserve_check_id(root, reply->id, err)
                                     : lq_kserve_malformed(err,
                                                           "it is no JSON object with outputs");
    unsigned seen = 0;
    for (size_t i = 0; i < json_array_size(list) && status == LQ_OK; i++)
        status = read_output(tensors, json_array_get(list, i), &scan, &seen, parts, err);
    json_decref(root);
    if (status == LQ_OK && seen != (1u << tensors->output_count) - 1)
        status = lq_kserve_malformed(err, "an output is missing");
    return status;
}
