#include "cli/triton_shapes.h"

#include <string.h>

#include "base/child.h"
#include "cli/model_check.h"
#include "engine/list.h"

// Determines, with OpenVINO, the model's tensors for one shape of input 0.
static int tensors_at(struct lq_engine_model *model, const int64_t shape[4],
                      struct lq_tensors *tensors, struct lq_error *err)
{
    const struct lq_engine_ops *ops = &lq_engine_openvino;
    struct lq_engine_options how = {.shape_rank = 4, .precision = LQ_PRECISION_F32};
    struct lq_engine *engine = NULL;
    struct lq_request *request = NULL;
    memcpy(how.shape, shape, sizeof how.shape[0] * 4);
    int status = ops->compile(&engine, model, &how, err);
    if (status == LQ_OK)
        status = ops->request_new(&request, engine, err);
    if (status == LQ_OK)
        *tensors = *ops->request_tensors(request);
    ops->request_free(request);
    ops->close(engine);
    return status;
}

static void shape_of(const struct lq_triton_config *config, int size, int batch, int64_t shape[4])
{
    int64_t height = config->sizes[size].height, width = config->sizes[size].width;
    bool first = config->channels_first;
    shape[0] = batch;
    shape[1] = first ? 3 : height;
    shape[2] = first ? height : width;
    shape[3] = first ? width : 3;
}

// Marks dimensions that differ between the two shapes as open.
static void open_dims(struct lq_tensor *tensors, const struct lq_tensor *others, int count)
{
    for (int i = 0; i < count; i++)
        for (int d = 0; d < tensors[i].rank; d++)
            if (tensors[i].dims[d] != others[i].dims[d])
                tensors[i].dims[d] = -1;
}

static bool batches(const struct lq_tensors *tensors)
{
    bool all = true;
    for (int i = 0; i < tensors->output_count; i++)
        all &= tensors->outputs[i].rank > 0 && tensors->outputs[i].dims[0] == 2;
    return all;
}

// Tries the model with a batch of two and with each of its sizes.
static int try_shapes(struct lq_triton_config *config, struct lq_engine_model *model,
                      int batch_max, struct lq_error *err)
{
    struct lq_tensors other;
    int64_t shape[4];
    shape_of(config, 0, 1, shape);
    int status = tensors_at(model, shape, &config->tensors, err);
    shape_of(config, 0, 2, shape);
    if (status == LQ_OK && batch_max > 0 && tensors_at(model, shape, &other, NULL) == LQ_OK &&
        batches(&other)) {
        config->batch_max = batch_max;
        open_dims(config->tensors.inputs, other.inputs, other.input_count);
        open_dims(config->tensors.outputs, other.outputs, other.output_count);
    }
    for (int i = 1; i < config->size_count && status == LQ_OK; i++) {
        shape_of(config, i, 1, shape);
        status = tensors_at(model, shape, &other, err);
        if (status == LQ_OK) {
            open_dims(config->tensors.inputs, other.inputs, other.input_count);
            open_dims(config->tensors.outputs, other.outputs, other.output_count);
        }
    }
    return status;
}

static int find_shapes(struct lq_triton_config *config, const char *path, int batch_max,
                       struct lq_error *err)
{
    struct lq_engine_model *model;
    int status =
        lq_engine_openvino.read(&model, &(struct lq_engine_source){.path = path}, err);
    if (status == LQ_OK)
        status = try_shapes(config, model, batch_max, err);
    lq_engine_openvino.forget(model);
    return status;
}

// Only child processes load OpenVINO, so this process can still fork safely.
enum { TRY_MS_MAX = 300 * 1000 };

struct sizes_job {
    struct lq_cli_model requested;
    struct lq_triton_config found;
};

static int read_sizes(void *data, struct lq_error *err)
{
    struct sizes_job *job = data;
    struct lq_model *model = NULL;
    int status = lq_cli_model_open_tried(&job->requested, &model, err);
    if (status != LQ_OK)
        return status;
    const struct lq_model_info *info = lq_model_info(model);
    job->found.channels_first = info->channels_first;
    job->found.size_count = info->size_count;
    for (int i = 0; i < info->size_count; i++) {
        job->found.sizes[i].width = info->sizes[i].width;
        job->found.sizes[i].height = info->sizes[i].height;
    }
    return LQ_OK;
}

int lq_triton_find_sizes(struct lq_triton_config *config, const char *model, bool *onnx,
                         bool *amended, struct lq_error *err)
{
    struct sizes_job job = {.requested = {.path = model, .options = {.engine = "openvino",
                                                                .no_landmarks = true}},
                            .found = *config};
    int status = lq_cli_model_check(&job.requested, NULL, NULL, err);
    if (status == LQ_OK)
        status = lq_child_run(read_sizes, &job, sizeof job, TRY_MS_MAX, err);
    *config = job.found;
    const char *dot = strrchr(model, '.');
    *amended = job.requested.converted;
    *onnx = job.requested.converted || config->platform != LQ_TRITON_PYTHON || !dot ||
            strcmp(dot, ".tflite") != 0;
    return status;
}

struct shapes_job {
    struct lq_triton_config config;
    const char *served;
    int batch_max;
};

static int read_shapes(void *data, struct lq_error *err)
{
    struct shapes_job *job = data;
    return find_shapes(&job->config, job->served, job->batch_max, err);
}

int lq_triton_find_shapes(struct lq_triton_config *config, const char *model, const char *served,
                          int batch_max, struct lq_error *err)
{
    struct shapes_job job = {*config, served, batch_max};
    int status = lq_child_run(read_shapes, &job, sizeof job, TRY_MS_MAX, err);
    if (status == LQ_ERR_ENGINE)
        return lq_fail_within(err, "cannot try '%.100s' in its sizes and a batch of two",
                              model);
    *config = job.config;
    return status;
}
