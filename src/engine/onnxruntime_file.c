#include "engine/onnxruntime_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "engine/onnxruntime_load.h"
#include "format/operators.h"

struct lq_ort_session_options lq_ort_file_session(const struct lq_ort_file *file)
{
    return (struct lq_ort_session_options){.device = LQ_DEVICE_CPU, .name = file->model.name,
                                           .folder = file->folder, .batch_max = 1,
                                           .whole_numbers = file->whole_numbers};
}

static int read_bytes(struct lq_ort_file *file, struct lq_error *err)
{
    const char *path = file->model.path, *name = file->model.name;
    if (access(path, R_OK) != 0)
        return lq_fail(err, LQ_ERR_MODEL, "cannot open model '%.150s': %s", name, strerror(errno));
    if (lq_ends_with(path, ".tflite") || lq_ends_with(path, ".xml"))
        return lq_fail(err, LQ_ERR_MODEL, "cannot read model '%.150s': ONNX Runtime takes .onnx; "
                       "`lacquer convert` makes one of a .tflite", name);
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s", path);
    snprintf(file->folder, sizeof file->folder, "%s", dirname(whole));
    return lq_file_read(path, &file->bytes, err);
}

// Reads the tensors from a session without optimisation.
static int describe(struct lq_ort_file *file, struct lq_error *err)
{
    struct lq_ort_session_options how = lq_ort_file_session(file);
    struct lq_ort_model *session = NULL;
    how.describe_only = true;
    how.threads = 1;
    int status = lq_ort_model_open(&session, &file->bytes, &how, err);
    if (status == LQ_OK)
        file->model.tensors = *lq_ort_model_tensors(session);
    else if (err && strcasestr(err->text, "protobuf"))
        lq_fail(err, LQ_ERR_MODEL, "'%.150s' is no model, or a damaged one: .onnx is read",
                file->model.name);
    lq_ort_model_close(session);
    return status;
}

static void note_quantised(void *context, const char *kind, int count)
{
    (void)count;
    if (strcmp(kind, "QuantizeLinear") == 0)
        *(bool *)context = true;
}

void lq_ort_file_forget(struct lq_engine_model *model)
{
    struct lq_ort_file *file = (struct lq_ort_file *)model;
    if (!file)
        return;
    lq_buf_release(&file->bytes);
    lq_engine_model_release(&file->model);
    free(file);
}

int lq_ort_file_read(struct lq_engine_model **out, const struct lq_engine_source *source,
                     struct lq_error *err)
{
    *out = NULL;
    int status = lq_ort_load(err);
    if (status != LQ_OK)
        return status;
    struct lq_ort_file *file = calloc(1, sizeof *file);
    if (!file)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", source->path);
    lq_buf_init(&file->bytes, LQ_ORT_FILE_BYTES_MAX);
    status = lq_engine_model_init(&file->model, source, err);
    if (status == LQ_OK)
        status = read_bytes(file, err);
    if (status == LQ_OK)
        status = describe(file, err);
    if (status != LQ_OK) {
        lq_ort_file_forget(&file->model);
        return status;
    }
    (void)!lq_operators_count(source->path, note_quantised, &file->whole_numbers, NULL);
    *out = &file->model;
    return LQ_OK;
}
