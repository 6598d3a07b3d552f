// lacquer eval: a model's masks against hand-drawn ones.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/bench_stats.h"
#include "cli/cli.h"
#include "cli/eval.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/raw_mask.h"
#include "frame/frame.h"
#include "frame/mask.h"

struct eval {
    struct lq_cli_model model;
    const char *images, *masks, *write, *directions;
    bool raw, json, sequence, steady, fast;
    double fps;
    int every;
};

enum { OPT_IMAGES = 0x200, OPT_MASKS, OPT_WRITE, OPT_RAW, OPT_JSON, OPT_SEQUENCE, OPT_FPS,
       OPT_NO_SMOOTHING, OPT_EVERY, OPT_FAST, OPT_DIRECTIONS };

static const struct argp_option options[] = {
    {"images", OPT_IMAGES, "DIR", 0, "Pictures (.jpg, .jpeg, .png)", 1},
    {"masks", OPT_MASKS, "DIR", 0,
     "Drawn masks of the same file stem (.png; nail where >= 128). Without it the pictures are "
     "taken to show no nails", 1},
    {"directions", OPT_DIRECTIONS, "FILE", 0,
     "JSON that says of each picture's nails which way they point and which fingers they are on "
     "(docs/ACCURACY.md has its form): measures what is told of both", 1},
    {"write-masks", OPT_WRITE, "DIR", 0, "Keep the predicted masks as PNG", 1},
    {"raw", OPT_RAW, NULL, 0,
     "Measure the network alone, without the nail stage that drops specks and refines edges", 1},
    {"fast", OPT_FAST, NULL, 0,
     "Run the network once a picture, as for a frame of a video. By default a multi-scale pass "
     "follows, as in `lacquer apply`", 1},
    {"sequence", OPT_SEQUENCE, NULL, 0,
     "The pictures are frames of one video in the order of their names: nails are tracked as in a "
     "live session, and flicker, lag and flips of direction are measured too", 1},
    {"fps", OPT_FPS, "N", 0, "Frames a second of the video (default 30)", 1},
    {"every", OPT_EVERY, "N", 0,
     "Run the network on each Nth frame of the video and propagate the nails in between, as a busy "
     "server does (1 to 3, default 1)", 1},
    {"no-smoothing", OPT_NO_SMOOTHING, NULL, 0, "Do not steady outlines from frame to frame", 1},
    {"json", OPT_JSON, NULL, 0, "Print the figures as JSON", 1},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct eval *eval = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &eval->model;
        return 0;
    case OPT_IMAGES:
        eval->images = arg;
        return 0;
    case OPT_MASKS:
        eval->masks = arg;
        return 0;
    case OPT_DIRECTIONS:
        eval->directions = arg;
        return 0;
    case OPT_WRITE:
        eval->write = arg;
        return 0;
    case OPT_RAW:
        eval->raw = true;
        return 0;
    case OPT_JSON:
        eval->json = true;
        return 0;
    case OPT_FAST:
        eval->fast = true;
        return 0;
    case OPT_SEQUENCE:
        eval->sequence = true;
        return 0;
    case OPT_FPS:
        eval->fps = lq_cli_number(state, "fps", arg, 1, 1000);
        return 0;
    case OPT_EVERY:
        eval->every = (int)lq_cli_integer(state, "every", arg, 1, LQ_PROPAGATED_FRAMES_MAX + 1);
        return 0;
    case OPT_NO_SMOOTHING:
        eval->steady = false;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not an option; see --images and --masks", arg);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!eval->images)
            argp_error(state, "which pictures? give --images DIR and --masks DIR");
        if (eval->sequence && !eval->masks)
            argp_error(state, "--sequence needs --masks: they say how the nails really move");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&lq_cli_model_argp, 0, NULL, 0}, {0}};

const struct argp lq_eval_argp = {
    options, parse, NULL,
    "Finds nails in every picture of a folder and compares them with drawn masks at full picture "
    "size: intersection over union over all pixels, its mean over pictures, boundary F at 2 px, "
    "nails found, missed and false, and paint on pictures without nails; the same by skin tone "
    "(ITA), nail size and light, which are read beside the drawn nails.",
    children, NULL, NULL};

