// IF and WHILE: they run a sub-graph of the file, which is lowered into the same ONNX graph in
// place of the operator. If the condition is known at conversion time, it selects the branch.
// Otherwise both branches run and a Where selects the result; this is equivalent, because TFLite's
// branches have no side effects. A loop is unrolled; its condition must be known in every
// iteration, as it is when a counter runs to a fixed end (which frameworks generate for a GRU).
#include "convert/lower.h"
#include "format/tflite_ops.h"

enum {
    DEPTH_MAX = 4,
    STEPS_MAX = 1024,
    OPERATORS_MAX = 1 << 16, // lowered in sub-graphs, over all iterations
};

// Returns another graph of the file, which is read once; on NULL the error is set.
static const struct lq_tflite *graph_of(struct lq_lower *low, int number)
{
    struct lq_subgraphs *all = low->subgraphs;
    if (!lq_lower_need(low, number > 0 && number < low->model->graph_count &&
                                number < LQ_SUBGRAPHS_MAX,
                       "its sub-graph is missing"))
        return NULL;
    if (all->graphs[number])
        return all->graphs[number];
    struct lq_tflite *graph = lq_graph_take(low->graph, sizeof *graph);
    if (!graph || lq_tflite_read_graph(graph, low->model, &low->graph->arena, number,
                                       low->graph->err) != LQ_OK) {
        if (low->graph->status == LQ_OK)
            low->graph->status = LQ_ERR_MODEL;
        return NULL;
    }
    return all->graphs[number] = graph;
}

// The inputs passed to a graph: tensors of `from`.
struct arguments {
    struct lq_lower *from;
    const int *tensors;
    int count;
};

// Lowers graph `number` with these inputs into *sub. `before` is the same graph's previous
// iteration, whose constants are reused, or NULL.
static bool run(struct lq_lower *low, int number, const struct arguments *given,
                const struct lq_lower *before, struct lq_lower *sub)
{
    const struct lq_tflite *model = graph_of(low, number);
    if (!model || !lq_lower_need(low, model->inputs.count == given->count,
                                 "its sub-graph has another number of inputs") ||
        !lq_lower_need(low, low->depth < DEPTH_MAX, "its sub-graphs are nested too deeply"))
        return false;
    low->subgraphs->operators += model->op_count + 1;
    if (!lq_lower_need(low, low->subgraphs->operators <= OPERATORS_MAX,
                       "its sub-graphs have too many operators"))
        return false;
    *sub = (struct lq_lower){.model = model, .graph = low->graph, .options = low->options,
                             .subgraphs = low->subgraphs, .depth = low->depth + 1,
                             .lower_operators = low->lower_operators};
    if (!lq_lower_begin(sub))
        return false;
    for (int i = 0; before && i < model->tensor_count; i++)
        if (sub->slots[i].data && before->slots[i].data == sub->slots[i].data)
            sub->slots[i].forms = before->slots[i].forms;
    for (int i = 0; i < given->count; i++)
        lq_hand_over(given->from, given->tensors[i], sub, lq_flat_int(model->inputs, i));
    sub->lower_operators(sub);
    return low->graph->status == LQ_OK;
}

static int *tensor_list(struct lq_lower *low, int count)
{
    return lq_graph_take(low->graph, (size_t)(count + 1) * sizeof(int));
}

// ---- IF

// Selects at run time between the results with that index of both branches (else, then).
static void choose(struct lq_lower *low, struct lq_value *condition, struct lq_lower branches[2],
                   int number)
{
    struct lq_lower *no = &branches[0], *yes = &branches[1];
    int a = lq_flat_int(yes->model->outputs, number), b = lq_flat_int(no->model->outputs, number);
    const char *differ = "its branches give tensors of different shapes or types, and which one "
                         "runs is not known";
    int rank = lq_lower_rank(yes, a);
    if (!lq_lower_need(low, yes->slots[a].made && no->slots[b].made &&
                                lq_lower_rank(no, b) == rank &&
                                lq_shape_equal(&yes->slots[a].shape, &no->slots[b].shape), differ))
        return;
    struct lq_axes order = lq_layout_common(yes, &a, 1);
    struct lq_value *x = lq_get(yes, a, order), *y = lq_get(no, b, order);
    if (low->graph->status != LQ_OK || !lq_lower_need(low, x->type == y->type, differ))
        return;
    lq_set(low, lq_lower_output(low, number),
           lq_graph_add(low->graph, "Where", LQ_INPUTS(condition, x, y), LQ_NO_ATTRS), order);
}

