// A pipe on the default model and a rendered hand to run through it, set up once per program.
// Include in one file of a program.
#pragma once

#include "base/file.h"
#include "frame/frame.h"
#include "unit/unit.h"

static struct lq_buf input, output;
static struct lq_model *model;
static struct lq_pipe *pipe_;

static int open_all(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_model_options options = {.threads = 1};
    lq_buf_init(&input, 1 << 20);
    lq_buf_init(&output, 1 << 22);
    if (lq_file_read("tests/golden/hands/light.jpg", &input, &err) != LQ_OK ||
        lq_model_open(&model, "models/nail.onnx", &options, &err) != LQ_OK ||
        lq_pipe_new(&pipe_, model, &err) != LQ_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lq_pipe_free(pipe_);
    lq_model_close(model);
    lq_buf_release(&input);
    lq_buf_release(&output);
    return 0;
}
