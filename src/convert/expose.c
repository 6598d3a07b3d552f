// Makes inner tensors outputs: which of the source's tensors exist in the result, and as what.
#include <stdlib.h>

#include "convert/lower.h"

static int output_number(const struct lq_graph *graph, const struct lq_value *value)
{
    for (int i = 0; i < graph->output_count; i++)
        if (graph->outputs[i] == value)
            return i;
    return -1;
}

// The form of the tensor that some node computes, if it was not pruned.
static const struct lq_tensor_form *living_form(const struct lq_tensor_state *slot)
{
    for (const struct lq_tensor_form *form = slot->forms; form; form = form->next)
        if (form->value->maker && form->value->used)
            return form;
    return NULL;
}

static void add_point(struct lq_lower *low, int tensor, const struct lq_tensor_form *form)
{
    struct lq_convert_exposed *exposed = low->options->exposed;
    struct lq_graph *graph = low->graph;
    const struct lq_tflite_tensor *about = lq_lower_tensor(low, tensor);
    int output = output_number(graph, form->value);
    if (output < 0) {
        output = graph->output_count;
        graph->outputs[graph->output_count++] = form->value;
    }
    struct lq_convert_point *point = &exposed->points[exposed->count++];
    *point = (struct lq_convert_point){.name = about->name, .tensor = tensor, .output = output,
                                       .rank = form->order.rank};
    for (int i = 0; i < form->order.rank; i++)
        point->axis[i] = form->order.axis[i];
    if (form->kind == LQ_STORED && lq_lower_quantised(low, tensor)) {
        point->quantised = true;
        point->scale = (double)lq_tflite_scale(about, 0);
        point->zero = (double)lq_tflite_zero(about, 0);
    }
}

void lq_lower_expose(struct lq_lower *low)
{
    struct lq_convert_exposed *exposed = low->options->exposed;
    int from = low->options->expose_from, to = from + low->options->expose_count;
    *exposed = (struct lq_convert_exposed){0};
    exposed->points = calloc((size_t)low->options->expose_count + 1, sizeof *exposed->points);
    if (!exposed->points) {
        lq_graph_fail(low->graph, LQ_ERR_MEMORY, "out of memory for the comparison");
        return;
    }
    for (int i = 0; i < low->model->tensor_count; i++) {
        const struct lq_tensor_form *form = living_form(&low->slots[i]);
        if (!form || low->slots[i].maker < 0 || lq_lower_tensor(low, i)->scale_count > 1)
            continue;
        if (exposed->total >= from && exposed->total < to)
            add_point(low, i, form);
        exposed->total++;
    }
}
