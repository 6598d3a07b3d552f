// lacquer inspect: what a model file contains, and how Lacquer uses it.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/model_options.h"
#include "engine/engine.h"
#include "format/operators.h"

struct inspect {
    struct lq_cli_model model;
    bool json;
};

static const struct lq_cli_option options[] = {
    {"json", NULL, "Print JSON", 1, LQ_CLI_TAKE_ON(struct inspect, json)}, {0}};


static json_t *tensors_json(const struct lq_tensor *tensors, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_t *dims = json_array();
        for (int d = 0; d < tensors[i].rank; d++)
            json_array_append_new(dims, tensors[i].dims[d] < 0
                                            ? json_null()
                                            : json_integer(tensors[i].dims[d]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", tensors[i].name, "type",
                                              lq_tensor_type_name(tensors[i].type), "dims", dims));
    }
    return list;
}

static void add_operator(void *context, const char *kind, int count)
{
    json_object_set_new(context, kind, json_integer(count));
}

// Operator kinds and their counts, most frequent first; null if the file's format lists none.
static json_t *operators_json(const char *path)
{
    json_t *operators = json_object();
    if (lq_operators_count(path, add_operator, operators, NULL) == LQ_OK)
        return operators;
    json_decref(operators);
    return json_null();
}

static void add_model(json_t *root, const struct lq_model_info *info)
{
    bool yolo = info->head == LQ_HEAD_YOLO_SEG;
    bool detects = info->head != LQ_HEAD_MASK;
    json_t *sizes = json_array();
    for (int i = 0; i < info->size_count; i++)
        json_array_append_new(sizes, json_pack("[ii]", info->sizes[i].width,
                                               info->sizes[i].height));
    json_t *more = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:b}", "name", info->name, "head",
        lq_head_name(info->head), "layout", info->channels_first ? "nchw" : "nhwc", "precision",
        lq_precision_name(info->precision), "resize",
        info->letterbox ? "letterbox" : "stretch", "sizes", sizes, "sidecar", info->sidecar);
    json_object_update(root, more);
    json_decref(more);
    if (info->batch > 1)
        json_object_set_new(root, "batch", json_integer(info->batch));
    if (!detects) {
        json_object_set_new(root, "threshold", json_real((double)info->score_min));
        return;
    }
    // If the network selects the rows itself, only a frame's numbers show the units of its boxes.
    more = json_pack("{s:o, s:s, s:s, s:f, s:f}", "classes",
                     info->end2end ? json_null() : json_integer(info->classes), "rows",
                     info->end2end ? "end2end" : yolo ? "cells" : "queries", "boxes",
                     info->boxes_normalised ? "unit" : "pixels", "score", (double)info->score_min,
                     "nms_iou", (double)info->nms_iou);
    if (yolo)
        json_object_set_new(more, "prototypes", json_integer(info->proto_channels));
    json_object_update(root, more);
    json_decref(more);
}

static void print_tensors(const char *what, const struct lq_tensor *tensors, int count)
{
    for (int i = 0; i < count; i++) {
        printf("%-11s %s %s [", what, tensors[i].name, lq_tensor_type_name(tensors[i].type));
        for (int d = 0; d < tensors[i].rank; d++) {
            printf("%s", d ? "," : "");
            if (tensors[i].dims[d] < 0)
                printf("?");
            else
                printf("%lld", (long long)tensors[i].dims[d]);
        }
        printf("]\n");
    }
}

// Prints one line per member, except lists of tensors; these follow, one line per tensor.
static void print_text(json_t *root, const struct lq_tensors *tensors)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        if (json_is_null(value) || strcmp(key, "inputs") == 0 || strcmp(key, "outputs") == 0)
            continue;
        char *text = json_is_string(value)
                         ? strdup(json_string_value(value))
                         : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(3));
        printf("%-11s %s\n", key, text ? text : "");
        free(text);
    }
    print_tensors("input", tensors->inputs, tensors->input_count);
    print_tensors("output", tensors->outputs, tensors->output_count);
}

// Some files that cannot be used can still be described.
static int describe(const struct inspect *inspect, struct lq_tensors *tensors,
                    const struct lq_engine_ops **engine)
{
    *engine = inspect->model.options.engine ? lq_engine_find(inspect->model.options.engine, NULL)
                                            : lq_engines[0];
    if (!*engine || !inspect->model.path || (*engine)->probe(NULL, NULL) != LQ_OK)
        return LQ_ERR_UNAVAILABLE;
    struct lq_engine_model *model;
    int status = (*engine)->read(
        &model, &(struct lq_engine_source){.path = inspect->model.path}, NULL);
    if (status == LQ_OK)
        *tensors = model->tensors;
    (*engine)->forget(model);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct inspect inspect = {0};
    lq_cli_model_init(&inspect.model);
    lq_cli_parse(&lq_inspect_command.line, argc, argv, &inspect);
    struct lq_error err = {0};
    struct lq_model *model = NULL;
    struct lq_tensors tensors = {0};
    const struct lq_engine_ops *engine = NULL;
    const struct lq_model_info *info = NULL;
    int status = lq_cli_model_open(&inspect.model, &model, &err);
    if (status == LQ_OK) {
        info = lq_model_info(model);
        tensors = info->tensors;
        engine = lq_engine_find(info->engine, NULL);
    } else if (inspect.model.ends_engine || describe(&inspect, &tensors, &engine) != LQ_OK) {
        return lq_cli_error(&err);
    }
    const char *path = info ? info->path : inspect.model.path;
    json_t *root = json_pack("{s:s, s:s, s:n}", "path", path, "engine", engine->name, "head");
    if (info)
        add_model(root, info);
    json_object_set_new(root, "inputs", tensors_json(tensors.inputs, tensors.input_count));
    json_object_set_new(root, "outputs", tensors_json(tensors.outputs, tensors.output_count));
    json_object_set_new(root, "operators", operators_json(path));
    if (inspect.json) {
        json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
    } else {
        print_text(root, &tensors);
    }
    json_decref(root);
    lq_model_leave(model);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}

static const struct lq_cli_part parts[] = {
    {&lq_cli_model_spec, offsetof(struct inspect, model)}, {0}};

const struct lq_command lq_inspect_command = {
    "inspect", "print what a model file contains", run_command,
    {.options = options, .parts = parts, .args_doc = "[MODEL]",
     .words = {1, {offsetof(struct inspect, model.path)}, "give one model at a time"},
     .doc = "Prints what a model file contains: inputs, outputs, operators, its head, how pictures "
            "are preprocessed, and the precision and sizes in which it runs here. MODEL defaults "
            "to Lacquer's own model."}};
