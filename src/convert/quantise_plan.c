#include "convert/quantise_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 4096, SOURCES_MAX = 64 };

bool lq_plan_moves(const Onnx__NodeProto *node, size_t *first, size_t *count)
{
    static const char *const known[] = {"MaxPool", "Reshape", "Transpose", "Flatten", "Squeeze",
                                        "Unsqueeze", "Slice", "Split", "Identity",
                                        "DepthToSpace", "SpaceToDepth"};
    char mode[16];
    *first = 0;
    *count = 1;
    if (lq_onnx_is(node, "Concat")) {
        *count = node->n_input;
        return *count > 0;
    }
    if (node->n_input == 0)
        return false;
    if (lq_onnx_is(node, "Resize")) {
        lq_onnx_attr_text(node, "mode", mode, sizeof mode);
        return mode[0] == '\0' || strcmp(mode, "nearest") == 0;
    }
    for (size_t i = 0; i < LQ_COUNT(known); i++)
        if (lq_onnx_is(node, known[i]))
            return true;
    return false;
}

// ---- sources

static int find_source(struct lq_plan *plan, const char *name)
{
    for (int i = 0; i < plan->source_count; i++)
        if (strcmp(plan->sources[i].name, name) == 0)
            return i;
    struct lq_source *more =
        realloc(plan->sources, (size_t)(plan->source_count + 1) * sizeof *more);
    if (!more)
        return -1;
    plan->sources = more;
    more[plan->source_count] = (struct lq_source){.name = strdup(name)};
    return more[plan->source_count].name ? plan->source_count++ : -1;
}

struct search {
    const struct lq_onnx *onnx;
    const char *found[SOURCES_MAX];
    int count, steps;
};

// False: the layer cannot be quantised (one source is a constant, or there are too many).
static bool search_sources(struct search *search, const char *value)
{
    int maker = lq_onnx_maker(search->onnx, value);
    size_t first, count;
    if (lq_onnx_constant(search->onnx, value) || ++search->steps > STEPS_MAX)
        return false;
    if (maker >= 0 && lq_plan_moves(search->onnx->graph->node[maker], &first, &count)) {
        const Onnx__NodeProto *node = search->onnx->graph->node[maker];
        for (size_t i = first; i < first + count; i++)
            if (!search_sources(search, node->input[i]))
                return false;
        return true;
    }
    for (int i = 0; i < search->count; i++)
        if (strcmp(search->found[i], value) == 0)
            return true;
    if (search->count == SOURCES_MAX)
        return false;
    search->found[search->count++] = value;
    return true;
}

static bool set_sources(struct lq_plan *plan, const struct lq_onnx *onnx, struct lq_layer *layer)
{
    struct search search = {.onnx = onnx};
    if (!search_sources(&search, layer->input)) {
        search.count = 1;
        search.found[0] = layer->input;
    }
    layer->sources = calloc((size_t)search.count, sizeof *layer->sources);
    for (int i = 0; layer->sources && i < search.count; i++) {
        layer->sources[i] = find_source(plan, search.found[i]);
        if (layer->sources[i] < 0)
            return false;
    }
    layer->source_count = search.count;
    return layer->sources != NULL;
}

// ---- layers

// The operators, with the minimum and maximum rank of their weights.
static const struct kind {
    const char *op;
    size_t rank_min, rank_max;
} kinds[] = {{"Conv", 3, 5}, {"ConvTranspose", 3, 5}, {"Gemm", 2, 2}, {"MatMul", 2, 2}};

static int axis_of(const Onnx__NodeProto *node)
{
    if (lq_onnx_is(node, "Conv"))
        return 0;
    if (lq_onnx_is(node, "Gemm"))
        return lq_onnx_attr_int(node, "transB", 0) ? 0 : 1;
    return 1;
}

