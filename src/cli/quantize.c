// lacquer quantize: converts a float model to an int8 model.
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/quantize_pictures.h"
#include "cli/quantize_progress.h"
#include "convert/convert.h"
#include "convert/quantise.h"
#include "convert/sidecar.h"
#include "format/external_data.h"
#include "format/tflite.h"
#include "model/sidecar.h"

enum { KEEP_MAX = 256, PICTURES = 128, PICTURES_MAX = 1024, FLOAT_MAX = 5, HOURS_MAX = 6 };
// The cost of these limits is in docs/QUANTIZE.md.
static const double IOU_MIN = 0.992, OWN_NOISE_MAX = 0.1;

struct quantize {
    const char *in, *out, *images, *report;
    const char *keep[KEEP_MAX];
    int keep_count, pictures;
    int float_max; // per cent
};

static void add_kept(struct argp_state *state, void *input, char *layer)
{
    struct quantize *quantize = input;
    if (quantize->keep_count == KEEP_MAX)
        argp_error(state, "--keep may be given %d times; `NAME*` keeps several", KEEP_MAX);
    else
        quantize->keep[quantize->keep_count++] = layer;
}

static const struct lq_cli_option options[] = {
    {"images", "DIR",
     "Photos like those that the network will get, to measure the ranges of its tensors", 1,
     LQ_CLI_TAKE_TEXT(struct quantize, images)},
    {"pictures", "N", "Most photos to use (8 to 1024, default 128)", 1,
     LQ_CLI_TAKE_INTEGER(struct quantize, pictures, 8, PICTURES_MAX)},
    {"keep", "LAYER",
     "Keep this layer in float; a name from the report, with `*` at its end for all names with "
     "that prefix. May be given again", 1, LQ_CLI_TAKE_CALL(add_kept)},
    {"float-max", "PERCENT",
     "Largest share of the network's work that may stay in float by itself (0 to 100, default 5): "
     "more is more accurate, and slower", 1,
     LQ_CLI_TAKE_INTEGER(struct quantize, float_max, 0, 100)},
    {"report", "FILE",
     "Write the error of every layer's output and the rules tried as JSON (`-`: stdout)", 1,
     LQ_CLI_TAKE_TEXT(struct quantize, report)},
    {0}};

static void check(struct argp_state *state, void *input)
{
    const struct quantize *quantize = input;
    if (!quantize->out)
        argp_error(state, "name the models: IN.onnx OUT.onnx (IN may be a .tflite)");
    if (!quantize->images)
        argp_error(state, "no pictures given: use --images DIR");
}


// ---- the float model

static int convert(const struct lq_buf *file, struct lq_buf *model, struct lq_error *err)
{
    const struct lq_convert_options as_is = {0};
    struct lq_convert_summary summary;
    return lq_convert(file->data, file->len, &as_is, model, &summary, err);
}

// Reads the model as ONNX, whatever its format.
static int read_model(const char *path, struct lq_buf *model, struct lq_error *err)
{
    struct lq_buf file;
    lq_buf_init(&file, LQ_MODEL_BYTES_MAX);
    int status = lq_file_read(path, &file, err);
    if (status == LQ_OK && lq_tflite_is(file.data, file.len)) {
        status = convert(&file, model, err);
        if (status != LQ_OK)
            lq_fail_within(err, "'%.150s'", path);
    } else if (status == LQ_OK && lq_onnx_has_external(file.data, file.len)) {
        status = lq_onnx_embed(file.data, file.len, path, model, err);
    } else if (status == LQ_OK) {
        struct lq_buf other = *model;
        *model = file;
        file = other;
    }
    lq_buf_release(&file);
    return status;
}

static void folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(folder, size, "%.*s", slash > path ? (int)(slash - path) : 1, slash ? path : ".");
}

