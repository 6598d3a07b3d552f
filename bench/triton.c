// One model in this process and on a Triton server, side by side: whether the answers agree, and
// what going there costs.
//
//   build/bench/bench-triton MODEL URL NAME [ROUNDS]
//
// Each round runs the same input in OpenVINO here, on Triton over plain HTTP and on Triton by shared
// memory, one after the other, so that whatever else the machine does falls on all three. What Triton
// says it spent in the model (compute_input + compute_infer + compute_output of /v2/models/NAME/stats)
// is read before and after each request; a request's overhead is its time here less that. Medians,
// as JSON on stdout.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/http_client.h"

enum { ROUNDS_MAX = 10000, WARM_UP = 5, STATS_MAX = 256 * 1024, WAYS = 3 };
enum way { HERE, HTTP, MEMORY };

struct runner {
    const struct lq_engine_ops *ops;
    struct lq_engine *engine;
    struct lq_request *request;
    const struct lq_tensors *tensors;
    double ms[ROUNDS_MAX], model_ms[ROUNDS_MAX];
};

static struct runner runners[WAYS];

static void stop(const char *what, const struct lq_error *err)
{
    fprintf(stderr, "bench-triton: %s: %s\n", what, err->text);
    exit(1);
}

static void start(struct runner *runner, const char *engine, const char *path,
                  const struct lq_engine_options *options)
{
    struct lq_error err = {0};
    runner->ops = lq_engine_find(engine, &err);
    if (!runner->ops || runner->ops->open(&runner->engine, path, options, &err) != LQ_OK ||
        runner->ops->request_new(&runner->request, runner->engine, &err) != LQ_OK)
        stop(engine, &err);
    runner->tensors = runner->ops->request_tensors(runner->request);
}

// Milliseconds that the server has spent in the model so far.
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
    json_t *root = json_loadb((const char *)reply.data, reply.len, 0, NULL);
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

// Pixels, so that a server that takes bytes is given the same.
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
    return json_pack("{s:f, s:f, s:f}", "ms", median(runner->ms, rounds), "model_ms",
                     median(runner->model_ms, rounds), "overhead_ms", median(over, rounds));
}

int main(int argc, char **argv)
{
    int rounds = argc > 4 ? atoi(argv[4]) : 100;
    if (argc < 4 || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench-triton MODEL URL NAME [ROUNDS]\n");
        return 2;
    }
    struct lq_engine_options options = {.precision = LQ_PRECISION_F32};
    options.remote = (struct lq_remote_options){.url_count = 1, .urls = {argv[2]},
                                                .model = argv[3]};
    char stats[512];
    snprintf(stats, sizeof stats, "%s/v2/models/%s/stats", argv[2], argv[3]);
    start(&runners[HERE], "openvino", argv[1], &options);
    const struct lq_tensor *input = &runners[HERE].tensors->inputs[0];
    options.shape_rank = input->rank;
    memcpy(options.shape, input->dims, sizeof options.shape);
    options.remote.memory = LQ_REMOTE_MEMORY_OFF;
    start(&runners[HTTP], "triton", argv[1], &options);
    options.remote.memory = LQ_REMOTE_MEMORY_ON;
    start(&runners[MEMORY], "triton", argv[1], &options);
    struct lq_http *http = NULL;
    struct lq_error err = {0};
    if (lq_http_new(&http, &err) != LQ_OK)
        stop("start", &err);
    for (int way = 0; way < WAYS; way++)
        fill(&runners[way]);
    for (int round = -WARM_UP; round < rounds; round++)
        for (int way = 0; way < WAYS; way++)
            run(&runners[way], http, way == HERE ? NULL : stats, round);
    json_t *root = json_pack(
        "{s:i, s:[I,I,I,I], s:o, s:o, s:o, s:f, s:f}", "rounds", rounds, "input",
        (json_int_t)input->dims[0], (json_int_t)input->dims[1], (json_int_t)input->dims[2],
        (json_int_t)input->dims[3], "here", way_json(&runners[HERE], rounds), "http",
        way_json(&runners[HTTP], rounds), "shared_memory", way_json(&runners[MEMORY], rounds),
        "difference_http", difference(&runners[HERE], &runners[HTTP]), "difference_shared_memory",
        difference(&runners[HERE], &runners[MEMORY]));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
    lq_http_free(http);
    for (int way = 0; way < WAYS; way++) {
        runners[way].ops->request_free(runners[way].request);
        runners[way].ops->close(runners[way].engine);
    }
    return 0;
}
