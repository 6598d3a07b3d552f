#include "model/trial.h"

#include <stdint.h>
#include <string.h>

static int run_size(struct lq_runner *runner, int width, int height, struct lq_buf *pixels,
                    struct lq_error *err)
{
    const struct lq_patch *patches;
    struct lq_image grey;
    int count = 0;
    if (lq_image_alloc(&grey, pixels, width, height, 3, 8) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    memset(pixels->data, 128, pixels->len);
    int status = lq_runner_prepare(runner, &grey, true, err);
    if (status == LQ_OK)
        status = lq_runner_infer(runner, 0, err);
    return status == LQ_OK ? lq_runner_patches(runner, &patches, &count, err) : status;
}

int lq_model_try(struct lq_model *model, struct lq_error *err)
{
    const struct lq_model_info *info = lq_model_info(model);
    struct lq_runner *runner = NULL;
    struct lq_buf pixels;
    lq_buf_init(&pixels, INT32_MAX);
    int status = lq_runner_new(&runner, model, err);
    for (int i = 0; i < info->size_count && status == LQ_OK; i++)
        status = run_size(runner, info->sizes[i].width, info->sizes[i].height, &pixels, err);
    lq_buf_release(&pixels);
    lq_runner_free(runner);
    return status;
}
