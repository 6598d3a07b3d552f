#include "convert/convert.h"

#include <string.h>

#include "convert/lower.h"

// The memory limit of a conversion: float16 weights double in size, and some are also transposed.
// The limit stops a malicious file that uses one constant in a thousand shapes.
enum { BYTES_LEAST = 64 << 20, BYTES_PER_BYTE = 8 };

static bool is_convolution(const struct lq_node *node)
{
    return strcmp(node->op, "Conv") == 0 || strcmp(node->op, "ConvTranspose") == 0;
}

static bool only_for_products(const struct lq_node *transpose, struct lq_node *const *nodes,
                              int count)
{
    int products = 0, others = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < nodes[i]->input_count; k++)
            if (nodes[i]->inputs[k]->maker == transpose)
                *(strcmp(nodes[i]->op, "MatMul") == 0 ? &products : &others) += 1;
    return products > 0 && others == 0;
}

// Counts Transposes between two convolutions, except the transposed factor of a matrix product in
// attention.
static int count_inner(struct lq_graph *graph)
{
    int count = lq_graph_count(graph, NULL), inner = 0, i = 0;
    struct lq_node **nodes = lq_graph_take(graph, (size_t)(count + 1) * sizeof *nodes);
    if (!nodes)
        return 0;
    for (struct lq_node *node = graph->first; node; node = node->next)
        nodes[i++] = node;
    for (i = 0; i < count; i++) {
        nodes[i]->behind = is_convolution(nodes[i]);
        for (int k = 0; k < nodes[i]->input_count; k++) {
            const struct lq_node *maker = nodes[i]->inputs[k]->maker;
            nodes[i]->behind |= maker && maker->behind;
        }
    }
    for (i = count - 1; i >= 0; i--) {
        if (strcmp(nodes[i]->op, "Transpose") == 0)
            inner += nodes[i]->behind && nodes[i]->before &&
                     !only_for_products(nodes[i], nodes + i + 1, count - i - 1);
        for (int k = 0; k < nodes[i]->input_count; k++) {
            struct lq_node *maker = nodes[i]->inputs[k]->maker;
            if (maker)
                maker->before |= nodes[i]->before || is_convolution(nodes[i]);
        }
    }
    return inner;
}

static void summarise(struct lq_graph *graph, const struct lq_tflite *model,
                      struct lq_convert_summary *summary)
{
    *summary = (struct lq_convert_summary){
        .operators = model->op_count,
        .nodes = lq_graph_count(graph, NULL),
        .transposes = lq_graph_count(graph, "Transpose"),
        .transposes_inner = count_inner(graph),
    };
}

int lq_convert(const uint8_t *data, size_t len, const struct lq_convert_options *options,
               struct lq_buf *out, struct lq_convert_summary *summary, struct lq_error *err)
{
    struct lq_tflite model;
    int status = lq_tflite_read(&model, data, len, err);
    if (status != LQ_OK)
        return status;
    struct lq_graph graph;
    lq_graph_init(&graph, BYTES_LEAST + len * BYTES_PER_BYTE, err);
    struct lq_lower low = {.model = &model, .graph = &graph, .options = options};
    status = lq_lower(&low);
    if (status == LQ_OK) {
        lq_graph_move_quantise(&graph);
        lq_graph_prune(&graph);
        if (options->fp16)
            lq_graph_store_f16(&graph);
        summarise(&graph, &model, summary);
        if (options->exposed)
            lq_lower_expose(&low);
        status = lq_graph_write(&graph, options->name ? options->name : "network", out);
        summary->bytes = out->len;
    }
    lq_graph_release(&graph);
    lq_tflite_release(&model);
    return status;
}
