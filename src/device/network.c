#include "device/network.h"

#include <stdlib.h>
#include <string.h>

#include "model/opened.h"

enum { HAND_SIDE = 224, SIDE_MAX = 4096 };
static const char nails_path[] = "nail.onnx", hand_path[] = "hand.onnx";

struct lq_engine {
    enum lq_mirror_network network;
    struct lq_tensors tensors;
};

struct lq_request {
    enum lq_mirror_network network;
    struct lq_tensors tensors;
    void *memory; // of the tensors
};

static struct lq_tensor tensor_of(const char *name, int rank, const int64_t *dims)
{
    struct lq_tensor tensor = {.type = LQ_TENSOR_F32, .rank = rank};
    strcpy(tensor.name, name);
    memcpy(tensor.dims, dims, (size_t)rank * sizeof *dims);
    return tensor;
}

static void describe_nails(struct lq_tensors *tensors, int64_t width, int64_t height)
{
    int64_t half_width = width > 0 ? width / 2 : -1, half_height = height > 0 ? height / 2 : -1;
    tensors->input_count = tensors->output_count = 1;
    tensors->inputs[0] = tensor_of("image", 4, (int64_t[]){1, 3, height, width});
    tensors->outputs[0] = tensor_of("mask", 4, (int64_t[]){1, 1, half_height, half_width});
}

static void describe_hand(struct lq_tensors *tensors)
{
    tensors->input_count = 1;
    tensors->output_count = 3;
    tensors->inputs[0] = tensor_of("image", 4, (int64_t[]){1, HAND_SIDE, HAND_SIDE, 3});
    tensors->outputs[0] = tensor_of("points", 2, (int64_t[]){1, 3 * LQ_LANDMARK_COUNT});
    tensors->outputs[1] = tensor_of("presence", 2, (int64_t[]){1, 1});
    tensors->outputs[2] = tensor_of("right", 2, (int64_t[]){1, 1});
}

static struct lq_tensors tensors_of(enum lq_mirror_network network, int64_t width, int64_t height)
{
    struct lq_tensors tensors = {0};
    if (network == LQ_MIRROR_HAND)
        describe_hand(&tensors);
    else
        describe_nails(&tensors, width, height);
    return tensors;
}

static enum lq_mirror_network network_of(const char *path)
{
    return strcmp(path, hand_path) == 0 ? LQ_MIRROR_HAND : LQ_MIRROR_NAILS;
}

static int probe(const struct lq_engine_parts *parts, struct lq_error *err)
{
    (void)parts;
    (void)err;
    return LQ_OK;
}

static void forget(struct lq_engine_model *model)
{
    if (model)
        lq_engine_model_release(model);
    free(model);
}

static int read_network(struct lq_engine_model **out, const struct lq_engine_source *source,
                        struct lq_error *err)
{
    *out = NULL;
    struct lq_engine_model *model = calloc(1, sizeof *model);
    if (!model)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%s'", source->path);
    int status = lq_engine_model_init(model, source, err);
    model->tensors = tensors_of(network_of(source->path), -1, -1);
    if (status != LQ_OK)
        forget(model);
    else
        *out = model;
    return status;
}

static int compile_size(struct lq_engine **out, enum lq_mirror_network network, int64_t width,
                        int64_t height, struct lq_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for a network");
    **out = (struct lq_engine){network, tensors_of(network, width, height)};
    return LQ_OK;
}

static int compile(struct lq_engine **out, struct lq_engine_model *model,
                   const struct lq_engine_options *options, struct lq_error *err)
{
    bool sized = options->shape_rank == 4;
    return compile_size(out, network_of(model->path), sized ? options->shape[3] : -1,
                        sized ? options->shape[2] : -1, err);
}

static void close_engine(struct lq_engine *engine)
{
    free(engine);
}

static void request_free(struct lq_request *request)
{
    if (request)
        free(request->memory);
    free(request);
}

static int request_new(struct lq_request **out, struct lq_engine *engine, struct lq_error *err)
{
    *out = NULL;
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for a network's tensors");
    *request = (struct lq_request){.network = engine->network, .tensors = engine->tensors};
    int status = lq_tensors_place(&request->tensors, &request->memory, err);
    if (status != LQ_OK)
        request_free(request);
    else
        *out = request;
    return status;
}

