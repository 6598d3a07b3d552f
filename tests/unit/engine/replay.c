#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "engine/list.h"
#include "unit/engine_open.h"
#include "unit/temporary.h"

static const struct lq_engine_ops *const replay = &lq_engine_replay;
static struct lq_error err;

static const char header[] =
    "lacquer-replay 1\n"
    "{\"inputs\": [{\"name\": \"in\", \"type\": \"f32\", \"dims\": [1, 3, 4, 5]}],"
    " \"outputs\": [{\"name\": \"a\", \"type\": \"u8\", \"dims\": [2]},"
    " {\"name\": \"b\", \"type\": \"f32\", \"dims\": [1, 1]}], \"frames\": 3%s}\n";

// Three frames of two bytes and a float: (1, 2, 10.0), (3, 4, 20.0), (5, 6, 30.0).
static void write_recording(const char *more, size_t cut)
{
    char bytes[1024];
    size_t len = (size_t)snprintf(bytes, sizeof bytes, header, more);
    for (int frame = 0; frame < 3; frame++) {
        const float number = 10.0f * (float)(frame + 1);
        bytes[len++] = (char)(2 * frame + 1);
        bytes[len++] = (char)(2 * frame + 2);
        memcpy(bytes + len, &number, sizeof number);
        len += sizeof number;
    }
    assert_ok(lq_file_write(path, bytes, len - cut, &err));
}

static float second_output(struct lq_request *request)
{
    float value;
    memcpy(&value, replay->request_tensors(request)->outputs[1].data, sizeof value);
    return value;
}

static void frames_play_round_and_round(void **state)
{
    (void)state;
    write_recording("", 0);
    const struct lq_engine_options options = {0};
    struct lq_engine *engine;
    struct lq_request *one, *two;
    assert_ok(engine_open(replay, &engine, path, &options, &err));
    assert_ok(replay->request_new(&one, engine, &err));
    assert_ok(replay->request_new(&two, engine, &err));
    const struct lq_tensors *tensors = replay->request_tensors(one);
    assert_int_equal(tensors->input_count, 1);
    assert_int_equal(tensors->output_count, 2);
    assert_int_equal(tensors->inputs[0].dims[3], 5);
    memset(tensors->inputs[0].data, 1, lq_tensor_bytes(&tensors->inputs[0])); // all of it is ours
    for (int round = 0; round < 7; round++) {
        assert_ok(replay->run(one, 0, &err));
        assert_int_equal(*(uint8_t *)tensors->outputs[0].data, 2 * (round % 3) + 1);
        assert_true(second_output(one) == 10.0f * (float)(round % 3 + 1));
    }
    assert_ok(replay->run(two, 0, &err)); // has its own place in the recording
    assert_true(second_output(two) == 10.0f);
    replay->request_free(one);
    replay->request_free(two);
    replay->request_free(NULL);
    replay->close(engine);
    replay->close(NULL);
}

static void failures_and_delays_are_played_too(void **state)
{
    (void)state;
    write_recording(", \"fails\": [1], \"delay_ms\": 15", 0);
    const struct lq_engine_options options = {0};
    struct lq_engine *engine;
    struct lq_request *request;
    assert_ok(engine_open(replay, &engine, path, &options, &err));
    assert_ok(replay->request_new(&request, engine, &err));
    uint64_t before = lq_clock_us();
    assert_ok(replay->run(request, 0, &err));
    assert_true(lq_clock_us() - before >= 15000);
    assert_int_equal(replay->run(request, 0, &err), LQ_ERR_ENGINE);
    assert_non_null(strstr(err.text, "frame 1 was recorded to fail"));
    assert_ok(replay->run(request, 0, &err));
    assert_true(second_output(request) == 30.0f);
    replay->request_free(request);
    replay->close(engine);
}

static void another_input_size_is_refused(void **state)
{
    (void)state;
    write_recording("", 0);
    struct lq_engine_options options = {.shape_rank = 4, .shape = {1, 3, 4, 5}};
    struct lq_engine *engine;
    assert_ok(engine_open(replay, &engine, path, &options, &err));
    replay->close(engine);
    options.shape[2] = 8;
    assert_int_equal(engine_open(replay, &engine, path, &options, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "another input size"));
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *says;
    } cases[] = {
        {"", "it is no .replay file"},
        {"lacquer-replay 2\n{}\n", "it is no .replay file"},
        {"lacquer-replay 1\n{\"inputs\":", "not JSON"},
        {"lacquer-replay 1\n{\"inputs\":\n", "not JSON"},
        {"lacquer-replay 1\n{}\n", "1 to 8 inputs"},
        {"lacquer-replay 1\n{\"inputs\": [{}], \"outputs\": [{}]}\n", "a tensor needs"},
        {"lacquer-replay 1\n{\"inputs\": [{\"name\": \"a\", \"type\": \"f32\", \"dims\": [0]}]}\n",
         "unusable type or size"},
        {"lacquer-replay 1\n{\"inputs\": [{\"name\": \"a\", \"type\": \"f99\", \"dims\": [1]}]}\n",
         "unusable type or size"},
        {"lacquer-replay 1\n{\"inputs\": [{\"name\": \"a\", \"type\": \"f32\", "
         "\"dims\": [4611686018427387904, 4]}]}\n",
         "unusable type or size"},
        {"lacquer-replay 1\n{\"inputs\": [{\"name\": \"a\", \"type\": \"u8\", \"dims\": [1]}],"
         "\"outputs\": [{\"name\": \"a\", \"type\": \"u8\", \"dims\": [1]}], \"frames\": 0}\n",
         "out of range"},
    };
    const struct lq_engine_options options = {0};
    struct lq_engine *engine;
    struct lq_tensors tensors;
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        assert_ok(lq_file_write(path, cases[i].bytes, strlen(cases[i].bytes), &err));
        assert_int_equal(engine_describe(replay, path, &tensors, &err), LQ_ERR_MODEL);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu gave: %s", i, err.text);
    }
    write_recording("", 1); // one byte short
    assert_int_equal(engine_open(replay, &engine, path, &options, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "shorter than its header says"));
    assert_int_equal(engine_open(replay, &engine, "/no/such/file", &options, &err), LQ_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_play_round_and_round),
        cmocka_unit_test(failures_and_delays_are_played_too),
        cmocka_unit_test(another_input_size_is_refused),
        cmocka_unit_test(damaged_files_are_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