// Reported now, before minutes of work.
static int check_place(const char *path, struct lq_error *err)
{
    struct stat info;
    char folder[4096];
    if (strcmp(path, "-") == 0)
        return LQ_OK;
    folder_of(path, folder, sizeof folder);
    if (access(folder, W_OK | X_OK) != 0)
        return lq_fail(err, LQ_ERR_IO, "cannot write to '%.200s': %s", folder, strerror(errno));
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return lq_fail(err, LQ_ERR_IO, "'%.200s' is a folder: name a file", path);
    return LQ_OK;
}

// ---- the work, in a separate process: the engine runs a foreign model, which may crash it

struct work {
    const struct quantize *quantize;
    const struct lq_buf *model;
    char **paths;
    int path_count;
    char folder[64], float_path[96]; // for files that the engine reads
    int model_fd, report_fd; // where the result goes
    struct lq_quantize_progress progress;
    int drawings;            // models whose masks were drawn
    struct lq_quantize_pictures *pictures;
    // sent to the parent
    struct lq_quantise_summary summary;
    char unpainted[256];
    int bad, used;
    struct lq_error first_bad;
};

static int painted(void *context, const char *path, double *iou, struct lq_error *err)
{
    struct work *work = context;
    int status = lq_quantize_painted(work->pictures, work->float_path, path, iou, err);
    lq_quantize_progress_step(&work->progress, "masks", ++work->drawings, 0);
    return status;
}

static void step(void *context, const char *what, int done, int of)
{
    struct work *work = context;
    lq_quantize_progress_step(&work->progress, what, done, of);
}

