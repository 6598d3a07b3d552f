// lacquer apply: paints polish on the nails in picture files.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/look_options.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/tune_choice.h"
#include "frame/frame.h"
#include "frame/mask.h"
#include "frame/report.h"

struct apply {
    struct lq_cli_model model;
    struct lq_cli_look look;
    const char *out, *mask_out;
    bool json, fast;
    int quality;
    char **inputs;
    int input_count;
};

static const struct lq_cli_option options[] = {
    {"output", "FILE|DIR",
     "Where to write: a file for one picture, a folder for several; .jpg, .png or .webp", 1,
     LQ_CLI_TAKE_TEXT(struct apply, out), .letter = 'o'},
    {"mask-out", "FILE|DIR", "Also write the nails' mask as a grey PNG", 3,
     LQ_CLI_TAKE_TEXT(struct apply, mask_out)},
    {"quality", "1..100", "JPEG and WebP quality (default 95)", 3,
     LQ_CLI_TAKE_INTEGER(struct apply, quality, 1, 100)},
    {"fast", NULL,
     "Run the network once per picture, as for a frame of a video. By default a multi-scale pass "
     "over the nails found, unmirrored and mirrored, gives better outlines at five to seven times "
     "the cost", 3, LQ_CLI_TAKE_ON(struct apply, fast)},
    {"json", NULL, "Print the nails found and the times, one JSON object per picture", 3,
     LQ_CLI_TAKE_ON(struct apply, json)},
    {0}};

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static enum lq_picture_kind kind_of_name(const char *path)
{
    if (lq_ends_with_any_case(path, ".png"))
        return LQ_PICTURE_PNG;
    if (lq_ends_with_any_case(path, ".webp"))
        return LQ_PICTURE_WEBP;
    if (lq_ends_with_any_case(path, ".jpg") || lq_ends_with_any_case(path, ".jpeg"))
        return LQ_PICTURE_JPEG;
    return LQ_PICTURE_UNKNOWN;
}

static bool has_ending(const char *path)
{
    const char *name = base_name(path), *dot = strrchr(name, '.');
    return dot && dot != name && dot[1];
}

// A file's ending selects the format to write. An ending of no format is taken for a mistake.
static void check_endings(const struct apply *apply, const struct argp_state *state)
{
    if (apply->input_count != 1)
        return; // folders
    if (apply->out && !is_folder(apply->out) && has_ending(apply->out) &&
        kind_of_name(apply->out) == LQ_PICTURE_UNKNOWN)
        argp_error(state, "'%s': pictures are written as .jpg, .png or .webp", apply->out);
    if (apply->mask_out && !is_folder(apply->mask_out) && has_ending(apply->mask_out) &&
        kind_of_name(apply->mask_out) != LQ_PICTURE_PNG)
        argp_error(state, "'%s': masks are written as .png", apply->mask_out);
}

static void take_pictures(struct argp_state *state, void *input)
{
    struct apply *apply = input;
    apply->inputs = state->argv + state->next;
    apply->input_count = state->argc - state->next;
}

static void check(struct argp_state *state, void *input)
{
    const struct apply *apply = input;
    if (apply->input_count == 0)
        argp_error(state, "no picture given: lacquer apply IN.jpg -o OUT.jpg");
    if (!apply->out && !apply->mask_out && !apply->json)
        argp_error(state, "no output given: use -o OUT, --mask-out FILE or --json");
    check_endings(apply, state);
}

// Writes the path of a result: `target` itself or, if that is a folder, the input's name in it,
// with its ending replaced by `ending` if that is given.
static int target_path(char *path, size_t size, const char *target, const char *input,
                       const char *ending, struct lq_error *err)
{
    const char *name = strcmp(input, "-") == 0 ? "stdin" : base_name(input);
    const char *dot = strrchr(name, '.');
    if (!ending && (lq_ends_with_any_case(name, ".avif") || lq_ends_with_any_case(name, ".heic") ||
                    lq_ends_with_any_case(name, ".heif")))
        ending = ".jpg"; // these formats are not written
    int stem = ending && dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    int written = is_folder(target)
                      ? snprintf(path, size, "%s/%.*s%s", target, stem, name, ending ? ending : "")
                      : snprintf(path, size, "%s", target);
    if (written < 0 || (size_t)written >= size)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.60s…'", target);
    struct stat in, out;
    if (stat(input, &in) == 0 && stat(path, &out) == 0 && in.st_dev == out.st_dev &&
        in.st_ino == out.st_ino)
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%s' would overwrite its own input", path);
    return LQ_OK;
}