static const struct kind *kind_of(const struct lq_onnx *onnx, const Onnx__NodeProto *node)
{
    const Onnx__TensorProto *weight = lq_onnx_constant(onnx, lq_onnx_input(node, 1));
    if (!weight || node->n_output != 1 || lq_onnx_items(weight) < 1 ||
        weight->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        return NULL;
    for (size_t i = 0; i < LQ_COUNT(kinds); i++)
        if (lq_onnx_is(node, kinds[i].op) && weight->n_dims >= kinds[i].rank_min &&
            weight->n_dims <= kinds[i].rank_max && !lq_onnx_constant(onnx, node->input[0]))
            return &kinds[i];
    return NULL;
}

// One scale per channel along axis 1 is only possible with one group; transposed or scaled Gemms
// are rare and not supported.
static bool is_usual(const Onnx__NodeProto *node, const Onnx__TensorProto *weight)
{
    int64_t groups = lq_onnx_attr_int(node, "group", 1);
    const Onnx__AttributeProto *alpha = lq_onnx_attr(node, "alpha");
    if (lq_onnx_is(node, "ConvTranspose"))
        return groups == 1;
    if (lq_onnx_is(node, "Conv"))
        return groups > 0 && weight->dims[0] % groups == 0;
    return !lq_onnx_is(node, "Gemm") || (lq_onnx_attr_int(node, "transA", 0) == 0 &&
                                         (!alpha || (alpha->f >= 1.0f && alpha->f <= 1.0f)));
}

static bool add_layer(struct lq_plan *plan, const struct lq_onnx *onnx,
                      const Onnx__NodeProto *node, const struct kind *kind)
{
    struct lq_layer *layer = &plan->layers[plan->layer_count++];
    *layer = (struct lq_layer){
        .name = strdup(node->output[0]), .input = strdup(node->input[0]),
        .weight = strdup(node->input[1]), .op = kind->op, .axis = axis_of(node),
        .groups = lq_onnx_attr_int(node, "group", 1), .quantised = true, .own = NAN,
        .alone = NAN,
    };
    return layer->name && layer->input && layer->weight && set_sources(plan, onnx, layer);
}

int lq_plan_init(struct lq_plan *plan, const struct lq_onnx *onnx, const char *name,
                 struct lq_error *err)
{
    *plan = (struct lq_plan){.layers = calloc(onnx->graph->n_node + 1, sizeof *plan->layers)};
    bool fine = plan->layers != NULL;
    for (size_t i = 0; i < onnx->graph->n_node && fine; i++) {
        const Onnx__NodeProto *node = onnx->graph->node[i];
        const struct kind *kind = kind_of(onnx, node);
        if (kind && is_usual(node, lq_onnx_constant(onnx, node->input[1])))
            fine = add_layer(plan, onnx, node, kind);
    }
    if (!fine)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.150s'", name);
    if (plan->layer_count == 0)
        return lq_fail(err, LQ_ERR_MODEL, "'%.150s' has nothing to quantise: no convolution and no "
                       "product of matrices with constant weights", name);
    return LQ_OK;
}

void lq_plan_release(struct lq_plan *plan)
{
    for (int i = 0; i < plan->layer_count; i++) {
        struct lq_layer *layer = &plan->layers[i];
        free(layer->name);
        free(layer->input);
        free(layer->weight);
        free(layer->sources);
        free(layer->means);
    }
    for (int i = 0; i < plan->source_count; i++)
        free(plan->sources[i].name);
    free(plan->layers);
    free(plan->sources);
    *plan = (struct lq_plan){0};
}

static bool matches(const char *name, const char *text)
{
    size_t len = strlen(text);
    return len && text[len - 1] == '*' ? strncmp(name, text, len - 1) == 0
                                       : strcmp(name, text) == 0;
}

int lq_plan_keep(struct lq_plan *plan, const struct lq_onnx *onnx, const char *text)
{
    int count = 0;
    for (int i = 0; i < plan->layer_count; i++) {
        struct lq_layer *layer = &plan->layers[i];
        int maker = lq_onnx_maker(onnx, layer->name);
        const char *node = maker >= 0 ? onnx->graph->node[maker]->name : NULL;
        if (!matches(layer->name, text) && !(node && matches(node, text)))
            continue;
        layer->named = true;
        layer->quantised = false;
        count++;
    }
    return count;
}
