// A .replay file: the header's promises about its tensors.
#include "engine/list.h"

#include "fuzz/fuzz_file.h"

static void check(const struct lq_tensor *tensors, int count, size_t len, bool stored)
{
    FUZZ_CHECK(count >= 1 && count <= LQ_TENSORS_MAX);
    for (int i = 0; i < count; i++) {
        FUZZ_CHECK(memchr(tensors[i].name, 0, sizeof tensors[i].name));
        FUZZ_CHECK(tensors[i].rank >= 0 && tensors[i].rank <= LQ_TENSOR_RANK_MAX);
        FUZZ_CHECK(!stored || lq_tensor_bytes(&tensors[i]) <= len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_engine_model *model;
    struct lq_error error;
    const char *path = fuzz_file(".replay", bytes, len);
    if (lq_engine_replay.read(&model, &(struct lq_engine_source){.path = path}, &error) == LQ_OK) {
        check(model->tensors.inputs, model->tensors.input_count, len, false);
        check(model->tensors.outputs, model->tensors.output_count, len, true);
    }
    lq_engine_replay.forget(model);
    fuzz_file_remove(path);
    return 0;
}
