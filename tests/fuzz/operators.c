// The operator counter's own parser of .onnx and .tflite files.
#include "format/operators.h"

#include "fuzz/fuzz_file.h"

static void row(void *context, const char *kind, int count)
{
    (void)context;
    FUZZ_CHECK(count > 0);
    fuzz_touch(kind, strlen(kind));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_error error;
    const char *path = fuzz_file(".model", bytes, len);
    int status = lq_operators_count(path, row, NULL, &error);
    FUZZ_CHECK(status == LQ_OK || error.text[0]);
    fuzz_file_remove(path);
    return 0;
}
