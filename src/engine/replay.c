// An engine that returns recorded tensors: for tests of what follows inference, and as the shortest
// example of an engine.
//
// A .replay file, all numbers little-endian:
//   "lacquer-replay 1\n"
//   one line of JSON, then "\n":
//     {"inputs":  [{"name": "images", "type": "f32", "dims": [1, 3, 640, 640]}],
//      "outputs": [{"name": "det",    "type": "f32", "dims": [1, 37, 8400]}, …],
//      "frames": 2,          number of recorded results that follow, played in a loop
//      "fails": [1],         optional: these results (counted from 0) fail instead
//      "delay_ms": 20}       optional: every run takes at least this long
//   for each frame, each output's bytes in the order above, nothing between.
// Inputs get memory but are ignored. Each request begins at the first frame.
// Written by tools/record_replay.py.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/parse_json.h"
#include "engine/list.h"

static const char magic[] = "lacquer-replay 1\n";

enum { FRAMES_MAX = 100000, FAILS_MAX = 16, DELAY_MS_MAX = 10000 };

// The settings in the file's second line.
struct recording {
    size_t frame_bytes;
    int frame_count;
    int fails[FAILS_MAX], fail_count;
    int delay_ms;
};

// An engine may outlive its model, so it has its own copy of the recording.
struct replay_model {
    struct lq_engine_model model;
    struct recording recording;
    struct lq_buf file;
    const uint8_t *frames; // pointer into `file`
};

struct lq_engine {
    struct lq_tensors tensors;
    struct recording recording;
    struct lq_buf frames;
};

struct lq_request {
    struct lq_engine *engine;
    struct lq_tensors tensors;
    void *memory; // memory of `tensors`
    int next;
};

static int wrong(const char *path, const char *what, struct lq_error *err)
{
    return lq_fail(err, LQ_ERR_MODEL, "cannot replay '%.120s': %s", path, what);
}

static const char *read_tensor(const json_t *from, struct lq_tensor *tensor)
{
    const char *name = json_string_value(json_object_get(from, "name"));
    const char *type = json_string_value(json_object_get(from, "type"));
    const json_t *dims = json_object_get(from, "dims");
    if (!name || strlen(name) >= sizeof tensor->name || !type || !json_is_array(dims) ||
        json_array_size(dims) > LQ_TENSOR_RANK_MAX)
        return "a tensor needs a name, a type and at most 6 dims";
    *tensor = (struct lq_tensor){.type = LQ_TENSOR_OTHER, .rank = (int)json_array_size(dims)};
    strcpy(tensor->name, name);
    for (int t = 0; t < LQ_TENSOR_OTHER; t++)
        if (strcmp(type, lq_tensor_type_name((enum lq_tensor_type)t)) == 0)
            tensor->type = (enum lq_tensor_type)t;
    for (int i = 0; i < tensor->rank; i++)
        tensor->dims[i] = json_integer_value(json_array_get(dims, (size_t)i));
    size_t bytes = lq_tensor_bytes(tensor);
    bool fine = bytes > 0 && bytes <= LQ_TENSOR_BYTES_MAX;
    return fine ? NULL : "a tensor has an unusable type or size";
}

static const char *read_list(const json_t *list, struct lq_tensor *tensors, int *count)
{
    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > LQ_TENSORS_MAX)
        return "it needs 1 to 8 inputs and 1 to 8 outputs";
    *count = (int)json_array_size(list);
    for (int i = 0; i < *count; i++) {
        const char *reason = read_tensor(json_array_get(list, (size_t)i), &tensors[i]);
        if (reason)
            return reason;
    }
    return NULL;
}

static const char *read_header(struct recording *recording, struct lq_tensors *tensors,
                               const json_t *header)
{
    const char *reason =
        read_list(json_object_get(header, "inputs"), tensors->inputs, &tensors->input_count);
    if (!reason)
        reason =
            read_list(json_object_get(header, "outputs"), tensors->outputs, &tensors->output_count);
    if (reason)
        return reason;
    json_int_t frames = json_integer_value(json_object_get(header, "frames"));
    json_int_t delay_ms = json_integer_value(json_object_get(header, "delay_ms"));
    const json_t *fails = json_object_get(header, "fails");
    if (frames < 1 || frames > FRAMES_MAX || delay_ms < 0 || delay_ms > DELAY_MS_MAX ||
        json_array_size(fails) > FAILS_MAX)
        return "frames, fails or delay_ms is out of range";
    recording->frame_count = (int)frames;
    recording->delay_ms = (int)delay_ms;
    recording->fail_count = (int)json_array_size(fails);
    for (int i = 0; i < recording->fail_count; i++)
        recording->fails[i] = (int)json_integer_value(json_array_get(fails, (size_t)i));
    for (int i = 0; i < tensors->output_count; i++)
        recording->frame_bytes += lq_tensor_bytes(&tensors->outputs[i]);
    return NULL;
}

