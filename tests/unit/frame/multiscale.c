#include "frame/multiscale.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "frame/mask.h"
#include "nail/track.h"
#include "unit/hand.h"

enum { WIDTH = 960, HEIGHT = 720, LEFT = 320, TOP = 240, SMALL = 2 };

static struct lq_buf far_pixels, far_truth, decoded, mask_pixels;
static struct lq_image far_hand, truth; // the hand at half its size in a wide grey picture

static void shrink_into(const struct lq_image *from, struct lq_image *to)
{
    for (int y = 0; y < from->height / SMALL; y++)
        for (int x = 0; x < from->width / SMALL; x++)
            for (int c = 0; c < to->channels; c++) {
                int sum = 0;
                for (int i = 0; i < SMALL * SMALL; i++)
                    sum += lq_image_row(
                        from, SMALL * y + i / SMALL)[(SMALL * x + i % SMALL) * from->channels + c];
                lq_image_row(to, TOP + y)[(LEFT + x) * to->channels + c] =
                    (uint8_t)(sum / (SMALL * SMALL));
            }
}

static void load_far(const char *path, int channels, int ground, struct lq_buf *buf,
                     struct lq_image *image)
{
    struct lq_error err;
    struct lq_codec *codec;
    struct lq_buf file;
    struct lq_image near;
    lq_buf_init(&file, 1 << 20);
    assert_ok(lq_file_read(path, &file, &err));
    assert_ok(lq_codec_new(&codec, &err));
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                              &decoded, &near, NULL, &err));
    assert_ok(lq_image_alloc(image, buf, WIDTH, HEIGHT, channels, 8));
    for (int y = 0; y < HEIGHT; y++)
        memset(lq_image_row(image, y), ground, (size_t)(WIDTH * channels));
    shrink_into(&near, image);
    lq_codec_free(codec);
    lq_buf_release(&file);
}

static int open_far(void **state)
{
    lq_buf_init(&far_pixels, 1 << 22);
    lq_buf_init(&far_truth, 1 << 22);
    lq_buf_init(&decoded, 1 << 22);
    lq_buf_init(&mask_pixels, 1 << 22);
    return open_all(state);
}

static int close_far(void **state)
{
    lq_buf_release(&far_pixels);
    lq_buf_release(&far_truth);
    lq_buf_release(&decoded);
    lq_buf_release(&mask_pixels);
    return close_all(state);
}

static double iou_with(const struct lq_nails *nails)
{
    struct lq_image mask;
    long shared = 0, either = 0;
    assert_ok(lq_image_alloc(&mask, &mask_pixels, WIDTH, HEIGHT, 1, 8));
    lq_mask_draw(&mask, nails);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            bool found = lq_image_row(&mask, y)[x] >= 128,
                 drawn = lq_image_row(&truth, y)[x] >= 128;
            shared += found && drawn;
            either += found || drawn;
        }
    return (double)shared / (double)either;
}

static double iou_of(bool multiscale)
{
    struct lq_error err;
    struct lq_job job;
    lq_job_init(&job);
    job.paint = false;
    job.multiscale = multiscale;
    assert_ok(lq_pipe_run_image(pipe_, &job, &far_hand, &err));
    return iou_with(job.nails);
}

static void a_far_hand_gains_by_the_multiscale_pass(void **state)
{
    (void)state;
    load_far("tests/golden/hands/light.jpg", 3, 90, &far_pixels, &far_hand);
    load_far("tests/golden/hands/light.mask.png", 1, 0, &far_truth, &truth);
    double once = iou_of(false), twice = iou_of(true);
    print_message("IoU of a far hand: %.3f at once, %.3f at a second look\n", once, twice);
    assert_true(twice > once + 0.03);
    assert_true(iou_of(false) == once); // the next picture gets a single pass again
}

// A frame of a video; returns how often the network ran.
static int show(struct lq_tracker *tracker, struct lq_image *picture, uint64_t ms, bool smooth,
                double *iou)
{
    struct lq_error err;
    struct lq_job job;
    lq_job_init(&job);
    job.paint = false;
    job.tracker = tracker;
    job.smooth = smooth;
    job.time_us = ms * 1000;
    assert_ok(lq_pipe_run_image(pipe_, &job, picture, &err));
    *iou = iou_with(job.nails);
    return job.passes;
}

