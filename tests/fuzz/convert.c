// The conversion of .tflite to .onnx with every option: no file crashes the converter or makes it
// exceed its memory limit.
#include "convert/convert.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct lq_convert_options all[] = {{0}, {.fp16 = true, .channels_first = true}};
    struct lq_buf out;
    lq_buf_init(&out, INT32_MAX);
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        struct lq_convert_summary summary;
        struct lq_error error = {0};
        int status = lq_convert(bytes, len, &all[i], &out, &summary, &error);
        FUZZ_CHECK(status == LQ_OK ? summary.nodes >= 0 && out.len > 0 : error.text[0] != '\0');
        if (status == LQ_OK)
            fuzz_touch(out.data, out.len);
    }
    lq_buf_release(&out);
    return 0;
}
