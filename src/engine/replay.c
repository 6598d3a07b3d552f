// An engine that plays recorded tensors: what a model answered once, it answers again. For tests of
// what comes after inference, and the shortest example of an engine.
//
// A .replay file, all numbers little-endian:
//   "lacquer-replay 1\n"
//   one line of JSON, then "\n":
//     {"inputs":  [{"name": "images", "type": "f32", "dims": [1, 3, 640, 640]}],
//      "outputs": [{"name": "det",    "type": "f32", "dims": [1, 37, 8400]}, …],
//      "frames": 2,          how many answers follow, played round and round
//      "fails": [1],         optional: these answers (from 0) fail instead
//      "delay_ms": 20}       optional: every run takes at least so long
//   for each frame, each output's bytes in the order above, nothing between.
// Inputs are given memory and never looked at. Each request begins at the first frame.
// Written by tools/record_replay.py.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/parse_json.h"
#include "engine/list.h"
#include "engine/tensor_memory.h"

static const char magic[] = "lacquer-replay 1\n";

enum { FRAMES_MAX = 100000, FAILS_MAX = 16, DELAY_MS_MAX = 10000, INPUT_BYTES_MAX = 256 << 20 };

struct lq_engine {
    struct lq_buf file;
    struct lq_tensors tensors;
    const uint8_t *frames; // in the file
    size_t frame_bytes;
    int frame_count;
    int fails[FAILS_MAX], fail_count;
    int delay_ms;
};

struct lq_request {
    struct lq_engine *engine;
    struct lq_tensors tensors;
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
    return bytes == 0 || bytes > INPUT_BYTES_MAX ? "a tensor has an unusable type or size" : NULL;
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

static const char *read_header(struct lq_engine *engine, const json_t *header)
{
    struct lq_tensors *tensors = &engine->tensors;
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
    engine->frame_count = (int)frames;
    engine->delay_ms = (int)delay_ms;
    engine->fail_count = (int)json_array_size(fails);
    for (int i = 0; i < engine->fail_count; i++)
        engine->fails[i] = (int)json_integer_value(json_array_get(fails, (size_t)i));
    for (int i = 0; i < tensors->output_count; i++)
        engine->frame_bytes += lq_tensor_bytes(&tensors->outputs[i]);
    return NULL;
}

static const char *read_file(struct lq_engine *engine)
{
    const struct lq_buf *file = &engine->file;
    size_t magic_len = sizeof magic - 1;
    if (file->len < magic_len || memcmp(file->data, magic, magic_len) != 0)
        return "it is no .replay file";
    const char *text = (const char *)file->data + magic_len;
    const char *end = memchr(text, '\n', file->len - magic_len);
    json_error_t where;
    json_t *header = end ? lq_json_parse(text, (size_t)(end - text), 0, &where) : NULL;
    if (!header)
        return "its second line is not JSON";
    const char *reason = read_header(engine, header);
    json_decref(header);
    if (reason)
        return reason;
    engine->frames = (const uint8_t *)end + 1;
    size_t left = file->len - (size_t)(engine->frames - file->data);
    if (engine->frame_bytes > left / (size_t)engine->frame_count)
        return "it is shorter than its header says";
    return NULL;
}

static void replay_close(struct lq_engine *engine)
{
    if (!engine)
        return;
    lq_buf_release(&engine->file);
    free(engine);
}

static int replay_load(struct lq_engine **out, const char *path, struct lq_error *err)
{
    struct lq_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", path);
    lq_buf_init(&engine->file, LQ_MODEL_BYTES_MAX);
    int status = lq_file_read(path, &engine->file, err);
    if (status == LQ_OK) {
        const char *reason = read_file(engine);
        if (reason)
            status = wrong(path, reason, err);
    }
    if (status != LQ_OK) {
        replay_close(engine);
        return status;
    }
    *out = engine;
    return LQ_OK;
}

static int replay_probe(struct lq_error *err)
{
    (void)err;
    return LQ_OK;
}

static int replay_describe(const char *path, const struct lq_engine_options *options,
                           struct lq_tensors *tensors, struct lq_error *err)
{
    (void)options;
    struct lq_engine *engine = NULL;
    int status = replay_load(&engine, path, err);
    if (status == LQ_OK)
        *tensors = engine->tensors;
    replay_close(engine);
    return status;
}

static int replay_open(struct lq_engine **out, const char *path,
                       const struct lq_engine_options *options, struct lq_error *err)
{
    *out = NULL;
    struct lq_engine *engine = NULL;
    int status = replay_load(&engine, path, err);
    if (status != LQ_OK)
        return status;
    const struct lq_tensor *input = &engine->tensors.inputs[0];
    if (options->shape_rank != 0 &&
        (options->shape_rank != input->rank ||
         memcmp(options->shape, input->dims, sizeof(int64_t) * (size_t)input->rank) != 0)) {
        replay_close(engine);
        return wrong(path, "it was recorded with another input size", err);
    }
    *out = engine;
    return LQ_OK;
}

static void replay_request_free(struct lq_request *request)
{
    if (!request)
        return;
    lq_tensors_free(&request->tensors);
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
    int status = lq_tensors_alloc(&request->tensors, err);
    if (status != LQ_OK) {
        free(request);
        return status;
    }
    *out = request;
    return LQ_OK;
}

static const struct lq_tensors *replay_request_tensors(struct lq_request *request)
{
    return &request->tensors;
}

static int replay_run(struct lq_request *request, uint64_t deadline_us, struct lq_error *err)
{
    (void)deadline_us;
    const struct lq_engine *engine = request->engine;
    int frame = request->next;
    request->next = (frame + 1) % engine->frame_count;
    if (engine->delay_ms > 0) {
        struct timespec delay = {engine->delay_ms / 1000, engine->delay_ms % 1000 * 1000000L};
        nanosleep(&delay, NULL);
    }
    for (int i = 0; i < engine->fail_count; i++)
        if (engine->fails[i] == frame)
            return lq_fail(err, LQ_ERR_ENGINE,
                           "cannot run the model: frame %d was recorded to fail", frame);
    const uint8_t *from = engine->frames + (size_t)frame * engine->frame_bytes;
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
    .describe = replay_describe,
    .open = replay_open,
    .close = replay_close,
    .request_new = replay_request_new,
    .request_free = replay_request_free,
    .request_tensors = replay_request_tensors,
    .run = replay_run,
};
