#include "frame/frame.h"

#include <string.h>

#include "base/limits.h"
#include "frame/mask.h"
#include "frame/report.h"
#include "unit/hand.h"

static struct lq_job job_for(const void *bytes, size_t len)
{
    struct lq_job job;
    lq_job_init(&job);
    lq_buf_clear(&output);
    job.input = bytes;
    job.input_len = len;
    job.output = &output;
    return job;
}

static void a_hand_is_painted_and_timed(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job = job_for(input.data, input.len);
    assert_ok(lq_buf_append(&output, "headroom", 8));
    assert_ok(lq_pipe_run(pipe_, &job, &err));
    assert_memory_equal(output.data, "headroom", 8);
    assert_int_equal(lq_picture_sniff(output.data + 8, output.len - 8), LQ_PICTURE_JPEG);
    assert_int_equal(job.width, 640);
    assert_int_equal(job.height, 480);
    assert_true(job.nails->count >= 3);
    uint32_t sum = 0;
    for (int i = 0; i < LQ_STAGE_COUNT; i++)
        sum += job.stage_us[i];
    assert_int_equal(sum, job.total_us);
    assert_true(job.stage_us[LQ_STAGE_INFER] > 0);
}

static void nails_only_encodes_nothing(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job = job_for(input.data, input.len);
    job.paint = false;
    job.output = NULL;
    assert_ok(lq_pipe_run(pipe_, &job, &err));
    assert_true(job.nails->count >= 3);
    assert_int_equal(job.stage_us[LQ_STAGE_PAINT] + job.stage_us[LQ_STAGE_ENCODE], 0);
    json_t *ms = lq_report_ms(&job);
    assert_null(json_object_get(ms, "paint"));
    assert_non_null(json_object_get(ms, "infer"));
    json_decref(ms);
}

static void the_other_kind_can_be_asked_for(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job = job_for(input.data, input.len);
    job.kind_out = LQ_PICTURE_PNG;
    assert_ok(lq_pipe_run(pipe_, &job, &err));
    assert_int_equal(lq_picture_sniff(output.data, output.len), LQ_PICTURE_PNG);
}

static void a_bad_picture_leaves_the_reply_as_it_was(void **state)
{
    (void)state;
    struct lq_error err;
    const struct { const char *bytes; size_t len; int status; } bad[] = {
        {"", 0, LQ_ERR_FORMAT},
        {"hello, this is no picture at all", 32, LQ_ERR_FORMAT},
        {(const char *)input.data, 400, LQ_ERR_CORRUPT},
        {(const char *)input.data, input.len / 2, LQ_ERR_CORRUPT},
    };
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        struct lq_job job = job_for(bad[i].bytes, bad[i].len);
        assert_ok(lq_buf_append(&output, "headroom", 8));
        assert_int_equal(lq_pipe_run(pipe_, &job, &err), bad[i].status);
        assert_int_equal(output.len, 8);
        assert_true(strlen(err.text) > 10);
    }
    struct lq_job job = job_for(input.data, input.len); // the next picture succeeds
    assert_ok(lq_pipe_run(pipe_, &job, &err));
}

static void a_picture_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job = job_for(input.data, input.len);
    job.pixels_max = 640 * 480 - 1;
    assert_int_equal(lq_pipe_run(pipe_, &job, &err), LQ_ERR_TOO_LARGE);
}

static void masks_and_json_have_the_same_nails(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job = job_for(input.data, input.len);
    assert_ok(lq_pipe_run(pipe_, &job, &err));
    struct lq_buf pixels;
    struct lq_image mask;
    lq_buf_init(&pixels, 1 << 20);
    assert_ok(lq_image_alloc(&mask, &pixels, job.width, job.height, 1, 8));
    lq_mask_draw(&mask, job.nails);
    long painted = 0, area = 0;
    for (int y = 0; y < mask.height; y++)
        for (int x = 0; x < mask.width; x++)
            painted += lq_image_row(&mask, y)[x] >= 128;
    for (int i = 0; i < job.nails->count; i++)
        area += job.nails->items[i].area;
    assert_true(painted > 0 && painted <= area);
    json_t *nails = lq_report_nails(job.nails, true);
    assert_int_equal(json_array_size(nails), job.nails->count);
    json_t *first = json_array_get(nails, 0);
    assert_int_equal(json_integer_value(json_object_get(first, "id")), 1);
    assert_int_equal(json_array_size(json_object_get(first, "box")), 4);
    assert_true(json_number_value(json_object_get(first, "length")) > 1);
    json_decref(nails);
    lq_buf_release(&pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_is_painted_and_timed),
        cmocka_unit_test(nails_only_encodes_nothing),
        cmocka_unit_test(the_other_kind_can_be_asked_for),
        cmocka_unit_test(a_bad_picture_leaves_the_reply_as_it_was),
        cmocka_unit_test(a_picture_over_the_limit_is_refused),
        cmocka_unit_test(masks_and_json_have_the_same_nails),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