static int write_results(const struct work *work, const struct lq_buf *out, json_t *report,
                         struct lq_error *err)
{
    char *text = report ? json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : strdup("");
    if (!text || lq_file_write_fd(work->report_fd, text, strlen(text)) != LQ_OK ||
        lq_file_write_fd(work->model_fd, out->data, out->len) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the result");
    return LQ_OK;
}

static int quantise(struct work *work, struct lq_error *err)
{
    const struct quantize *quantize = work->quantize;
    const struct lq_pictures pictures = {work->pictures->count, lq_quantize_get, work->pictures};
    const struct lq_quantise_options how = {
        .keep = quantize->keep, .keep_count = quantize->keep_count, .folder = work->folder,
        .report = quantize->report != NULL, .float_max = quantize->float_max / 100.0,
        .iou_min = IOU_MIN, .own_max = OWN_NOISE_MAX, .painted = painted, .step = step,
        .context = work};
    const struct lq_float_model model = {work->model->data, work->model->len, quantize->in};
    struct lq_int8_model made = {.report = NULL};
    lq_buf_init(&made.bytes, INT32_MAX);
    work->used = pictures.count;
    int status = lq_quantise(&model, &how, &pictures, &made, err);
    work->summary = made.summary;
    if (status == LQ_OK)
        status = write_results(work, &made.bytes, made.report, err);
    memcpy(work->unpainted, work->pictures->unpainted, sizeof work->unpainted);
    return status; // the rest ends with the process
}

static int do_work(void *data, struct lq_error *err)
{
    struct work *work = data;
    struct lq_quantize_pictures pictures;
    work->pictures = &pictures;
    int status = lq_file_write(work->float_path, work->model->data, work->model->len, err);
    if (status == LQ_OK)
        status = lq_quantize_pictures_open(&pictures, work->paths, work->path_count,
                                           work->float_path, work->quantize->in, err);
    if (status == LQ_OK) {
        work->bad = pictures.bad_count;
        work->first_bad = pictures.first_bad;
        status = quantise(work, err);
    }
    lq_quantize_progress_end(&work->progress);
    return status;
}

// ---- results

static int put(int fd, const char *path, struct lq_error *err)
{
    char from[32];
    struct lq_buf bytes;
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    lq_buf_init(&bytes, INT32_MAX);
    int status = lq_file_read(from, &bytes, err);
    if (status == LQ_OK)
        status = lq_file_write(path, bytes.data, bytes.len, err);
    lq_buf_release(&bytes);
    return status;
}

// The float model's file name, if it is in the result's folder, so that the result's sidecar can
// name it: `tune` then tries both files, and `serve` uses the faster one. NULL: it is elsewhere.
static const char *float_beside(const struct quantize *quantize)
{
    char in[4096], out[4096], in_real[PATH_MAX], out_real[PATH_MAX];
    const char *slash = strrchr(quantize->in, '/'), *name = slash ? slash + 1 : quantize->in;
    if (strcmp(quantize->out, "-") == 0 || strlen(name) >= LQ_FLOAT_MODEL_MAX ||
        !lq_sidecar_path(quantize->in, in, sizeof in) ||
        !lq_sidecar_path(quantize->out, out, sizeof out) || strcmp(in, out) == 0)
        return NULL;
    folder_of(quantize->in, in, sizeof in);
    folder_of(quantize->out, out, sizeof out);
    return realpath(in, in_real) && realpath(out, out_real) && strcmp(in_real, out_real) == 0
               ? name
               : NULL;
}

// Prints how much the painted masks change, or why that is not known.
static void print_masks(const struct work *work, FILE *out)
{
    const struct lq_quantise_summary *summary = &work->summary;
    if (isnan(summary->iou) && work->unpainted[0])
        fprintf(out, "masks were not compared: %s\n", work->unpainted);
    else if (isnan(summary->iou))
        fprintf(out, "masks were not compared: the float model finds no nail in these pictures, as "
                     "if it were not trained; give --images photos with nails if it is\n");
    else
        fprintf(out, "masks agree with the float model's by an IoU of %.4f\n", summary->iou);
    if (isnan(summary->iou))
        fprintf(out, "so a layer stays in float only if its own rounding adds a noise above %g "
                     "(less than 10 dB between signal and noise)\n", OWN_NOISE_MAX);
    else if (summary->iou < IOU_MIN)
        fprintf(out, "that is below %g, with as many layers in float as --float-max allows: the "
                     "result may miss nails. Give more photos, or a larger --float-max (%d here)\n",
                IOU_MIN, work->quantize->float_max);
}

static void print_summary(const struct work *work)
{
    const struct quantize *quantize = work->quantize;
    const struct lq_quantise_summary *summary = &work->summary;
    bool taken = strcmp(quantize->out, "-") == 0 ||
                 (quantize->report && strcmp(quantize->report, "-") == 0);
    FILE *out = taken ? stderr : stdout;
    if (work->bad)
        fprintf(stderr, "lacquer: %d of %d pictures were left out: %s\n", work->bad,
                work->bad + work->used, work->first_bad.text);
    fprintf(out, "%s: %d of %d layers in int8, %.1f %% of the multiplications in float; "
                 "calibrated on %d pictures, ranges by %s%s\n",
            quantize->out, summary->quantised, summary->layers, 100 * summary->float_share,
            work->used, summary->rule, summary->corrected ? ", biases corrected" : "");
    fprintf(out, "outputs differ by a noise of %.2g (%.2g with all layers in int8)\n",
            summary->noise, summary->noise_all);
    print_masks(work, out);
    if (float_beside(quantize))
        fprintf(out, "`lacquer tune %s` finds out whether that file or the float model is faster "
                     "here, and `serve` takes that one\n", quantize->out);
}

static void sweep(const struct work *work)
{
    static const char *const files[] = {"float.onnx", "tried.onnx", "painted.onnx"};
    char path[128];
    for (size_t i = 0; i < LQ_COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/%s", work->folder, files[i]);
        unlink(path);
    }
    rmdir(work->folder);
}

static int make_room(struct work *work, struct lq_error *err)
{
    const char *tmp = getenv("TMPDIR");
    work->model_fd = memfd_create("model", MFD_CLOEXEC);
    work->report_fd = memfd_create("report", MFD_CLOEXEC);
    lq_quantize_progress_open(&work->progress);
    if (work->model_fd < 0 || work->report_fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot make a file in memory: %s", strerror(errno));
    if (!tmp || tmp[0] != '/' || strlen(tmp) > 30)
        tmp = "/tmp";
    snprintf(work->folder, sizeof work->folder, "%s/lacquer-quantize-XXXXXX", tmp);
    if (!mkdtemp(work->folder))
        return lq_fail(err, LQ_ERR_IO, "cannot make a folder in %s: %s", tmp, strerror(errno));
    snprintf(work->float_path, sizeof work->float_path, "%s/float.onnx", work->folder);
    return LQ_OK;
}

static int run(struct work *work, struct lq_error *err)
{
    const struct quantize *quantize = work->quantize;
    const struct lq_convert_options as_is = {.float_model = float_beside(quantize)};
    int status = make_room(work, err);
    if (status != LQ_OK)
        return status;
    status = lq_child_run(do_work, work, sizeof *work, HOURS_MAX * 3600 * 1000, err);
    sweep(work);
    if (status == LQ_ERR_ENGINE)
        return lq_fail_within(err, "cannot quantise '%.150s'", quantize->in);
    if (status == LQ_OK)
        status = put(work->model_fd, quantize->out, err);
    if (status == LQ_OK)
        status = lq_convert_sidecar(quantize->in, quantize->out, &as_is, err);
    if (status == LQ_OK && quantize->report)
        status = put(work->report_fd, quantize->report, err);
    if (status == LQ_OK)
        print_summary(work);
    return status;
}

// A report written to the sidecar's path would replace the real sidecar and be read as one.
static int check_report(const struct quantize *quantize, struct lq_error *err)
{
    char sidecar[4096];
    if (!quantize->report)
        return LQ_OK;
    if (lq_sidecar_path(quantize->out, sidecar, sizeof sidecar) &&
        strcmp(sidecar, quantize->report) == 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.150s' is the sidecar of '%.150s': give --report "
                       "another name", quantize->report, quantize->out);
    return check_place(quantize->report, err);
}

static int prepare(struct work *work, struct lq_buf *model, struct lq_error *err)
{
    const struct quantize *quantize = work->quantize;
    int status = check_place(quantize->out, err);
    if (status == LQ_OK)
        status = check_report(quantize, err);
    if (status == LQ_OK)
        status = lq_quantize_list(quantize->images, quantize->pictures, &work->paths,
                                  &work->path_count, err);
    if (status == LQ_OK)
        status = read_model(quantize->in, model, err);
    const struct lq_float_model given = {model->data, model->len, quantize->in};
    return status == LQ_OK ? lq_quantise_check(&given, err) : status;
}

static int run_command(int argc, char **argv)
{
    struct quantize quantize = {.pictures = PICTURES, .float_max = FLOAT_MAX};
    lq_cli_parse(&lq_quantize_command.line, argc, argv, &quantize);
    struct lq_error err;
    struct lq_buf model;
    struct work work = {.quantize = &quantize, .model = &model};
    lq_buf_init(&model, LQ_MODEL_BYTES_MAX);
    int status = prepare(&work, &model, &err);
    if (status == LQ_OK)
        status = run(&work, &err);
    lq_buf_release(&model);
    for (int i = 0; work.paths && i < work.path_count; i++)
        free(work.paths[i]);
    free(work.paths);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}

const struct lq_command lq_quantize_command = {
    "quantize", "quantise a float model to int8", run_command,
    {.options = options, .args_doc = "IN OUT.onnx",
     .words = {2, {offsetof(struct quantize, in), offsetof(struct quantize, out)},
               "give one input model and one output model"},
     .check = check,
     .doc = "Makes an int8 model (ONNX with QuantizeLinear and DequantizeLinear, which OpenVINO, "
            "TensorRT and ONNX Runtime read) from a float one, .onnx or .tflite. It needs no "
            "training: it measures ranges on pictures, and keeps layers in float that lose too "
            "much accuracy in int8."}};
