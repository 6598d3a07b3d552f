// Compares one model in this process and on a Triton server: whether the outputs agree, and how
// much time the requests add.
//
//   build/bench/bench-triton MODEL URL NAME[,NAME...] [ROUNDS]
//
// Each round runs the same input in OpenVINO here, then for every NAME on Triton over plain HTTP
// and with shared memory, one after the other, so that other load on the machine affects all alike.
// Before and after each request it reads the time that Triton reports for the model (compute_input
// + compute_infer + compute_output of /v2/models/NAME/stats); a request's overhead is its time here
// minus that. Prints medians as JSON on stdout.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse_json.h"
#include "engine/engine.h"
#include "engine/http_client.h"

enum { ROUNDS_MAX = 10000, WARM_UP = 5, STATS_MAX = 256 * 1024, NAMES_MAX = 8 };
enum way { HTTP, MEMORY, WAYS };

struct runner {
    const struct lq_engine_ops *ops;
    struct lq_engine *engine;
    struct lq_request *request;
    const struct lq_tensors *tensors;
    double ms[ROUNDS_MAX], model_ms[ROUNDS_MAX];
};

static struct runner here;
static struct served {
    char *name, stats[512]; // the address of its statistics
    struct runner ways[WAYS];
} served[NAMES_MAX];
static int served_count;

static void stop(const char *what, const struct lq_error *err)
{
    fprintf(stderr, "bench-triton: %s: %s\n", what, err->text);
    exit(1);
}

static void start(struct runner *runner, const char *engine, const struct lq_engine_source *source,
                  const struct lq_engine_options *options)
{
    struct lq_error err = {0};
    struct lq_engine_model *model = NULL;
    runner->ops = lq_engine_find(engine, &err);
    if (!runner->ops || runner->ops->read(&model, source, &err) != LQ_OK ||
        runner->ops->compile(&runner->engine, model, options, &err) != LQ_OK ||
        runner->ops->request_new(&runner->request, runner->engine, &err) != LQ_OK)
        stop(engine, &err);
    runner->ops->forget(model);
    runner->tensors = runner->ops->request_tensors(runner->request);
}

// Returns the milliseconds that the server has spent in the model so far.
static double spent_ms(struct lq_http *http, const char *url)
{
    static const char *const parts[] = {"compute_input", "compute_infer", "compute_output"};
    struct lq_error err = {0};
    struct lq_buf reply;
    lq_buf_init(&reply, STATS_MAX);
    struct lq_http_call call = {.url = url, .reply = &reply,
                                .deadline_us = lq_clock_us() + 5000000};
    if (lq_http_call(http, &call, &err) != LQ_OK)
        stop(url, &err);
    json_error_t where;
    json_t *root = lq_json_parse(reply.data, reply.len, 0, &where);
    const json_t *stats = json_object_get(
        json_array_get(json_object_get(root, "model_stats"), 0), "inference_stats");
    double ns = 0;
    for (size_t i = 0; i < LQ_COUNT(parts); i++)
        ns += json_number_value(json_object_get(json_object_get(stats, parts[i]), "ns"));
    json_decref(root);
    lq_buf_release(&reply);
    return ns / 1e6;
}

static void run(struct runner *runner, struct lq_http *http, const char *stats, int round)
{
    struct lq_error err = {0};
    double before = stats ? spent_ms(http, stats) : 0;
    uint64_t begin = lq_clock_us();
    if (runner->ops->run(runner->request, 0, &err) != LQ_OK)
        stop("run", &err);
    uint64_t end = lq_clock_us();
    if (round < 0)
        return;
    runner->ms[round] = (double)(end - begin) / 1000;
    runner->model_ms[round] = stats ? spent_ms(http, stats) - before : runner->ms[round];
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, sizeof sorted[0] * (size_t)count);
    qsort(sorted, (size_t)count, sizeof sorted[0], by_size);
    return sorted[count / 2];
}

