// Compares frames of a video decoded in part with the same frames decoded whole: the same nails, in
// nearly the same light.
#include "frame/frame.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nail/track.h"
#include "unit/hand.h"

enum { FRAMES = 30, FPS = 30 };

// The values that a frame's reply depends on.
struct seen {
    bool is_part, propagated;
    struct lq_nails nails;
    uint8_t *alpha[LQ_NAILS_MAX];
    struct lq_scene scene;
};

static struct lq_buf film;

static int open_film(void **state)
{
    struct lq_error err;
    lq_buf_init(&film, 1 << 24);
    return lq_file_read("tests/e2e/hand.mjpeg", &film, &err) == LQ_OK ? open_all(state) : -1;
}

static int close_film(void **state)
{
    lq_buf_release(&film);
    return close_all(state);
}

// Bytes from a mask's first to its last pixel: behind that one the last row has no padding of its
// own.
static size_t mask_bytes(const struct lq_nail *nail)
{
    return nail->alpha_stride * (size_t)(nail->crop.height - 1) + (size_t)nail->crop.width;
}

static void keep(struct seen *seen, const struct lq_job *job)
{
    seen->is_part = job->is_part;
    seen->propagated = job->propagated;
    seen->nails = *job->nails;
    seen->scene = *job->scene;
    for (int i = 0; i < job->nails->count; i++) {
        const struct lq_nail *nail = &job->nails->items[i];
        seen->alpha[i] = malloc(mask_bytes(nail));
        assert_non_null(seen->alpha[i]);
        memcpy(seen->alpha[i], nail->alpha, mask_bytes(nail));
    }
}

static void run(struct seen *seen, struct lq_surround_memory *surround, bool propagate)
{
    static const uint8_t seam[] = {0xff, 0xd9, 0xff, 0xd8};
    struct lq_tracker *tracker;
    struct lq_error err;
    const uint8_t *from = film.data, *end = film.data + film.len;
    assert_ok(lq_tracker_new(&tracker));
    for (int i = 0; i < FRAMES; i++) {
        const uint8_t *next = memmem(from, (size_t)(end - from), seam, sizeof seam);
        assert_non_null(next);
        struct lq_scene scene;
        struct lq_job job;
        lq_job_init(&job);
        job.input = from;
        job.input_len = (size_t)(next + 2 - from);
        job.paint = false;
        job.hands = true;
        job.tracker = tracker;
        job.time_us = (uint64_t)i * 1000000 / FPS + 1;
        job.scene = &scene;
        job.surround = surround;
        job.may_propagate = propagate;
        assert_ok(lq_pipe_run(pipe_, &job, &err));
        keep(&seen[i], &job);
        from = next + 2;
    }
    lq_tracker_free(tracker);
}

static void release(struct seen *seen)
{
    for (int i = 0; i < FRAMES; i++)
        for (int n = 0; n < seen[i].nails.count; n++)
            free(seen[i].alpha[n]);
}

static void assert_same_nail(const struct seen *whole, const struct seen *part, int n)
{
    const struct lq_nail *a = &whole->nails.items[n], *b = &part->nails.items[n];
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->finger, b->finger);
    assert_int_equal(a->tip_known, b->tip_known);
    assert_int_equal(a->crop.x, b->crop.x);
    assert_int_equal(a->crop.y, b->crop.y);
    assert_int_equal(a->crop.width, b->crop.width);
    assert_int_equal(a->crop.height, b->crop.height);
    assert_memory_equal(whole->alpha[n], part->alpha[n], mask_bytes(a));
    assert_true(fabsf(a->axis_x - b->axis_x) < 1e-6f && fabsf(a->axis_y - b->axis_y) < 1e-6f);
    assert_memory_equal(&whole->scene.fits[n], &part->scene.fits[n], sizeof whole->scene.fits[n]);
}

// The difference of two lights, in natural logarithms.
static float apart(const struct lq_light *a, const struct lq_light *b)
{
    float most = fabsf(logf(a->exposure / b->exposure));
    for (int c = 0; c < 3; c++)
        most = fmaxf(most, fabsf(logf(a->tint[c] / b->tint[c])));
    return most;
}

static void compare(bool propagate, int parts_min)
{
    static struct seen whole[FRAMES], part[FRAMES];
    struct lq_surround_memory *surround;
    int parts = 0, propagated = 0, nails = 0;
    float most = 0;
    assert_ok(lq_surround_memory_new(&surround));
    run(whole, NULL, propagate);
    run(part, surround, propagate);
    for (int i = 0; i < FRAMES; i++) {
        assert_false(whole[i].is_part);
        assert_int_equal(whole[i].propagated, part[i].propagated);
        assert_int_equal(whole[i].nails.count, part[i].nails.count);
        for (int n = 0; n < whole[i].nails.count; n++)
            assert_same_nail(&whole[i], &part[i], n);
        most = fmaxf(most, apart(&whole[i].scene.light, &part[i].scene.light));
        parts += part[i].is_part;
        propagated += part[i].is_part && part[i].propagated;
        nails += whole[i].nails.count;
    }
    print_message("%d of %d frames in part, %d of these propagated; light at most %.4f apart\n",
                  parts, FRAMES, propagated, (double)most);
    assert_true(parts >= parts_min && nails >= 3 * FRAMES);
    assert_true(propagate == (propagated > 0));
    assert_true(most < 0.02f); // 2 %; one grey level at mid grey is 1 %
    release(whole);
    release(part);
    lq_surround_memory_free(surround);
}

static void the_same_nails_are_found(void **state)
{
    (void)state;
    compare(false, FRAMES / 2);
}

static void the_same_nails_are_propagated(void **state)
{
    (void)state;
    compare(true, FRAMES / 3);
}

static void a_painted_frame_is_decoded_whole(void **state)
{
    (void)state;
    struct lq_surround_memory *surround;
    struct lq_surround any = lq_surround_plain;
    assert_ok(lq_surround_memory_new(&surround));
    lq_surround_memory_keep(surround, &any);
    struct lq_tracker *tracker;
    struct lq_error err;
    assert_ok(lq_tracker_new(&tracker));
    for (int i = 0; i < 4; i++) {
        struct lq_job job;
        lq_job_init(&job);
        lq_buf_clear(&output);
        job.input = input.data;
        job.input_len = input.len;
        job.output = &output;
        job.tracker = tracker;
        job.time_us = (uint64_t)i * 1000000 / FPS + 1;
        job.surround = surround;
        assert_ok(lq_pipe_run(pipe_, &job, &err));
        assert_false(job.is_part);
    }
    lq_tracker_free(tracker);
    lq_surround_memory_forget(surround);
    assert_false(lq_surround_memory_get(surround, NULL));
    lq_surround_memory_free(surround);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_nails_are_found),
        cmocka_unit_test(the_same_nails_are_propagated),
        cmocka_unit_test(a_painted_frame_is_decoded_whole),
    };
    return cmocka_run_group_tests(tests, open_film, close_film);
}