static int write_mask(const struct apply *apply, struct lq_codec *codec, const struct lq_job *job,
                      const char *input, struct lq_error *err)
{
    char path[4096];
    struct lq_buf pixels, file;
    struct lq_image mask;
    lq_buf_init(&pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 2);
    lq_buf_init(&file, LQ_FILE_BYTES_MAX);
    int status = target_path(path, sizeof path, apply->mask_out, input, ".png", err);
    if (status == LQ_OK && lq_image_alloc(&mask, &pixels, job->width, job->height, 1, 8) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for the mask");
    if (status == LQ_OK) {
        lq_mask_draw(&mask, job->nails);
        status = lq_codec_encode_png(codec, &mask, NULL, &file, err);
    }
    if (status == LQ_OK)
        status = lq_file_write(path, file.data, file.len, err);
    lq_buf_release(&pixels);
    lq_buf_release(&file);
    return status;
}

static void print_json(const struct apply *apply, const struct lq_model_info *info,
                       const char *input, const struct lq_job *job)
{
    json_t *report = json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:o}", "input", input, "width",
                               job->width, "height", job->height, "engine", info->engine, "model",
                               info->name, "nails", lq_report_nails(job->nails, true), "ms",
                               lq_report_ms(job));
    if (report) {
        json_dumpf(report, stdout, (apply->input_count > 1 ? JSON_COMPACT : JSON_INDENT(2)) |
                                      JSON_REAL_PRECISION(7));
        printf("\n");
    }
    json_decref(report);
}

struct tools {
    struct lq_progress progress;
    struct lq_pipe *pipe;
    struct lq_codec *codec;
    struct lq_buf input, output;
    struct lq_buf written;     // struct place of each file
    const struct lq_model_info *info;
};

struct place {
    dev_t device;
    ino_t file;
};

// Two inputs of the same name (or the same stem, if endings change) would overwrite each other in
// the folder.
static int check_unwritten(const struct tools *tools, const char *path, struct lq_error *err)
{
    struct stat info;
    const struct place *places = (const struct place *)(const void *)tools->written.data;
    if (stat(path, &info) != 0)
        return LQ_OK;
    for (size_t i = 0; i < tools->written.len / sizeof *places; i++) {
        if (places[i].device == info.st_dev && places[i].file == info.st_ino)
            return lq_fail(err, LQ_ERR_ARGUMENT, "'%s' was just written for another picture: give "
                           "one of them another name or folder", path);
    }
    return LQ_OK;
}

static int write_output(struct tools *tools, const char *path, struct lq_error *err)
{
    struct stat info;
    int status = lq_file_write(path, tools->output.data, tools->output.len, err);
    if (status != LQ_OK || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return status;
    const struct place place = {info.st_dev, info.st_ino};
    status = lq_buf_append(&tools->written, &place, sizeof place);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "out of memory");
}

// Warnings about what a user would not expect in the result.
static void warn(struct tools *tools, const char *input, const struct lq_job *job)
{
    if (job->shrunk > 1 || job->nails->count == 0)
        lq_progress_hide(&tools->progress);
    if (job->shrunk > 1)
        fprintf(stderr, "lacquer: '%s' has %dx%d pixels, more than %d million: taken at %dx%d\n",
                input, job->stored_width, job->stored_height, LQ_PICTURE_PIXELS_MAX / 1000000,
                job->width, job->height);
    if (job->nails->count == 0)
        fprintf(stderr, "lacquer: '%s': no nail found\n", input);
}