static void a_hand_that_comes_into_a_video_is_looked_at_twice(void **state)
{
    (void)state;
    struct lq_tracker *tracker;
    struct lq_buf pixels;
    struct lq_image empty, narrower = far_hand;
    double once = iou_of(false), first, iou;
    lq_buf_init(&pixels, 1 << 22);
    assert_ok(lq_image_alloc(&empty, &pixels, WIDTH, HEIGHT, 3, 8));
    memset(empty.data, 90, empty.stride * (size_t)HEIGHT);
    assert_ok(lq_tracker_new(&tracker));
    assert_int_equal(show(tracker, &empty, 1000, true, &iou), 1);
    assert_int_equal(show(tracker, &far_hand, 1033, true, &first), 2);
    print_message("IoU of a far hand: %.3f at once, %.3f in a video's first frame\n", once, first);
    assert_true(first > once + 0.03);
    for (uint64_t ms = 1066; ms < 1300; ms += 33) {
        assert_int_equal(show(tracker, &far_hand, ms, true, &iou), 1);
        assert_true(iou > first - 0.03); // no frame is outlined worse than the first
    }
    assert_int_equal(show(tracker, &empty, 5000, true, &iou), 1);
    assert_int_equal(show(tracker, &far_hand, 5033, true, &iou), 2); // it came again
    narrower.width -= 2;
    assert_int_equal(show(tracker, &narrower, 5066, true, &iou), 2); // the camera was turned
    lq_tracker_rest(tracker);
    assert_int_equal(show(tracker, &narrower, 1000, true, &iou), 2); // another video
    lq_tracker_rest(tracker);
    assert_int_equal(show(tracker, &far_hand, 1000, false, &iou), 1); // nothing is smoothed
    lq_tracker_free(tracker);
    lq_buf_release(&pixels);
}

static const struct lq_pixel_box WIDE = {396, 330, 224, 168}, NEAR = {480, 420, 72, 54};

// The first frame of a video that shows this part of the hand, as it is or mirrored. Returns the
// sum of its nails' middles, in pixels from the left (of the mirrored one: from the right).
static float middles_of_part(const struct lq_pixel_box *part, bool mirrored, bool smooth,
                             int *passes)
{
    struct lq_error err;
    struct lq_job job;
    struct lq_buf pixels;
    struct lq_image near;
    float sum = 0.0f;
    lq_buf_init(&pixels, 1 << 22);
    assert_ok(lq_image_alloc(&near, &pixels, part->width, part->height, 3, 8));
    for (int y = 0; y < near.height; y++)
        for (int x = 0; x < near.width; x++)
            memcpy(lq_image_row(&near, y) + 3 * (mirrored ? near.width - 1 - x : x),
                   lq_image_row(&far_hand, part->y + y) + 3 * (part->x + x), 3);
    lq_job_init(&job);
    job.paint = false;
    assert_ok(lq_tracker_new(&job.tracker));
    job.smooth = smooth;
    assert_ok(lq_pipe_run_image(pipe_, &job, &near, &err));
    for (int i = 0; i < job.nails->count; i++) {
        float middle = job.nails->items[i].center_x;
        sum += mirrored ? (float)near.width - middle : middle;
    }
    *passes = job.passes;
    lq_tracker_free(job.tracker);
    lq_buf_release(&pixels);
    return sum;
}

// Large nails fill a window nearly as large as the picture: the second pass is a mirrored one, and
// nothing depends on the side any more.
static void a_near_hand_is_looked_at_mirrored(void **state)
{
    (void)state;
    int passes;
    float single = fabsf(middles_of_part(&NEAR, false, false, &passes) -
                         middles_of_part(&NEAR, true, false, &passes));
    assert_int_equal(passes, 1);
    float both = fabsf(middles_of_part(&NEAR, false, true, &passes) -
                       middles_of_part(&NEAR, true, true, &passes));
    assert_int_equal(passes, 2);
    print_message("nails of a mirrored hand lie %.3f px elsewhere by one pass, %.3f by two\n",
                  (double)single, (double)both);
    assert_true(single > 0.02f && both < 0.2f * single);
}

// No region holds the nails of a hand that fills the picture: a window each for some of them.
static void a_wide_hand_is_looked_at_in_windows(void **state)
{
    (void)state;
    int passes;
    middles_of_part(&WIDE, false, false, &passes);
    assert_int_equal(passes, 1);
    middles_of_part(&WIDE, false, true, &passes);
    assert_int_equal(passes, 4);
}

// Later frames look at some of its nails in turn, and show all of them.
static void a_wide_hand_keeps_its_nails(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job;
    struct lq_image wide = lq_image_part(&far_hand, &WIDE);
    struct lq_tracker *tracker;
    int count = 0;
    assert_ok(lq_tracker_new(&tracker));
    for (uint64_t ms = 1000; ms < 1700; ms += 33) {
        lq_job_init(&job);
        job.paint = false;
        job.hands = true;
        job.tracker = tracker;
        job.time_us = ms * 1000;
        assert_ok(lq_pipe_run_image(pipe_, &job, &wide, &err));
        count = ms == 1000 ? job.nails->count : count;
        assert_true(count >= 4);
        assert_int_equal(job.nails->count, count);
    }
    lq_tracker_free(tracker);
}

