// lacquer convert: converts a TensorFlow Lite model to an ONNX model.
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "convert/convert.h"
#include "convert/report.h"
#include "convert/sidecar.h"

struct convert {
    const char *in, *out, *report;
    struct lq_convert_options options;
};

static const struct lq_cli_option options[] = {
    {"fp16", NULL, "Write the weights as float16: half the file", 1,
     LQ_CLI_TAKE_ON(struct convert, options.fp16)},
    {"nchw", NULL,
     "Make picture inputs and outputs NCHW (default: the .tflite's layout, usually NHWC)", 1,
     LQ_CLI_TAKE_ON(struct convert, options.channels_first)},
    {"report", "FILE",
     "Run both models on the same inputs and write the difference of every tensor as JSON (`-`: "
     "stdout)", 1, LQ_CLI_TAKE_TEXT(struct convert, report)},
    {0}};

static void check(struct argp_state *state, void *input)
{
    const struct convert *convert = input;
    if (!convert->out)
        argp_error(state, "name the models: IN.tflite OUT.onnx");
}


// The network's name: the file's, without folder and ending.
static void network_name(const char *path, char name[128])
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    const char *dot = strrchr(from, '.');
    snprintf(name, 128, "%.*s", (int)(dot ? (size_t)(dot - from) : strlen(from)), from);
}

struct report_job {
    const struct convert *convert;
    const struct lq_conversion *conversion;
    int text_fd; // where the report goes
    char folder[64];
};

static int make_report(void *data, struct lq_error *err)
{
    const struct report_job *job = data;
    json_t *report;
    int status = lq_convert_report(job->conversion, job->folder, &report, err);
    if (status != LQ_OK)
        return status;
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    if (!text || lq_file_write_fd(job->text_fd, text, strlen(text)) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the report");
    return LQ_OK;
}

// A network of ordinary size takes a minute on one slow core.
enum { REPORT_MS_MAX = 600 * 1000 };

// Runs in a separate process, because the engine runs both the source file and the result, and
// either may crash it.
static int write_report(struct report_job *job, struct lq_error *err)
{
    char path[32];
    struct lq_buf text;
    job->text_fd = memfd_create("report", MFD_CLOEXEC);
    if (job->text_fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot make a file in memory: %s", strerror(errno));
    snprintf(job->folder, sizeof job->folder, "/tmp/lacquer-report-XXXXXX");
    if (!mkdtemp(job->folder)) {
        close(job->text_fd);
        return lq_fail(err, LQ_ERR_IO, "cannot make a folder in /tmp: %s", strerror(errno));
    }
    int status = lq_child_run(make_report, job, 0, REPORT_MS_MAX, err);
    lq_convert_report_sweep(job->folder);
    if (status != LQ_OK)
        lq_fail_within(err, "'%.80s' is written, but was not compared", job->convert->out);
    snprintf(path, sizeof path, "/proc/self/fd/%d", job->text_fd);
    lq_buf_init(&text, INT32_MAX);
    if (status == LQ_OK)
        status = lq_file_read(path, &text, err);
    if (status == LQ_OK)
        status = lq_file_write(job->convert->report, text.data, text.len, err);
    lq_buf_release(&text);
    close(job->text_fd);
    return status;
}

static void print_summary(const struct convert *convert, const struct lq_convert_summary *summary)
{
    // Standard output may already be used for the model or the report.
    bool taken = strcmp(convert->out, "-") == 0 ||
                 (convert->report && strcmp(convert->report, "-") == 0);
    fprintf(taken ? stderr : stdout,
            "%s: %d operators became %d nodes, %d of them Transposes (%d between convolutions), "
            "%.1f MB\n",
            convert->out, summary->operators, summary->nodes, summary->transposes,
            summary->transposes_inner, (double)summary->bytes / 1e6);
}

static int run(const struct convert *convert, struct lq_error *err)
{
    struct lq_buf in, out;
    struct lq_convert_summary summary;
    char name[128];
    network_name(convert->in, name);
    struct lq_convert_options how = convert->options;
    how.name = name;
    lq_buf_init(&in, LQ_MODEL_BYTES_MAX);
    lq_buf_init(&out, INT32_MAX);
    int status = lq_file_read(convert->in, &in, err);
    if (status == LQ_OK) {
        status = lq_convert(in.data, in.len, &how, &out, &summary, err);
        if (status != LQ_OK)
            lq_fail_within(err, "cannot convert '%.80s'", convert->in);
    }
    // Write the sidecar first: without it the model would be interpreted wrongly.
    if (status == LQ_OK)
        status = lq_convert_sidecar(convert->in, convert->out, &how, err);
    if (status == LQ_OK)
        status = lq_file_write(convert->out, out.data, out.len, err);
    lq_buf_release(&out);
    if (status == LQ_OK)
        print_summary(convert, &summary);
    const struct lq_conversion conversion = {in.data, in.len, &how, &summary};
    struct report_job job = {convert, &conversion, -1, ""};
    if (status == LQ_OK && convert->report)
        status = write_report(&job, err);
    lq_buf_release(&in);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct convert convert = {0};
    struct lq_error err = {0};
    lq_cli_parse(&lq_convert_command.line, argc, argv, &convert);
    return run(&convert, &err) == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}

const struct lq_command lq_convert_command = {
    "convert", "convert a TensorFlow Lite model to ONNX", run_command,
    {.options = options, .args_doc = "IN.tflite OUT.onnx",
     .words = {2, {offsetof(struct convert, in), offsetof(struct convert, out)},
               "give one input model and one output model"},
     .check = check,
     .doc = "Converts a TensorFlow Lite model to ONNX (opset 17), which TensorRT and most other "
            "engines read. Inputs and outputs keep their names and order."}};