static int is_picture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

struct work {
    struct lq_pipe *pipe;     // what is painted
    struct lq_runner *runner; // the network alone
    struct lq_tracker *tracker; // --sequence
    uint64_t time_us;           // … of the next frame
    int frame;                  // … its number
    struct lq_codec *codec;
    struct lq_buf file, pixels, drawn_pixels, drawn, predicted;
    struct lq_metrics metrics;
    struct lq_traits_reader traits;
    struct lq_samples ms; // one per picture that was measured
    struct lq_eval_figures figures;
};

// A picture, its two masks of one byte a pixel, and the time from pixels to nails.
struct sample {
    struct lq_image picture, predicted;
    const struct lq_nails *nails; // as painted; NULL: the network alone
    double ms;
};

static int place_masks(struct work *work, struct sample *sample, struct lq_error *err)
{
    int width = sample->picture.width, height = sample->picture.height;
    size_t pixels = (size_t)width * (size_t)height;
    if (lq_buf_resize(&work->drawn, pixels) != LQ_OK ||
        lq_buf_resize(&work->predicted, pixels) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    memset(work->drawn.data, 0, pixels);
    sample->predicted =
        (struct lq_image){work->predicted.data, width, height, 1, 8, (size_t)width};
    return LQ_OK;
}

static int paint_sample(const struct eval *eval, struct work *work, struct sample *sample,
                        struct lq_error *err)
{
    struct lq_job job;
    lq_job_init(&job);
    job.paint = false;
    job.tracker = work->tracker;
    job.time_us = work->time_us;
    job.smooth = eval->steady;
    job.multiscale = !eval->fast;
    job.hands = !eval->fast || eval->sequence;
    job.may_propagate = work->frame++ % eval->every != 0;
    work->time_us += (uint64_t)(1e6 / eval->fps);
    job.pixels_max = LQ_PICTURE_PIXELS_MAX;
    job.input = work->file.data;
    job.input_len = work->file.len;
    int status = lq_pipe_run(work->pipe, &job, err);
    if (status != LQ_OK)
        return status;
    sample->picture = *lq_pipe_picture(work->pipe);
    sample->ms = (job.total_us - job.stage_us[LQ_STAGE_DECODE]) / 1e3;
    status = place_masks(work, sample, err);
    if (status == LQ_OK) {
        lq_mask_draw(&sample->predicted, job.nails);
        sample->nails = job.nails;
    }
    return status;
}

static int raw_sample(struct work *work, struct sample *sample, struct lq_error *err)
{
    const struct lq_patch *patches;
    int count;
    int status = lq_codec_decode(work->codec, work->file.data, work->file.len,
                                 LQ_PICTURE_PIXELS_MAX, &work->pixels, &sample->picture, NULL, err);
    if (status == LQ_OK)
        status = place_masks(work, sample, err);
    uint64_t since_us = lq_clock_us();
    if (status == LQ_OK)
        status = lq_runner_prepare(work->runner, &sample->picture, true, err);
    if (status == LQ_OK)
        status = lq_runner_infer(work->runner, 0, err);
    if (status == LQ_OK)
        status = lq_runner_patches(work->runner, &patches, &count, err);
    if (status != LQ_OK)
        return status;
    sample->ms = (double)(lq_clock_us() - since_us) / 1e3;
    lq_raw_mask_draw(&sample->predicted, patches, count);
    return LQ_OK;
}

static int find_nails(const struct eval *eval, struct work *work, const char *path,
                      struct sample *sample, struct lq_error *err)
{
    int status = lq_file_read(path, &work->file, err);
    if (status != LQ_OK)
        return status;
    status = eval->raw ? raw_sample(work, sample, err) : paint_sample(eval, work, sample, err);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "'%s'", path);
}