static void set_results(struct lq_lower *sub, struct lq_lower *low)
{
    struct lq_flat_list made = sub->model->outputs;
    if (lq_lower_need(low, made.count == low->op->outputs.count,
                      "its sub-graph has another number of results"))
        for (int i = 0; i < made.count; i++)
            lq_hand_over(sub, lq_flat_int(made, i), low, lq_lower_output(low, i));
}

void lq_lower_if(struct lq_lower *low)
{
    int count = low->op->inputs.count - 1, condition = lq_lower_input(low, 0);
    int branches[2] = {lq_lower_option(low, 1, 0), lq_lower_option(low, 0, 0)}; // else, then
    int *arguments = tensor_list(low, count);
    struct lq_lower sub[2];
    int64_t known;
    if (!arguments || !lq_lower_need(low, count >= 0 && condition >= 0 &&
                                              low->slots[condition].made,
                                     "its condition is missing"))
        return;
    for (int i = 0; i < count; i++)
        arguments[i] = lq_lower_input(low, i + 1);
    const struct arguments given = {low, arguments, count};
    if (lq_ints_of(low, condition, &known, 1) == 1) {
        if (run(low, branches[known != 0], &given, NULL, &sub[0]))
            set_results(&sub[0], low);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (!run(low, branches[i], &given, NULL, &sub[i]))
            return;
    struct lq_flat_list no = sub[0].model->outputs, yes = sub[1].model->outputs;
    struct lq_value *value = lq_reshaped(low, lq_get_plain(low, condition), (int64_t[]){0}, 0);
    if (lq_lower_need(low, no.count == low->op->outputs.count && yes.count == no.count,
                      "its branches have another number of results"))
        for (int i = 0; i < no.count && low->graph->status == LQ_OK; i++)
            choose(low, value, sub, i);
}

// ---- WHILE

// Evaluates the condition: 1: continue, 0: end, -1: error, which is set.
static int evaluate_condition(struct lq_lower *low, int number, const struct arguments *state)
{
    struct lq_lower condition;
    int64_t value = 0;
    if (!run(low, number, state, NULL, &condition))
        return -1;
    struct lq_flat_list made = condition.model->outputs;
    if (!lq_lower_need(low, made.count == 1 &&
                                lq_ints_of(&condition, lq_flat_int(made, 0), &value, 1) == 1,
                       "how often its loop runs is only known when the network runs"))
        return -1;
    return value != 0;
}

void lq_lower_while(struct lq_lower *low)
{
    int count = low->op->inputs.count, condition = lq_lower_option(low, 0, 0);
    int body = lq_lower_option(low, 1, 0), *state = tensor_list(low, count);
    // Keeps two iterations: the results of one are the state of the next.
    struct lq_lower kept[2], *last = low;
    if (!state || !lq_lower_need(low, count == low->op->outputs.count,
                                 "it must have as many results as inputs"))
        return;
    for (int i = 0; i < count; i++)
        state[i] = lq_lower_input(low, i);
    for (int step = 0;; step++) {
        const struct arguments given = {last, state, count};
        int more = evaluate_condition(low, condition, &given);
        if (more <= 0)
            break;
        struct lq_lower *next = &kept[step % 2];
        if (!lq_lower_need(low, step < STEPS_MAX, "its loop runs too often to be unrolled") ||
            !run(low, body, &given, step ? last : NULL, next) ||
            !lq_lower_need(low, next->model->outputs.count == count,
                           "its loop has another number of results than inputs"))
            return;
        for (int i = 0; i < count; i++)
            state[i] = lq_flat_int(next->model->outputs, i);
        last = next;
    }
    for (int i = 0; i < count && low->graph->status == LQ_OK; i++)
        lq_hand_over(last, state[i], low, lq_lower_output(low, i));
}
