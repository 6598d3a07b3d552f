#include "convert/onnx_runner.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

void lq_onnx_runner_init(struct lq_onnx_runner *runner, const struct lq_onnx *onnx,
                         const char *folder)
{
    *runner = (struct lq_onnx_runner){.onnx = onnx, .folder = folder};
}

void lq_onnx_runner_release(struct lq_onnx_runner *runner)
{
    for (int i = 0; i < runner->count; i++)
        lq_dumper_close(runner->sizes[i].dumper);
    runner->count = 0;
}

static int open_size(struct lq_onnx_runner *runner, const struct lq_tensor *input,
                     struct lq_sized *size, struct lq_error *err)
{
    char path[512];
    struct lq_onnx copy;
    struct lq_buf bytes;
    snprintf(path, sizeof path, "%.400s/tried.onnx", runner->folder);
    lq_buf_init(&bytes, INT_MAX);
    int status = lq_onnx_copy(&copy, runner->onnx, err);
    if (status == LQ_OK) {
        lq_onnx_set_shape(&copy, input->dims, input->rank);
        status = lq_onnx_write(&copy, &bytes, err);
    }
    lq_onnx_free(&copy);
    if (status == LQ_OK)
        status = lq_file_write(path, bytes.data, bytes.len, err);
    lq_buf_release(&bytes);
    if (status == LQ_OK)
        status = lq_dumper_open(&size->dumper, path, err);
    unlink(path);
    size->rank = input->rank;
    memcpy(size->dims, input->dims, sizeof size->dims);
    return status;
}

// A fifth size replaces the oldest.
static int size_for(struct lq_onnx_runner *runner, const struct lq_tensor *input,
                    struct lq_sized **size, struct lq_error *err)
{
    for (int i = 0; i < runner->count; i++) {
        *size = &runner->sizes[i];
        if ((*size)->rank == input->rank &&
            memcmp((*size)->dims, input->dims, (size_t)input->rank * sizeof(int64_t)) == 0)
            return LQ_OK;
    }
    if (runner->count == LQ_RUNNER_SIZES_MAX) {
        lq_dumper_close(runner->sizes[0].dumper);
        runner->count--;
        memmove(runner->sizes, runner->sizes + 1, (size_t)runner->count * sizeof **size);
    }
    *size = &runner->sizes[runner->count];
    int status = open_size(runner, input, *size, err);
    runner->count += status == LQ_OK;
    return status;
}

int lq_onnx_runner_run(struct lq_onnx_runner *runner, const struct lq_tensor *input,
                       lq_dump_row *row, void *context, struct lq_error *err)
{
    struct lq_sized *size;
    int status = size_for(runner, input, &size, err);
    return status == LQ_OK ? lq_dumper_infer(size->dumper, input, 1, row, context, err) : status;
}