// Reads a drawn mask as tight bytes of the picture's size. Masks are grey: their red is enough.
static int read_mask(struct work *work, const struct lq_image *picture, const char *path,
                     struct lq_error *err)
{
    struct lq_image mask;
    int status = lq_file_read(path, &work->file, err);
    if (status != LQ_OK)
        return status;
    status = lq_codec_decode(work->codec, work->file.data, work->file.len, LQ_PICTURE_PIXELS_MAX,
                             &work->drawn_pixels, &mask, NULL, err);
    if (status != LQ_OK)
        return lq_fail_within(err, "'%s'", path);
    if (mask.width != picture->width || mask.height != picture->height)
        return lq_fail(err, LQ_ERR_FIELD, "'%s' is %dx%d but its picture is %dx%d", path,
                       mask.width, mask.height, picture->width, picture->height);
    size_t step = lq_image_pixel_bytes(&mask), high = mask.depth == 16 ? 1 : 0;
    for (int y = 0; y < mask.height; y++) {
        const uint8_t *row = lq_image_row(&mask, y);
        for (int x = 0; x < mask.width; x++)
            work->drawn.data[(size_t)y * (size_t)mask.width + (size_t)x] =
                row[(size_t)x * step + high];
    }
    return LQ_OK;
}

static int write_mask(struct work *work, const struct lq_image *mask, const char *folder,
                      const char *stem, struct lq_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.png", folder, stem);
    lq_buf_clear(&work->file);
    int status = lq_codec_encode_png(work->codec, mask, NULL, &work->file, err);
    return status == LQ_OK ? lq_file_write(path, work->file.data, work->file.len, err) : status;
}

static int count_sample(struct work *work, const struct sample *sample, struct lq_error *err)
{
    int width = sample->picture.width, height = sample->picture.height;
    struct lq_score score;
    struct lq_traits traits;
    int status = lq_samples_add(&work->ms, sample->ms);
    if (status == LQ_OK)
        status = lq_metrics_score(&work->metrics, work->predicted.data, work->drawn.data,
                                  width, height, &score);
    if (status == LQ_OK && work->figures.sequence)
        status = lq_flicker_add(&work->figures.flicker, work->predicted.data, work->drawn.data,
                                width, height);
    if (status == LQ_OK)
        status = lq_traits_read(&work->traits, &sample->picture, work->drawn.data,
                                score.found + score.missed, &traits);
    if (status != LQ_OK)
        return lq_fail(err, status, "out of memory");
    lq_tally_add(&work->figures.all, &score);
    for (int t = 0; t < LQ_TRAIT_COUNT; t++)
        if (traits.class_[t] >= 0)
            lq_tally_add(&work->figures.by[t][traits.class_[t]], &score);
    return LQ_OK;
}

