// Contexts: opens, shares, describes and closes them.
#include "lib/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/parse_json.h"
#include "config.h"

enum { TEXT_BYTES_MAX = 64 * 1024 };

static int context_new(struct lacquer **out, struct lq_lib_model *shared, struct lq_error *err)
{
    struct lacquer *context = calloc(1, sizeof *context);
    if (!context)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_buf_init(&context->output, LQ_FILE_BYTES_MAX);
    lq_buf_init(&context->text, TEXT_BYTES_MAX);
    lq_job_init(&context->job);
    int status = lq_pipe_new(&context->pipe, shared->model, err);
    if (status != LQ_OK) {
        free(context);
        return status;
    }
    context->shared = shared;
    atomic_fetch_add(&shared->users, 1);
    *out = context;
    return LQ_OK;
}

static void model_release(struct lq_lib_model *shared)
{
    lq_model_close(shared->model);
    free(shared);
}

// After fork() the child has the engine's locks but not the threads that hold them, so it would
// deadlock.
int lq_lib_check_process(struct lq_error *err)
{
    static atomic_int first;
    int none = 0, own = (int)getpid();
    if (atomic_compare_exchange_strong(&first, &none, own) || none == own)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_ENGINE,
                   "this process was forked from one that had opened a model: exec() a program "
                   "first (Python: multiprocessing.set_start_method(\"spawn\"))");
}

static int model_open(struct lq_lib_model **out, const struct lacquer_options *given,
                      struct lq_error *err)
{
    struct lq_lib_options options;
    int status = lq_lib_read_options(&options, given, err);
    if (status == LQ_OK)
        status = lq_lib_check_process(err);
    if (status == LQ_OK)
        status = lq_lib_check_model(&options, err);
    if (status != LQ_OK)
        return status;
    struct lq_lib_model *shared = calloc(1, sizeof *shared);
    if (!shared)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    status = lq_model_open(&shared->model, options.path, &options.model, err);
    if (status == LQ_OK)
        *out = shared;
    else
        free(shared);
    return status;
}

LQ_PUBLIC int lacquer_open(struct lacquer **context, const struct lacquer_options *options,
                           char *error, size_t error_size)
{
    struct lq_lib_model *shared = NULL;
    struct lq_error err = {0};
    *context = NULL;
    int status = model_open(&shared, options, &err);
    if (status == LQ_OK) {
        status = context_new(context, shared, &err);
        if (status != LQ_OK)
            model_release(shared);
    }
    return lq_lib_fail(&err, status, error, error_size);
}

LQ_PUBLIC int lacquer_share(struct lacquer **context, struct lacquer *from)
{
    *context = NULL;
    if (!lq_lib_enter(from))
        return LACQUER_ERR_BUSY;
    return lq_lib_leave(from, context_new(context, from->shared, &from->err));
}

LQ_PUBLIC void lacquer_close(struct lacquer *context)
{
    if (!context)
        return;
    lq_pipe_free(context->pipe);
    lq_buf_release(&context->output);
    lq_buf_release(&context->text);
    if (atomic_fetch_sub(&context->shared->users, 1) == 1)
        model_release(context->shared);
    free(context);
}

LQ_PUBLIC const char *lacquer_error(const struct lacquer *context)
{
    return context->err.text;
}

static json_t *describe(const struct lq_model_info *info)
{
    json_t *sizes = json_array();
    for (int i = 0; sizes && i < info->size_count; i++)
        json_array_append_new(sizes, json_pack("[i,i]", info->sizes[i].width,
                                               info->sizes[i].height));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "version", LQ_VERSION, "engine",
                     info->engine, "model", info->name, "head", lq_head_name(info->head),
                     "precision", info->precision == LQ_PRECISION_BF16 ? "bf16" : "f32", "sizes",
                     sizes);
}

LQ_PUBLIC int lacquer_describe(struct lacquer *context, const char **json)
{
    if (!lq_lib_enter(context))
        return LACQUER_ERR_BUSY;
    int status = LQ_OK;
    json_t *root = describe(lq_model_info(context->shared->model));
    lq_buf_clear(&context->text);
    if (!lq_json_print(root, JSON_COMPACT, &context->text) ||
        lq_buf_append(&context->text, "", 1) != LQ_OK)
        status = lq_fail(&context->err, LQ_ERR_MEMORY, "out of memory");
    else
        *json = (const char *)context->text.data;
    json_decref(root);
    return lq_lib_leave(context, status);
}

LQ_PUBLIC const char *lacquer_engine_name(int index)
{
    for (int i = 0; i <= index; i++)
        if (!lq_engines[i])
            return NULL;
    return index < 0 ? NULL : lq_engines[index]->name;
}

LQ_PUBLIC int lacquer_engine_probe(const char *name, char *error, size_t error_size)
{
    struct lq_error err = {0};
    const struct lq_engine_ops *ops = lq_engine_find(name, &err);
    int status = ops ? ops->probe(NULL, &err) : err.status;
    return lq_lib_fail(&err, status, error, error_size);
}
