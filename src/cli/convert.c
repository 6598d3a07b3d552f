// lacquer convert: a TensorFlow Lite model made into an ONNX model.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "convert/convert.h"

struct convert {
    const char *in, *out, *report;
    struct lq_convert_options options;
};

enum { OPT_FP16 = 0x300, OPT_NCHW, OPT_REPORT };

static const struct argp_option options[] = {
    {"fp16", OPT_FP16, NULL, 0, "Write the weights as float16: half the file", 1},
    {"nchw", OPT_NCHW, NULL, 0,
     "Pictures go in and come out as NCHW (default: as in the .tflite, which is NHWC)", 1},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct convert *convert = state->input;
    switch (key) {
    case OPT_FP16:
        convert->options.fp16 = true;
        return 0;
    case OPT_NCHW:
        convert->options.channels_first = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "one model in and one out, please");
        *(state->arg_num == 0 ? &convert->in : &convert->out) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!convert->out)
            argp_error(state, "say which model: IN.tflite OUT.onnx");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp lq_convert_argp = {
    .options = options, .parser = parse, .args_doc = "IN.tflite OUT.onnx",
    .doc = "Converts a TensorFlow Lite model to ONNX (opset 17), which TensorRT and most other "
           "engines read. Names and order of inputs and outputs stay."};

// "models/nail" of "models/nail.tflite".
static int stem_length(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    return (int)(dot ? (size_t)(dot - path) : strlen(path));
}

static int write_model(const struct convert *convert, struct lq_convert_summary *summary,
                       size_t *size, struct lq_error *err)
{
    struct lq_buf in, out;
    lq_buf_init(&in, LQ_MODEL_BYTES_MAX);
    lq_buf_init(&out, INT32_MAX);
    int status = lq_file_read(convert->in, &in, err);
    if (status == LQ_OK) {
        const char *slash = strrchr(convert->in, '/'), *name = slash ? slash + 1 : convert->in;
        char stem[128];
        snprintf(stem, sizeof stem, "%.*s", stem_length(name), name);
        status = lq_convert(in.data, in.len, stem, &convert->options, &out, summary, err);
        if (status != LQ_OK)
            lq_fail_within(err, "cannot convert '%.80s'", convert->in);
    }
    if (status == LQ_OK)
        status = lq_file_write(convert->out, out.data, out.len, err);
    *size = out.len;
    lq_buf_release(&in);
    lq_buf_release(&out);
    return status;
}

int lq_cli_convert(int argc, char **argv)
{
    struct convert convert = {0};
    if (argp_parse(&lq_convert_argp, argc, argv, 0, NULL, &convert) != 0)
        return LQ_EXIT_USAGE;
    struct lq_error err = {0};
    struct lq_convert_summary summary;
    size_t size;
    if (write_model(&convert, &summary, &size, &err) != LQ_OK)
        return lq_cli_error(&err);
    fprintf(strcmp(convert.out, "-") == 0 ? stderr : stdout,
            "%s: %d operators became %d nodes, %d of them Transposes (%d between convolutions), "
            "%.1f MB\n",
            convert.out, summary.operators, summary.nodes, summary.transposes,
            summary.transposes_inner, (double)size / 1e6);
    return LQ_EXIT_OK;
}