static int eval_one(const struct eval *eval, struct work *work, const char *name,
                    struct lq_error *err)
{
    char path[4096], stem[256];
    struct sample sample = {.nails = NULL};
    snprintf(stem, sizeof stem, "%.*s", (int)(strrchr(name, '.') - name), name);
    snprintf(path, sizeof path, "%s/%s", eval->images, name);
    int status = find_nails(eval, work, path, &sample, err);
    if (status != LQ_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s.png", eval->masks ? eval->masks : "", stem);
    if (eval->masks && (status = read_mask(work, &sample.picture, path, err)) != LQ_OK)
        return status;
    if (eval->write &&
        (status = write_mask(work, &sample.predicted, eval->write, stem, err)) != LQ_OK)
        return status;
    if (eval->sequence && sample.nails)
        lq_flips_add(&work->figures.flips, sample.nails);
    if (eval->directions && sample.nails)
        lq_directions_add(&work->figures.directions, stem, sample.nails);
    return count_sample(work, &sample, err);
}

static int eval_all(const struct eval *eval, struct work *work, struct dirent **names, int count)
{
    int failed = 0;
    struct lq_progress progress;
    lq_progress_start(&progress, count, false);
    for (int i = 0; i < count; i++) {
        struct lq_error err;
        if (eval_one(eval, work, names[i]->d_name, &err) != LQ_OK) {
            lq_progress_hide(&progress);
            lq_cli_error(&err);
            failed++;
        }
        lq_progress_step(&progress, i + 1);
    }
    lq_progress_hide(&progress);
    if (failed)
        fprintf(stderr, "lacquer: %d of %d pictures could not be measured\n", failed, count);
    return failed ? LQ_EXIT_FAILED : LQ_EXIT_OK;
}

static int work_init(struct work *work, const struct lq_model *model, const struct eval *eval,
                     struct lq_error *err)
{
    struct lq_buf *tight[] = {&work->drawn, &work->predicted};
    *work = (struct work){.figures = {.raw = eval->raw, .sequence = eval->sequence}};
    lq_flicker_init(&work->figures.flicker);
    lq_buf_init(&work->file, LQ_FILE_BYTES_MAX);
    lq_buf_init(&work->pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 10);
    lq_buf_init(&work->drawn_pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 10);
    for (size_t i = 0; i < LQ_COUNT(tight); i++)
        lq_buf_init(tight[i], LQ_PICTURE_PIXELS_MAX);
    lq_metrics_init(&work->metrics);
    lq_traits_init(&work->traits);
    lq_samples_init(&work->ms);
    if (eval->directions) {
        int status = lq_directions_open(&work->figures.directions, eval->directions, err);
        if (status != LQ_OK)
            return status;
    }
    if (eval->sequence && lq_tracker_new(&work->tracker) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_codec_new(&work->codec, err);
    if (status != LQ_OK)
        return status;
    return eval->raw ? lq_runner_new(&work->runner, model, err) : lq_pipe_new(&work->pipe, model, err);
}

static void work_release(struct work *work)
{
    lq_pipe_free(work->pipe);
    lq_runner_free(work->runner);
    lq_tracker_free(work->tracker);
    lq_flicker_release(&work->figures.flicker);
    lq_directions_close(&work->figures.directions);
    lq_codec_free(work->codec);
    lq_buf_release(&work->file);
    lq_buf_release(&work->pixels);
    lq_buf_release(&work->drawn_pixels);
    lq_buf_release(&work->drawn);
    lq_buf_release(&work->predicted);
    lq_metrics_release(&work->metrics);
    lq_traits_release(&work->traits);
    lq_samples_release(&work->ms);
}

static int run(struct eval *eval, struct dirent **names, int count)
{
    struct lq_error err;
    struct lq_model *model = NULL;
    struct work work = {0};
    int result;
    if (eval->write && mkdir(eval->write, 0777) != 0 && errno != EEXIST) {
        lq_fail(&err, LQ_ERR_IO, "cannot make '%s': %s", eval->write, strerror(errno));
        return lq_cli_error(&err);
    }
    if (lq_cli_model_open(&eval->model, &model, &err) != LQ_OK)
        return lq_cli_error(&err);
    if (work_init(&work, model, eval, &err) != LQ_OK) {
        result = lq_cli_error(&err);
    } else {
        result = eval_all(eval, &work, names, count);
        work.figures.ms_median = lq_samples_percentile(&work.ms, 50);
        if (eval->json)
            lq_eval_print_json(&work.figures, lq_model_info(model));
        else
            lq_eval_print_table(&work.figures);
    }
    work_release(&work);
    lq_model_close(model);
    return result;
}

int lq_cli_eval(int argc, char **argv)
{
    struct eval eval = {.steady = true, .fps = 30, .every = 1};
    lq_cli_model_init(&eval.model);
    argp_parse(&lq_eval_argp, argc, argv, 0, NULL, &eval);

    struct dirent **names;
    struct lq_error err;
    int count = scandir(eval.images, &names, is_picture, alphasort);
    if (count <= 0) {
        lq_fail(&err, LQ_ERR_IO, "no pictures in '%s'%s%s", eval.images, count < 0 ? ": " : "",
                count < 0 ? strerror(errno) : "");
        if (count == 0)
            free(names);
        return lq_cli_error(&err);
    }
    int result = run(&eval, names, count);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return result;
}
