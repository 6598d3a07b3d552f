// A sidecar .json beside a model.
#include "model/sidecar.h"

#include "base/log.h"
#include "fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_sidecar sidecar;
    struct lq_error error;
    lq_log_set_level(LQ_LOG_ERROR);
    const char *path = fuzz_file(".json", bytes, len);
    if (lq_sidecar_read(&sidecar, path, &error) == LQ_OK) {
        FUZZ_CHECK(sidecar.present);
        FUZZ_CHECK(memchr(sidecar.name, 0, sizeof sidecar.name));
        FUZZ_CHECK(sidecar.size_count >= 0 && sidecar.size_count <= LQ_MODEL_SIZES_MAX);
        for (int i = 0; i < sidecar.size_count; i++)
            FUZZ_CHECK(sidecar.sizes[i].width > 0 && sidecar.sizes[i].height > 0);
    }
    fuzz_file_remove(path);
    return 0;
}