static int apply_one(const struct apply *apply, struct tools *tools, const char *input,
                     struct lq_error *err)
{
    char path[4096];
    struct lq_job job;
    lq_job_init(&job);
    job.look = apply->look.look;
    job.paint = apply->out != NULL;
    job.multiscale = job.hands = !apply->fast;
    job.jpeg_quality = apply->quality;
    job.pixels_max = LQ_PICTURE_PIXELS_MAX;
    job.may_shrink = true;
    job.output = &tools->output;
    lq_buf_clear(&tools->output);
    int status = lq_file_read(input, &tools->input, err);
    if (status != LQ_OK)
        return status;
    job.input = tools->input.data;
    job.input_len = tools->input.len;
    if (apply->out) {
        status = target_path(path, sizeof path, apply->out, input, NULL, err);
        if (status == LQ_OK)
            status = check_unwritten(tools, path, err);
        if (status != LQ_OK)
            return status;
        job.kind_out = kind_of_name(path);
    }
    status = lq_pipe_run(tools->pipe, &job, err);
    if (status != LQ_OK)
        return lq_fail_within(err, "'%s'", input);
    warn(tools, input, &job);
    if (apply->out)
        status = write_output(tools, path, err);
    if (status == LQ_OK && apply->mask_out)
        status = write_mask(apply, tools->codec, &job, input, err);
    if (status == LQ_OK && apply->json)
        print_json(apply, tools->info, input, &job);
    return status;
}

// Results of several pictures go to a folder, which is created if needed.
static int make_folders(const struct apply *apply, struct lq_error *err)
{
    const char *folders[] = {apply->out, apply->mask_out};
    for (size_t i = 0; apply->input_count > 1 && i < LQ_COUNT(folders); i++) {
        if (!folders[i] || is_folder(folders[i]))
            continue;
        if (mkdir(folders[i], 0777) != 0)
            return lq_fail(err, LQ_ERR_ARGUMENT,
                           "'%s' must be a folder to take several pictures", folders[i]);
    }
    return LQ_OK;
}

static int apply_all(const struct apply *apply, struct tools *tools)
{
    int failed = 0;
    lq_progress_start(&tools->progress, apply->input_count, apply->json);
    for (int i = 0; i < apply->input_count; i++) {
        struct lq_error err;
        if (apply_one(apply, tools, apply->inputs[i], &err) != LQ_OK) {
            lq_progress_hide(&tools->progress);
            lq_cli_error(&err);
            failed++;
        }
        lq_progress_step(&tools->progress, i + 1);
    }
    lq_progress_hide(&tools->progress);
    if (failed && apply->input_count > 1)
        fprintf(stderr, "lacquer: %d of %d pictures failed\n", failed, apply->input_count);
    return failed ? LQ_EXIT_FAILED : LQ_EXIT_OK;
}

static int run_command(int argc, char **argv)
{
    struct apply apply = {.quality = 95};
    lq_cli_model_init(&apply.model);
    lq_cli_look_init(&apply.look);
    lq_cli_parse(&lq_apply_command.line, argc, argv, &apply);

    struct lq_error err;
    struct lq_model *model = NULL;
    struct tools tools = {0};
    lq_buf_init(&tools.input, LQ_FILE_BYTES_MAX);
    lq_buf_init(&tools.output, LQ_FILE_BYTES_MAX);
    lq_buf_init(&tools.written, LQ_FILE_BYTES_MAX);
    int result;
    lq_tune_take(&apply.model);
    if (make_folders(&apply, &err) != LQ_OK ||
        lq_cli_model_open(&apply.model, &model, &err) != LQ_OK ||
        lq_codec_new(&tools.codec, &err) != LQ_OK ||
        lq_pipe_new(&tools.pipe, model, &err) != LQ_OK) {
        result = lq_cli_error(&err);
    } else {
        tools.info = lq_model_info(model);
        result = apply_all(&apply, &tools);
    }
    lq_pipe_free(tools.pipe);
    lq_codec_free(tools.codec);
    lq_buf_release(&tools.input);
    lq_buf_release(&tools.output);
    lq_buf_release(&tools.written);
    lq_model_leave(model);
    lq_cli_look_release(&apply.look);
    return result;
}

static const struct lq_cli_part parts[] = {
    {&lq_cli_model_spec, offsetof(struct apply, model)},
    {&lq_cli_look_spec, offsetof(struct apply, look)},
    {0}};

const struct lq_command lq_apply_command = {
    "apply", "paint the nails in pictures", run_command,
    {.options = options, .parts = parts, .args_doc = "IN...", .rest = take_pictures,
     .check = check,
     .doc = "Paints polish on the nails in JPEG, PNG, WebP, AVIF and (with libheif) HEIC "
            "pictures, at full resolution; a JPEG or WebP of more than 64 megapixels is scaled "
            "down. The extension of OUT chooses the file format; in a folder, each picture "
            "keeps its format, and AVIF and HEIC become JPEG.\vWith several pictures OUT is a "
            "folder. A picture that cannot be read is named on standard error, and the others "
            "are still painted."}};
