// An inference server's response. The first byte selects its kind: metadata, configuration, an
// error, an index of models, an inference in JSON, or another inference; for the last, the next two
// bytes are the length of its JSON (low byte first, 0xffff: no header).
#include "engine/kserve_json.h"

#include <string.h>

#include "fuzz/fuzz.h"

static const struct lq_tensors asked = {
    .output_count = 3,
    .outputs = {{.name = "a", .type = LQ_TENSOR_F32, .rank = 2, .dims = {1, 2}},
                {.name = "b", .type = LQ_TENSOR_F16, .rank = 1, .dims = {4}},
                {.name = "c", .type = LQ_TENSOR_F32}}}; // unknown shape

static void metadata(const uint8_t *bytes, size_t len)
{
    struct lq_tensors tensors;
    struct lq_error err;
    if (lq_kserve_read_model(&tensors, bytes, len, &err) != LQ_OK)
        return;
    FUZZ_CHECK(tensors.input_count > 0 && tensors.input_count <= LQ_TENSORS_MAX);
    FUZZ_CHECK(tensors.output_count > 0 && tensors.output_count <= LQ_TENSORS_MAX);
    for (int i = 0; i < tensors.input_count; i++) {
        const struct lq_tensor *tensor = &tensors.inputs[i];
        FUZZ_CHECK(tensor->name[0] && memchr(tensor->name, 0, sizeof tensor->name));
        FUZZ_CHECK(tensor->rank >= 0 && tensor->rank <= LQ_TENSOR_RANK_MAX);
        for (int d = 0; d < tensor->rank; d++)
            FUZZ_CHECK(tensor->dims[d] >= -1 && tensor->dims[d] <= INT32_MAX);
    }
}

static void configuration(const uint8_t *bytes, size_t len)
{
    struct lq_buf value;
    struct lq_error err;
    lq_buf_init(&value, 256);
    if (lq_kserve_read_parameter(&value, "lacquer", bytes, len, &err) == LQ_OK)
        fuzz_touch(value.data, value.len);
    lq_buf_release(&value);
}

static void refusal(const uint8_t *bytes, size_t len)
{
    char text[32];
    lq_kserve_read_refusal(text, sizeof text, bytes, len);
    FUZZ_CHECK(memchr(text, 0, sizeof text));
}

static void inference(const uint8_t *bytes, size_t len, long json_len, bool binary)
{
    const uint8_t *parts[LQ_TENSORS_MAX];
    struct lq_tensors tensors = asked;
    struct lq_error err;
    const struct lq_kserve_reply reply = {bytes, len, json_len, 0};
    if (lq_kserve_read_reply(&tensors, &reply, binary ? parts : NULL, &err) != LQ_OK)
        return;
    for (int i = 0; i < tensors.output_count; i++) {
        size_t size = lq_tensor_bytes(&tensors.outputs[i]);
        FUZZ_CHECK(size > 0);
        if (binary)
            fuzz_touch(parts[i], size);
    }
}

static void index_of_models(const uint8_t *bytes, size_t len)
{
    char text[160];
    if (lq_kserve_read_index(text, sizeof text, "nail", "1", bytes, len))
        FUZZ_CHECK(memchr(text, 0, sizeof text));
    (void)!lq_kserve_speaks_binary(bytes, len);
}

static void numbers(const uint8_t *bytes, size_t len)
{
    const float *parts[LQ_TENSORS_MAX];
    struct lq_tensors tensors = asked;
    struct lq_error err;
    struct lq_buf head, values;
    lq_buf_init(&head, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&values, 1 << 20);
    const struct lq_kserve_reply reply = {bytes, len, -1, 0};
    if (lq_kserve_read_json(&tensors, &reply, &head, &values, parts, &err) == LQ_OK)
        for (int i = 0; i < tensors.output_count; i++)
            fuzz_touch(parts[i], lq_tensor_count(&tensors.outputs[i]) * sizeof *parts[i]);
    lq_buf_release(&head);
    lq_buf_release(&values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    switch (bytes[0]) {
    case 'm': metadata(bytes + 1, len - 1); break;
    case 'c': configuration(bytes + 1, len - 1); break;
    case 'e': refusal(bytes + 1, len - 1); break;
    case 'i': index_of_models(bytes + 1, len - 1); break;
    case 'j': numbers(bytes + 1, len - 1); break;
    default:
        if (len >= 3) {
            long json_len = bytes[1] | bytes[2] << 8;
            inference(bytes + 3, len - 3, json_len == 0xffff ? -1 : json_len, bytes[0] == 'b');
        }
    }
    return 0;
}
