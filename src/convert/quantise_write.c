#include "convert/quantise_write.h"

#include <stdlib.h>
#include <string.h>

#include "convert/quantise_scales.h"
#include "convert/quantise_weights.h"

enum { NAME_MAX_ = LQ_QUANTISE_NAME_MAX };

struct writing {
    struct lq_onnx *onnx;
    const struct lq_plan *plan;
    const struct lq_quantise_way *way;
    struct lq_scales scales;
    const Onnx__NodeProto **movers; // nodes that move numbers to quantised layers
    size_t mover_count;
    const char *lost; // a layer whose output's name now belongs to another value; NULL: none
};

// ---- activations

static const struct lq_layer *layer_of(const struct lq_plan *plan, const Onnx__NodeProto *node)
{
    for (int i = 0; i < plan->layer_count && node->n_output == 1; i++)
        if (strcmp(plan->layers[i].name, node->output[0]) == 0)
            return &plan->layers[i];
    return NULL;
}

// Whether the node moves numbers to a quantised layer. These nodes are found before any are added.
static bool leads(const struct writing *writing, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < writing->mover_count; i++)
        if (writing->movers[i] == node)
            return true;
    return false;
}

static bool takes(const Onnx__NodeProto *user, size_t input, const Onnx__NodeProto *maker)
{
    for (size_t i = 0; i < maker->n_output; i++)
        if (*maker->output[i] && strcmp(user->input[input], maker->output[i]) == 0)
            return true;
    return false;
}

// Whether a node uses the rounded numbers: a quantised layer, a node that moves them to one, or an
// Add, which costs less in eight bits than a second copy in float.
static bool wants_rounded(const struct writing *writing, const Onnx__NodeProto *node, size_t input)
{
    const struct lq_layer *layer = layer_of(writing->plan, node);
    size_t first, count;
    if (layer)
        return layer->quantised && input == 0;
    if (lq_onnx_is(node, "Add"))
        return true;
    return leads(writing, node) && lq_plan_moves(node, &first, &count) && input >= first &&
           input < first + count;
}

static void find_movers(struct writing *writing)
{
    const Onnx__GraphProto *graph = writing->onnx->graph;
    size_t first, count;
    for (size_t i = graph->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = graph->node[i];
        if (!lq_plan_moves(node, &first, &count))
            continue;
        bool found = false;
        for (size_t k = i + 1; k < graph->n_node && !found; k++)
            for (size_t in = 0; in < graph->node[k]->n_input && !found; in++)
                found = takes(graph->node[k], in, node) && !lq_onnx_is(graph->node[k], "Add") &&
                        wants_rounded(writing, graph->node[k], in);
        if (found)
            writing->movers[writing->mover_count++] = node;
    }
}

static void redirect_users(struct writing *writing, const char *value, const char *to)
{
    Onnx__GraphProto *graph = writing->onnx->graph;
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_input; k++)
            if (strcmp(graph->node[i]->input[k], value) == 0 &&
                wants_rounded(writing, graph->node[i], k))
                lq_onnx_set_text(writing->onnx, &graph->node[i]->input[k], to);
}

static void round_source(struct writing *writing, int source, const char *scale)
{
    struct lq_onnx *onnx = writing->onnx;
    const char *value = writing->plan->sources[source].name;
    char rounded[NAME_MAX_];
    lq_quantise_name(rounded, value, "rounded");
    redirect_users(writing, value, rounded);
    lq_quantise_insert_pair(onnx, (size_t)(lq_onnx_maker(onnx, value) + 1), value, scale, rounded);
}

static void round_sources(struct writing *writing)
{
    const struct lq_scales *scales = &writing->scales;
    int count = writing->plan->source_count;
    for (int root = 0; root < count; root++) {
        bool first = true;
        char name[NAME_MAX_];
        for (int i = 0; i < count; i++) {
            if (!scales->active[i] || scales->group[i] != root)
                continue;
            if (first) {
                lq_quantise_name(name, writing->plan->sources[i].name, "scale");
                lq_quantise_add_scale(writing->onnx, name, scales->scale[root]);
                first = false;
            }
            round_source(writing, i, name);
        }
    }
}

// Quantises the weights of a layer. False: out of memory, or `lost`.
static bool round_layer(struct writing *writing, const struct lq_layer *layer)
{
    // In a faulty file two values may have the same name; the layer is then no longer found.
    if (lq_onnx_maker(writing->onnx, layer->name) < 0) {
        writing->lost = layer->name;
        return false;
    }
    return lq_quantise_weights(writing->onnx, layer, writing->way->correct_biases);
}

// ---- the whole

int lq_quantise_write(struct lq_onnx *onnx, const struct lq_plan *plan,
                      const struct lq_quantise_way *way, struct lq_error *err)
{
    struct writing writing = {.onnx = onnx, .plan = plan, .way = way,
                              .movers = calloc(onnx->graph->n_node + 1, sizeof(void *))};
    bool fine = lq_scales_init(&writing.scales, plan, way->rule) && writing.movers;
    if (fine) {
        find_movers(&writing);
        round_sources(&writing);
    }
    lq_quantise_add_zero(onnx);
    for (int i = 0; i < plan->layer_count && fine; i++)
        if (plan->layers[i].quantised)
            fine = round_layer(&writing, &plan->layers[i]);
    lq_onnx_prune(onnx);
    lq_scales_release(&writing.scales);
    free(writing.movers);
    if (writing.lost)
        return lq_fail(err, LQ_ERR_MODEL, "the model has two values of one name, near '%.80s'",
                       writing.lost);
    return fine && !onnx->failed ? LQ_OK
                                 : lq_fail(err, LQ_ERR_MEMORY, "out of memory for the result");
}
