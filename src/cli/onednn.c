#include "cli/onednn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpu.h"
#include "base/log.h"
#include "format/operators.h"

// Between the two models that were measured: our own (2 MB), which is slower with AMX, and a
// YOLOv8s-seg (13 MB), which is faster with it (docs/QUANTIZE.md).
enum { LARGE_BYTES_MIN = 8 << 20 };

// QuantizeLinear marks a quantised ONNX model, QUANTIZE a quantised TFLite model.
static void note_quantised(void *context, const char *kind, int count)
{
    (void)count;
    if (strcmp(kind, "QuantizeLinear") == 0 || strcmp(kind, "QUANTIZE") == 0)
        *(bool *)context = true;
}

bool lq_cli_is_quantised(const char *model_path)
{
    struct lq_error unread;
    bool quantised = false;
    int status = lq_operators_count(model_path, note_quantised, &quantised, &unread);
    return status == LQ_OK && quantised;
}

bool lq_cli_is_large(const char *model_path)
{
    struct stat info;
    return stat(model_path, &info) == 0 && info.st_size >= LARGE_BYTES_MIN;
}

void lq_cli_limit_onednn(const char *model_path)
{
    static const char name[] = "ONEDNN_MAX_CPU_ISA", limit[] = "AVX512_CORE_FP16";
    if (!lq_cpu_has_amx() || getenv(name) || getenv("DNNL_MAX_CPU_ISA") ||
        lq_cli_is_large(model_path) || !lq_cli_is_quantised(model_path))
        return;
    if (setenv(name, limit, 0) == 0)
        lq_log_debug("computing without AMX: %s=%s", name, limit);
}
