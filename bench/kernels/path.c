// Measures the processor time of each stage of the pipeline except the networks, with a tracker, as
// in a live session at 30 frames a second. The input is a Motion JPEG video; each value is the
// minimum of ROUNDS for each frame, averaged over the frames, so that other programs hardly affect
// it. In a first round, which is not counted, the network runs and its outputs are recorded; the
// other rounds replay them.
//
//   bench-path [VIDEO.mjpeg [ROUNDS]]
#include "base/clock.h"
#include "model/model.h"

#include <time.h>

static uint64_t processor_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static int infer_or_not(struct lq_runner *runner, uint64_t deadline_us, struct lq_error *err);
static int patches_or_recorded(struct lq_runner *runner, const struct lq_patch **patches,
                               int *count, struct lq_error *err);

// Includes the pipeline's own source, with this clock and the recorded outputs.
#define lq_clock_us processor_us
#define lq_runner_infer infer_or_not
#define lq_runner_patches patches_or_recorded
#define open_parts open_detector_parts
#define free_parts free_detector_parts
#include "frame/detect.c"
#undef open_parts
#undef free_parts
#include "frame/frame.c"
#undef lq_runner_infer
#undef lq_runner_patches

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { FRAMES_MAX = 24, ROUNDS = 10, FPS = 30 };

struct video {
    struct lq_buf frames[FRAMES_MAX];
    int count;
};

// The reply to a frame. NAILS_WHOLE: nails, from a frame decoded at full size.
enum reply { NAILS_WHOLE, NAILS, PICTURE, REPLIES };

struct bench {
    struct lq_codec *codec;
    struct lq_model *model;
    struct lq_pipe *pipe;
    struct lq_buf file, output;
    struct video video, wide; // as given; its middle in 16:9, twice as large
    uint32_t least[REPLIES][FRAMES_MAX][LQ_STAGE_COUNT + 1]; // microseconds; the last: the total
    size_t bytes[REPLIES];
    struct lq_surround_memory *surround;
    struct lq_error err;
};

// ---- the network's outputs

static struct {
    bool on;   // run the network
    int frame; // the current one
    struct lq_patch patches[FRAMES_MAX]; // a map of the whole frame or of a region
    struct lq_buf data[FRAMES_MAX];
} record;

static int infer_or_not(struct lq_runner *runner, uint64_t deadline_us, struct lq_error *err)
{
    return record.on ? lq_runner_infer(runner, deadline_us, err) : LQ_OK;
}

static int patches_or_recorded(struct lq_runner *runner, const struct lq_patch **patches,
                               int *count, struct lq_error *err)
{
    struct lq_patch *patch = &record.patches[record.frame];
    struct lq_buf *data = &record.data[record.frame];
    if (record.on) {
        int status = lq_runner_patches(runner, patches, count, err);
        if (status != LQ_OK)
            return status;
        *patch = **patches;
        size_t floats = (size_t)patch->stride * (size_t)patch->height;
        data->max = 64 << 20;
        if (lq_buf_resize(data, floats * sizeof(float)) != LQ_OK)
            return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
        memcpy(data->data, patch->data, floats * sizeof(float));
        patch->data = (const float *)(const void *)data->data;
    }
    *patches = patch;
    *count = 1;
    return LQ_OK;
}

// ---- the frames

// Splits concatenated JPEGs: one ends where an end marker is followed by a start marker.
static int split(struct bench *b, struct video *video)
{
    static const uint8_t seam[] = {0xff, 0xd9, 0xff, 0xd8};
    const uint8_t *from = b->file.data;
    int status = LQ_OK;
    for (size_t left = b->file.len; status == LQ_OK && left > 0 && video->count < FRAMES_MAX;) {
        const uint8_t *next = memmem(from, left, seam, sizeof seam);
        size_t len = next ? (size_t)(next - from) + 2 : left;
        struct lq_buf *frame = &video->frames[video->count++];
        lq_buf_init(frame, LQ_MESSAGE_BYTES_MAX);
        status = lq_buf_append(frame, from, len);
        from += len;
        left -= len;
    }
    return status;
}

// Interpolates between pixels, as a camera's own scaler does.
static uint8_t between(const struct lq_image *image, int x, int y, int c)
{
    int i = x / 2, j = y / 2, right = i + (x & 1 && i + 1 < image->width);
    int below = j + (y & 1 && j + 1 < image->height);
    const uint8_t *upper = lq_image_row(image, j), *lower = lq_image_row(image, below);
    return (uint8_t)((upper[3 * i + c] + upper[3 * right + c] + lower[3 * i + c] +
                      lower[3 * right + c] + 2) / 4);
}

static int widen(struct bench *b, const struct lq_buf *from, struct lq_buf *to)
{
    struct lq_buf pixels, large;
    struct lq_image image, out;
    lq_buf_init(&pixels, 64 << 20);
    lq_buf_init(&large, 64 << 20);
    lq_buf_init(to, LQ_MESSAGE_BYTES_MAX);
    const struct lq_picture_file file = {from->data, from->len, LQ_FRAME_PIXELS_MAX};
    int status = lq_codec_decode(b->codec, &file, &pixels, &image, NULL, &b->err);
    int height = status == LQ_OK ? image.width * 9 / 16 : 0;
    if (status == LQ_OK && height <= image.height) {
        const struct lq_pixel_box middle = {0, (image.height - height) / 2, image.width, height};
        image = lq_image_part(&image, &middle);
        status = lq_image_alloc(&out, &large, 2 * image.width, 2 * height, 3, 8);
        for (int y = 0; status == LQ_OK && y < out.height; y++)
            for (int i = 0; i < 3 * out.width; i++)
                lq_image_row(&out, y)[i] = between(&image, i / 3, y, i % 3);
        if (status == LQ_OK)
            status = lq_codec_encode_jpeg(b->codec, &out, 82, NULL, to, &b->err);
    }
    lq_buf_release(&pixels);
    lq_buf_release(&large);
    return status;
}