// Runs the multi-scale pass after a first pass that found one nail of this length in the middle.
// *points: grid points in a row of the nail's patch; 0: no patch.
static int look(float length, int patch_count, bool single, uint64_t deadline_us, int *points,
                struct lq_error *err)
{
    const struct lq_patch *fine;
    static const uint8_t alpha[16 * 16];
    static const float grid[4];
    struct lq_runner *runner;
    struct lq_multiscale *multiscale;
    struct lq_image picture = far_hand;
    struct lq_nails nails = {.count = length > 0.0f};
    nails.items[0] = (struct lq_nail){.crop = {472, 352, 16, 16},
                                      .alpha = alpha,
                                      .alpha_stride = 16,
                                      .center_x = 480,
                                      .center_y = 360,
                                      .length = length,
                                      .width = 10,
                                      .confidence = 0.9f};
    struct lq_patch patches[2] = {{.single = single,
                                   .threshold = 0.5f,
                                   .width = 2,
                                   .height = 2,
                                   .stride = 2,
                                   .data = grid,
                                   .x0 = 240,
                                   .y0 = 180,
                                   .dx = 480,
                                   .dy = 360,
                                   .box = {0, 0, WIDTH, HEIGHT}}};
    assert_ok(lq_runner_new(&runner, model, err));
    assert_ok(lq_multiscale_new(&multiscale));
    const struct lq_first_pass found = {patches, patch_count, &nails};
    struct lq_passes passes = {.runner = runner, .deadline_us = deadline_us, .exclusive = true};
    int status = lq_multiscale_detect(multiscale, &picture, &found, &passes, &fine, err);
    *points = fine ? fine->width : 0;
    lq_multiscale_free(multiscale);
    lq_runner_free(runner);
    return status;
}

static void only_small_nails_get_a_window(void **state)
{
    (void)state;
    struct lq_error err;
    int points;
    assert_ok(look(16, 1, false, 0, &points, &err));
    assert_true(points > 2);
    assert_ok(look(300, 1, false, 0, &points, &err)); // no window
    assert_int_equal(points, 2);
    assert_ok(look(0, 1, false, 0, &points, &err));
    assert_int_equal(points, 0);
    assert_ok(look(16, 1, true, 0, &points, &err)); // one nail's own patch
    assert_int_equal(points, 0);
    assert_ok(look(16, 2, false, 0, &points, &err));
    assert_int_equal(points, 0);
}

static void a_picture_nobody_waits_for_is_skipped(void **state)
{
    (void)state;
    struct lq_error err;
    int points;
    assert_int_equal(look(16, 1, false, 1, &points, &err), LQ_ERR_TIMEOUT);
    assert_int_equal(points, 0);
}

static void count_pause(void *context)
{
    ++*(int *)context;
}

// Another picture is processed by a separate pipe in the same thread.
struct other {
    struct lq_pipe *pipe;
    int pauses;
};

static void run_another(void *context)
{
    struct other *other = context;
    struct lq_error err;
    struct lq_job job;
    struct lq_image picture = far_hand;
    other->pauses++;
    lq_job_init(&job);
    job.paint = false;
    assert_ok(lq_pipe_run_image(other->pipe, &job, &picture, &err));
}

static void a_still_pauses_between_its_steps(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job;
    struct lq_image picture = far_hand;
    struct other other = {0};
    float before = 0;
    assert_ok(lq_pipe_new(&other.pipe, model, &err));
    for (int with = 0; with < 2; with++) {
        int pauses = 0;
        lq_job_init(&job);
        job.paint = false;
        job.multiscale = true;
        job.pause = with ? run_another : count_pause;
        job.pause_context = with ? (void *)&other : &pauses;
        assert_ok(lq_pipe_run_image(pipe_, &job, &picture, &err));
        assert_true(job.passes > 3);
        // There is at least one pause before each pass, and work done in a pause changes nothing.
        assert_true((with ? other.pauses : pauses) >= job.passes - 1);
        float found = 0;
        for (int i = 0; i < job.nails->count; i++)
            found += job.nails->items[i].center_x + job.nails->items[i].length;
        assert_true(job.nails->count > 0 && (!with || found == before));
        before = found;
    }
    lq_pipe_free(other.pipe);
}

static void a_pipe_at_rest_has_no_picture(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_job job;
    for (int turn = 0; turn < 2; turn++) {
        lq_job_init(&job);
        job.input = input.data;
        job.input_len = input.len;
        job.paint = false;
        assert_ok(lq_pipe_run(pipe_, &job, &err));
        assert_true(job.nails->count > 0 && lq_pipe_bytes(pipe_) > 0);
        assert_ok(lq_pipe_rest(pipe_));
        assert_int_equal(lq_pipe_bytes(pipe_), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_far_hand_gains_by_the_multiscale_pass),
        cmocka_unit_test(a_hand_that_comes_into_a_video_is_looked_at_twice),
        cmocka_unit_test(a_near_hand_is_looked_at_mirrored),
        cmocka_unit_test(a_wide_hand_is_looked_at_in_windows),
        cmocka_unit_test(a_wide_hand_keeps_its_nails),
        cmocka_unit_test(only_small_nails_get_a_window),
        cmocka_unit_test(a_picture_nobody_waits_for_is_skipped),
        cmocka_unit_test(a_still_pauses_between_its_steps),
        cmocka_unit_test(a_pipe_at_rest_has_no_picture),
    };
    return cmocka_run_group_tests(tests, open_far, close_far);
}
