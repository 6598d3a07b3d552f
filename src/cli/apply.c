// lacquer apply: polish on the nails of picture files.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/look_options.h"
#include "cli/model_options.h"
#include "cli/progress.h"
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

enum { OPT_MASK = 0x200, OPT_JSON, OPT_QUALITY, OPT_FAST };

static const struct argp_option options[] = {
    {"output", 'o', "FILE|DIR", 0,
     "Where to write: a file for one picture, a folder for several; .jpg or .png", 1},
    {"mask-out", OPT_MASK, "FILE|DIR", 0, "Also write the nails' mask as a grey PNG", 3},
    {"quality", OPT_QUALITY, "1..100", 0, "JPEG quality (default 95)", 3},
    {"fast", OPT_FAST, NULL, 0,
     "Look at a picture once, as at a frame of a film. Without it small nails are looked at again, "
     "closer and mirrored: better outlines for five to seven times the work", 3},
    {"json", OPT_JSON, NULL, 0, "Print what was found and the times: one JSON object a picture", 3},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct apply *apply = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &apply->model;
        state->child_inputs[1] = &apply->look;
        return 0;
    case 'o':
        apply->out = arg;
        return 0;
    case OPT_MASK:
        apply->mask_out = arg;
        return 0;
    case OPT_JSON:
        apply->json = true;
        return 0;
    case OPT_FAST:
        apply->fast = true;
        return 0;
    case OPT_QUALITY:
        apply->quality = (int)lq_cli_number(state, "quality", arg, 1, 100);
        return 0;
    case ARGP_KEY_ARGS:
        apply->inputs = state->argv + state->next;
        apply->input_count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which picture? lacquer apply IN.jpg -o OUT.jpg");
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!apply->out && !apply->mask_out && !apply->json)
            argp_error(state, "where to? give -o OUT, --mask-out FILE or --json");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&lq_cli_model_argp, 0, NULL, 0},
                                             {&lq_cli_look_argp, 0, NULL, 0},
                                             {0}};

const struct argp lq_apply_argp = {
    options, parse, "IN...",
    "Paints polish on the nails in JPEG and PNG pictures, at full resolution. The picture that "
    "comes out is of the kind that went in unless OUT's ending says otherwise.\v"
    "With several pictures OUT is a folder; one that cannot be read is named on standard error "
    "and the others are done.",
    children, NULL, NULL};

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

static bool ends_with(const char *text, const char *ending)
{
    size_t a = strlen(text), b = strlen(ending);
    return a >= b && strcasecmp(text + a - b, ending) == 0;
}

static enum lq_picture_kind kind_of_name(const char *path)
{
    if (ends_with(path, ".png"))
        return LQ_PICTURE_PNG;
    if (ends_with(path, ".jpg") || ends_with(path, ".jpeg"))
        return LQ_PICTURE_JPEG;
    return LQ_PICTURE_UNKNOWN;
}

// The file a result goes to: `target` itself, or in the folder `target` the input's name, with its
// ending replaced when `ending` is given.
static int target_path(char *path, size_t size, const char *target, const char *input,
                       const char *ending, struct lq_error *err)
{
    const char *name = strcmp(input, "-") == 0 ? "stdin" : base_name(input);
    const char *dot = strrchr(name, '.');
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
    struct lq_pipe *pipe;
    struct lq_codec *codec;
    struct lq_buf input, output;
    const struct lq_model_info *info;
};

static int apply_one(const struct apply *apply, struct tools *tools, const char *input,
                     struct lq_error *err)
{
    char path[4096];
    struct lq_job job;
    lq_job_init(&job);
    job.look = apply->look.look;
    job.paint = apply->out != NULL;
    job.closer = !apply->fast;
    job.jpeg_quality = apply->quality;
    job.pixels_max = LQ_PICTURE_PIXELS_MAX;
    job.output = &tools->output;
    lq_buf_clear(&tools->output);
    int status = lq_file_read(input, &tools->input, err);
    if (status != LQ_OK)
        return status;
    job.input = tools->input.data;
    job.input_len = tools->input.len;
    if (apply->out) {
        status = target_path(path, sizeof path, apply->out, input, NULL, err);
        if (status != LQ_OK)
            return status;
        job.kind_out = kind_of_name(path);
    }
    status = lq_pipe_run(tools->pipe, &job, err);
    if (status != LQ_OK)
        return lq_fail_within(err, "'%s'", input);
    if (apply->out)
        status = lq_file_write(path, tools->output.data, tools->output.len, err);
    if (status == LQ_OK && apply->mask_out)
        status = write_mask(apply, tools->codec, &job, input, err);
    if (status == LQ_OK && apply->json)
        print_json(apply, tools->info, input, &job);
    return status;
}

// Several pictures need a folder to go to; it is made when it is not there.
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
    struct lq_progress progress;
    lq_progress_start(&progress, apply->input_count, apply->json);
    for (int i = 0; i < apply->input_count; i++) {
        struct lq_error err;
        if (apply_one(apply, tools, apply->inputs[i], &err) != LQ_OK) {
            lq_progress_hide(&progress);
            lq_cli_error(&err);
            failed++;
        }
        lq_progress_step(&progress, i + 1);
    }
    lq_progress_hide(&progress);
    if (failed && apply->input_count > 1)
        fprintf(stderr, "lacquer: %d of %d pictures failed\n", failed, apply->input_count);
    return failed ? LQ_EXIT_FAILED : LQ_EXIT_OK;
}

int lq_cli_apply(int argc, char **argv)
{
    struct apply apply = {.quality = 95};
    lq_cli_model_init(&apply.model);
    lq_cli_look_init(&apply.look);
    argp_parse(&lq_apply_argp, argc, argv, 0, NULL, &apply);

    struct lq_error err;
    struct lq_model *model = NULL;
    struct tools tools = {0};
    lq_buf_init(&tools.input, LQ_FILE_BYTES_MAX);
    lq_buf_init(&tools.output, LQ_FILE_BYTES_MAX);
    int result;
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
    lq_model_close(model);
    lq_cli_look_release(&apply.look);
    return result;
}