// ---- the stages

static int run_frame(struct bench *b, struct lq_tracker *tracker, const struct lq_buf *frame, int i,
                     enum reply reply)
{
    struct lq_job job;
    struct lq_scene scene;
    lq_job_init(&job);
    job.input = frame->data;
    job.input_len = frame->len;
    job.tracker = tracker;
    job.time_us = (uint64_t)i * 1000000 / FPS + 1;
    job.exclusive = false;
    job.paint = reply == PICTURE;
    job.output = &b->output;
    job.scene = job.paint ? NULL : &scene;
    job.surround = reply == NAILS ? b->surround : NULL;
    lq_buf_clear(&b->output);
    record.frame = i;
    int status = lq_pipe_run(b->pipe, &job, &b->err);
    if (status != LQ_OK || record.on)
        return status;
    uint32_t *least = b->least[reply][i];
    for (int s = 0; s < LQ_STAGE_COUNT; s++)
        least[s] = job.stage_us[s] < least[s] ? job.stage_us[s] : least[s];
    least[LQ_STAGE_COUNT] = job.total_us < least[LQ_STAGE_COUNT] ? job.total_us
                                                                 : least[LQ_STAGE_COUNT];
    b->bytes[reply] += b->output.len;
    return LQ_OK;
}

static int run_video(struct bench *b, const struct video *video, enum reply reply,
                     bool with_network)
{
    record.on = with_network;
    lq_surround_memory_forget(b->surround);
    struct lq_tracker *tracker = NULL;
    int status = lq_tracker_new(&tracker);
    for (int i = 0; status == LQ_OK && i < video->count; i++)
        status = run_frame(b, tracker, &video->frames[i], i, reply);
    lq_tracker_free(tracker);
    return status;
}

static void print_row(const struct bench *b, enum reply reply, const char *size, const char *name,
                      int frames, long rounds)
{
    printf("%-9s %-21s", size, name);
    for (int s = 0; s <= LQ_STAGE_COUNT; s++) {
        double sum = 0;
        for (int i = 0; i < frames; i++)
            sum += b->least[reply][i][s] / 1e3 / frames;
        printf(" %8.3f", sum);
    }
    printf(" %6zu\n", b->bytes[reply] / (size_t)frames / (size_t)rounds);
}

// Measures the kinds of reply alternately, so that other load on this machine affects all alike.
static int measure_video(struct bench *b, const struct video *video, const char *size, long rounds)
{
    static const char *const names[REPLIES] = {"nails, decoded whole", "nails", "JPEG"};
    int status = run_video(b, video, NAILS_WHOLE, true);
    memset(b->least, 0xff, sizeof b->least);
    memset(b->bytes, 0, sizeof b->bytes);
    for (long i = 0; i < rounds; i++)
        for (int reply = 0; status == LQ_OK && reply < REPLIES; reply++)
            status = run_video(b, video, (enum reply)reply, false);
    for (int reply = 0; status == LQ_OK && reply < REPLIES; reply++)
        print_row(b, (enum reply)reply, size, names[reply], video->count, rounds);
    return status;
}

static int measure_all(struct bench *b, long rounds)
{
    printf("ms of a core, by reply         ");
    for (int s = 0; s < LQ_STAGE_COUNT; s++)
        printf(" %8s", lq_stage_name((enum lq_stage)s));
    printf(" %8s %6s\n", "total", "bytes");
    int status = measure_video(b, &b->video, "640x480", rounds);
    return status == LQ_OK ? measure_video(b, &b->wide, "1280x720", rounds) : status;
}

// ---- the whole program

static int bench_open(struct bench *b, const char *video)
{
    const struct lq_model_options options = {.engine = "openvino", .tune = LQ_TUNE_THROUGHPUT};
    lq_buf_init(&b->file, LQ_FILE_BYTES_MAX);
    lq_buf_init(&b->output, LQ_MESSAGE_BYTES_MAX);
    int status = lq_codec_new(&b->codec, &b->err);
    if (status == LQ_OK)
        status = lq_file_read(video, &b->file, &b->err);
    if (status == LQ_OK)
        status = split(b, &b->video);
    for (int i = 0; status == LQ_OK && i < b->video.count; i++)
        status = widen(b, &b->video.frames[i], &b->wide.frames[b->wide.count++]);
    if (status == LQ_OK)
        status = lq_surround_memory_new(&b->surround);
    if (status == LQ_OK)
        status = lq_model_open(&b->model, lq_model_default_path(), &options, &b->err);
    return status == LQ_OK ? lq_pipe_new(&b->pipe, b->model, &b->err) : status;
}

static void bench_close(struct bench *b)
{
    lq_pipe_free(b->pipe);
    lq_model_close(b->model);
    lq_codec_free(b->codec);
    lq_surround_memory_free(b->surround);
    lq_buf_release(&b->file);
    lq_buf_release(&b->output);
    for (int i = 0; i < FRAMES_MAX; i++) {
        lq_buf_release(&b->video.frames[i]);
        lq_buf_release(&b->wide.frames[i]);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : ROUNDS;
    if (rounds < 1 || rounds > 1000) {
        fprintf(stderr, "path: rounds must be 1 to 1000\n");
        return 2;
    }
    int status = bench_open(&b, argc > 1 ? argv[1] : "tests/e2e/hand.mjpeg");
    if (status == LQ_OK)
        status = measure_all(&b, rounds);
    if (status != LQ_OK)
        fprintf(stderr, "path: %s\n", b.err.text);
    bench_close(&b);
    return status != LQ_OK;
}
