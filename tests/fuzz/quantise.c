// An ONNX model that is read, tidied and quantised with invented ranges: no file crashes the
// reader, and the result can be read again.
#include "convert/onnx_tidy.h"
#include "convert/quantise_write.h"
#include "fuzz/fuzz.h"

static void check_result(struct lq_onnx *onnx)
{
    struct lq_error error = {0};
    struct lq_onnx again = {0};
    struct lq_buf out;
    lq_buf_init(&out, INT32_MAX);
    if (lq_onnx_write(onnx, &out, &error) == LQ_OK) {
        fuzz_touch(out.data, out.len);
        FUZZ_CHECK(lq_onnx_read(&again, out.data, out.len, "written", &error) == LQ_OK ||
                   again.message); // may fail only because of too many nodes
    }
    lq_onnx_free(&again);
    lq_buf_release(&out);
}

// Quantises every second layer, with a mean for each channel of its weights.
static void quantise(struct lq_onnx *onnx, struct lq_plan *plan)
{
    static const float numbers[] = {-1, 0, .25f, 3};
    struct lq_error error = {0};
    for (int i = 0; i < plan->source_count; i++)
        lq_range_histogram_add(&plan->sources[i].histogram, numbers, LQ_COUNT(numbers));
    for (int i = 0; i < plan->layer_count; i++) {
        struct lq_layer *layer = &plan->layers[i];
        layer->quantised = i % 2 == 0;
        layer->channels = 8;
        layer->means = calloc(8, sizeof *layer->means);
        if (!layer->means)
            layer->channels = 0;
    }
    const struct lq_quantise_way way = {LQ_RANGE_ENTROPY, true};
    if (lq_quantise_write(onnx, plan, &way, &error) == LQ_OK)
        check_result(onnx);
    else
        FUZZ_CHECK(error.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_onnx onnx;
    struct lq_plan plan = {0};
    struct lq_error error = {0};
    int status = lq_onnx_read(&onnx, bytes, len, "fuzzed", &error);
    if (status == LQ_OK)
        status = lq_onnx_tidy(&onnx, "fuzzed", &error);
    if (status == LQ_OK)
        status = lq_plan_init(&plan, &onnx, "fuzzed", &error);
    FUZZ_CHECK(status == LQ_OK || error.text[0] != '\0');
    if (status == LQ_OK)
        quantise(&onnx, &plan);
    lq_plan_release(&plan);
    lq_onnx_free(&onnx);
    return 0;
}