static const struct lq_tensors *request_tensors(struct lq_request *request)
{
    return &request->tensors;
}

static int run(struct lq_request *request, uint64_t deadline_us, struct lq_error *err)
{
    (void)deadline_us;
    const struct lq_tensors *tensors = &request->tensors;
    const struct lq_tensor *input = &tensors->inputs[0];
    bool hand = request->network == LQ_MIRROR_HAND;
    float *const outputs[3] = {tensors->outputs[0].data, hand ? tensors->outputs[1].data : NULL,
                               hand ? tensors->outputs[2].data : NULL};
    int status = lq_mirror_run(request->network, input->data, (int)input->dims[hand ? 2 : 3],
                               (int)input->dims[hand ? 1 : 2], outputs);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "the network did not run");
}

const struct lq_engine_ops lq_engine_device = {
    .name = "device",
    .by_name_only = true,
    .summary = "networks that the embedder runs",
    .probe = probe,
    .read = read_network,
    .forget = forget,
    .compile = compile,
    .close = close_engine,
    .request_new = request_new,
    .request_tensors = request_tensors,
    .run = run,
    .request_free = request_free,
};

static int open_size(struct lq_model *model, int index, struct lq_error *err)
{
    struct lq_variant *variant = &model->variants[index];
    variant->width = model->info.sizes[index].width;
    variant->height = model->info.sizes[index].height;
    int status =
        compile_size(&variant->engine, LQ_MIRROR_NAILS, variant->width, variant->height, err);
    if (status != LQ_OK)
        return status;
    return lq_head_decide(&model->info.head, &variant->layout, &variant->engine->tensors,
                          &model->input, &model->sidecar, err);
}

static int take_sizes(struct lq_model *model, const struct lq_mirror_networks *networks,
                      struct lq_error *err)
{
    int count = networks->size_count;
    if (count < 1 || count > LQ_MIRROR_SIZES_MAX)
        return lq_fail(err, LQ_ERR_ARGUMENT, "a network needs 1 to %d sizes", LQ_MIRROR_SIZES_MAX);
    model->info.size_count = count;
    for (int i = 0; i < count; i++) {
        int width = networks->sizes[i][0], height = networks->sizes[i][1];
        if (width < 32 || height < 32 || width > SIDE_MAX || height > SIDE_MAX)
            return lq_fail(err, LQ_ERR_ARGUMENT, "a network's input of %dx%d makes no sense",
                           width, height);
        model->info.sizes[i] = (struct lq_size){width, height};
    }
    return LQ_OK;
}

static int fill(struct lq_model *model, const struct lq_mirror_networks *networks,
                struct lq_error *err)
{
    static const struct lq_engine_options plain = {0};
    model->ops = &lq_engine_device;
    lq_sidecar_none(&model->sidecar);
    model->sidecar.head = LQ_HEAD_MASK;
    model->sidecar.resize = LQ_SIDECAR_STRETCH;
    model->sidecar.values = LQ_VALUES_PROBABILITY;
    model->sidecar.threshold = networks->threshold;
    model->info.tensors = tensors_of(LQ_MIRROR_NAILS, -1, -1);
    int status = lq_input_decide(&model->input, &model->info.tensors, &model->sidecar, err);
    if (status == LQ_OK)
        status = take_sizes(model, networks, err);
    for (int i = 0; i < model->info.size_count && status == LQ_OK; i++)
        status = open_size(model, i, err);
    if (status != LQ_OK)
        return status;
    model->variant_count = model->info.size_count;
    lq_model_settle(model, &(struct lq_model_options){0});
    return networks->hand ? lq_landmarks_open_by(&model->landmarks, &lq_engine_device, hand_path,
                                                 &plain, err)
                          : LQ_OK;
}

int lq_mirror_model_open(struct lq_model **out, const struct lq_mirror_networks *networks,
                         struct lq_error *err)
{
    *out = NULL;
    struct lq_model *model = calloc(1, sizeof *model);
    if (model) {
        model->ops = &lq_engine_device;
        model->path = strdup(nails_path);
        model->source = strdup(nails_path);
    }
    int status = model && model->path && model->source
                     ? fill(model, networks, err)
                     : lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (status != LQ_OK) {
        lq_model_close(model);
        return status;
    }
    *out = model;
    return LQ_OK;
}