static const char *read_file(struct replay_model *own)
{
    const struct lq_buf *file = &own->file;
    size_t magic_len = sizeof magic - 1;
    if (file->len < magic_len || memcmp(file->data, magic, magic_len) != 0)
        return "it is no .replay file";
    const char *text = (const char *)file->data + magic_len;
    const char *end = memchr(text, '\n', file->len - magic_len);
    json_error_t where;
    json_t *header = end ? lq_json_parse(text, (size_t)(end - text), 0, &where) : NULL;
    if (!header)
        return "its second line is not JSON";
    const char *reason = read_header(&own->recording, &own->model.tensors, header);
    json_decref(header);
    if (reason)
        return reason;
    own->frames = (const uint8_t *)end + 1;
    size_t left = file->len - (size_t)(own->frames - file->data);
    if (own->recording.frame_bytes > left / (size_t)own->recording.frame_count)
        return "it is shorter than its header says";
    return NULL;
}

static int replay_probe(const struct lq_engine_parts *parts, struct lq_error *err)
{
    (void)parts;
    (void)err;
    return LQ_OK;
}

static void replay_forget(struct lq_engine_model *model)
{
    struct replay_model *own = (struct replay_model *)model;
    if (!own)
        return;
    lq_buf_release(&own->file);
    lq_engine_model_release(&own->model);
    free(own);
}

static int replay_read(struct lq_engine_model **out, const struct lq_engine_source *source,
                       struct lq_error *err)
{
    *out = NULL;
    struct replay_model *own = calloc(1, sizeof *own);
    if (!own)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", source->path);
    lq_buf_init(&own->file, LQ_MODEL_BYTES_MAX);
    int status = lq_engine_model_init(&own->model, source, err);
    if (status == LQ_OK)
        status = lq_file_read(source->path, &own->file, err);
    const char *reason = status == LQ_OK ? read_file(own) : NULL;
    if (reason)
        status = wrong(own->model.name, reason, err);
    if (status != LQ_OK)
        replay_forget(&own->model);
    else
        *out = &own->model;
    return status;
}

static void replay_close(struct lq_engine *engine)
{
    if (!engine)
        return;
    lq_buf_release(&engine->frames);
    free(engine);
}

static int replay_compile(struct lq_engine **out, struct lq_engine_model *model,
                          const struct lq_engine_options *options, struct lq_error *err)
{
    *out = NULL;
    const struct replay_model *own = (const struct replay_model *)model;
    const struct recording *recording = &own->recording;
    const struct lq_tensor *input = &model->tensors.inputs[0];
    if (options->shape_rank != 0 &&
        (options->shape_rank != input->rank ||
         memcmp(options->shape, input->dims, sizeof(int64_t) * (size_t)input->rank) != 0))
        return wrong(model->name, "it was recorded with another input size", err);
    struct lq_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", model->name);
    engine->tensors = model->tensors;
    engine->recording = *recording;
    lq_buf_init(&engine->frames, LQ_MODEL_BYTES_MAX);
    if (lq_buf_append(&engine->frames, own->frames,
                      recording->frame_bytes * (size_t)recording->frame_count) != LQ_OK) {
        replay_close(engine);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", model->name);
    }
    *out = engine;
    return LQ_OK;
}

static void replay_request_free(struct lq_request *request)
{
    if (request)
        free(request->memory);
    free(request);
}

static int replay_request_new(struct lq_request **out, struct lq_engine *engine,
                              struct lq_error *err)
{
    *out = NULL;
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for a replay");
    request->engine = engine;
    request->tensors = engine->tensors;
    int status = lq_tensors_place(&request->tensors, &request->memory, err);
    if (status != LQ_OK)
        replay_request_free(request);
    else
        *out = request;
    return status;
}

static const struct lq_tensors *replay_request_tensors(struct lq_request *request)
{
    return &request->tensors;
}

static int replay_run(struct lq_request *request, uint64_t deadline_us, struct lq_error *err)
{
    (void)deadline_us;
    const struct recording *recording = &request->engine->recording;
    int frame = request->next;
    request->next = (frame + 1) % recording->frame_count;
    if (recording->delay_ms > 0) {
        struct timespec delay = {recording->delay_ms / 1000, recording->delay_ms % 1000 * 1000000L};
        nanosleep(&delay, NULL);
    }
    for (int i = 0; i < recording->fail_count; i++)
        if (recording->fails[i] == frame)
            return lq_fail(err, LQ_ERR_ENGINE,
                           "cannot run the model: frame %d was recorded to fail", frame);
    const uint8_t *from = request->engine->frames.data + (size_t)frame * recording->frame_bytes;
    for (int i = 0; i < request->tensors.output_count; i++) {
        size_t bytes = lq_tensor_bytes(&request->tensors.outputs[i]);
        memcpy(request->tensors.outputs[i].data, from, bytes);
        from += bytes;
    }
    return LQ_OK;
}

const struct lq_engine_ops lq_engine_replay = {
    .name = "replay",
    .by_name_only = true,
    .summary = "plays recorded tensors (.replay), for tests",
    .probe = replay_probe,
    .read = replay_read,
    .forget = replay_forget,
    .compile = replay_compile,
    .close = replay_close,
    .request_new = replay_request_new,
    .request_tensors = replay_request_tensors,
    .run = replay_run,
    .request_free = replay_request_free,
};