static double difference(const struct runner *a, const struct runner *b)
{
    double most = 0;
    for (int i = 0; i < a->tensors->output_count; i++) {
        const float *x = a->tensors->outputs[i].data, *y = b->tensors->outputs[i].data;
        for (size_t j = 0; j < lq_tensor_count(&a->tensors->outputs[i]); j++)
            most = fmax(most, fabs((double)x[j] - (double)y[j]));
    }
    return most;
}

// Fills the input with multiples of 1/255, so that a server with uint8 input gets the same values.
static void fill(const struct runner *runner)
{
    const struct lq_tensor *input = &runner->tensors->inputs[0];
    float *values = input->data;
    uint32_t state = 1;
    for (size_t i = 0; i < lq_tensor_count(input); i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 24) * (1.0f / 255);
    }
}

static json_t *way_json(const struct runner *runner, int rounds)
{
    double over[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        over[i] = runner->ms[i] - runner->model_ms[i];
    return json_pack("{s:f, s:f, s:f, s:f}", "ms", median(runner->ms, rounds), "model_ms",
                     median(runner->model_ms, rounds), "overhead_ms", median(over, rounds),
                     "difference", difference(&here, runner));
}

static void print(int rounds)
{
    json_t *models = json_array();
    for (int i = 0; i < served_count; i++)
        json_array_append_new(
            models, json_pack("{s:s, s:o, s:o}", "name", served[i].name, "http",
                              way_json(&served[i].ways[HTTP], rounds), "shared_memory",
                              way_json(&served[i].ways[MEMORY], rounds)));
    const struct lq_tensor *input = &here.tensors->inputs[0];
    json_t *shape = json_array();
    for (int i = 0; i < input->rank; i++)
        json_array_append_new(shape, json_integer(input->dims[i]));
    json_t *root = json_pack("{s:i, s:o, s:f, s:o}", "rounds", rounds, "input", shape, "here_ms",
                             median(here.ms, rounds), "models", models);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

// Opens one model of the server over both transports, with the input shape of `here`.
static void start_served(char *name, const char *path, const char *url)
{
    struct served *one = &served[served_count++];
    const struct lq_tensor *input = &here.tensors->inputs[0];
    struct lq_engine_options options = {.precision = LQ_PRECISION_F32, .shape_rank = input->rank};
    memcpy(options.shape, input->dims, sizeof options.shape);
    struct lq_engine_source source = {
        .path = path, .remote = {.url_count = 1, .urls = {url}, .model = name}};
    one->name = name;
    snprintf(one->stats, sizeof one->stats, "%s/v2/models/%s/stats", url, name);
    for (int way = 0; way < WAYS; way++) {
        source.remote.memory = way == HTTP ? LQ_REMOTE_MEMORY_OFF : LQ_REMOTE_MEMORY_ON;
        start(&one->ways[way], "triton", &source, &options);
        fill(&one->ways[way]);
    }
}

static void stop_runner(struct runner *runner)
{
    runner->ops->request_free(runner->request);
    runner->ops->close(runner->engine);
}

int main(int argc, char **argv)
{
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 100;
    if (argc < 4 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench-triton MODEL URL NAME[,NAME...] [ROUNDS]\n");
        return 2;
    }
    const struct lq_engine_options options = {.precision = LQ_PRECISION_F32};
    start(&here, "openvino", &(struct lq_engine_source){.path = argv[1]}, &options);
    fill(&here);
    for (char *name; served_count < NAMES_MAX && (name = strsep(&argv[3], ","));)
        start_served(name, argv[1], argv[2]);
    struct lq_http *http = NULL;
    struct lq_error err = {0};
    if (lq_http_new(&http, &err) != LQ_OK)
        stop("start", &err);
    for (int round = -WARM_UP; round < rounds; round++) {
        run(&here, http, NULL, round);
        for (int i = 0; i < served_count; i++)
            for (int way = 0; way < WAYS; way++)
                run(&served[i].ways[way], http, served[i].stats, round);
    }
    print(rounds);
    lq_http_free(http);
    for (int i = 0; i < served_count; i++)
        for (int way = 0; way < WAYS; way++)
            stop_runner(&served[i].ways[way]);
    stop_runner(&here);
    return 0;
}
