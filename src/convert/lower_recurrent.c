// UNIDIRECTIONAL_SEQUENCE_LSTM and _RNN as ONNX's LSTM and RNN over [time, batch, in]. Their state
// starts from zeros in every run; the state tensors that TFLite keeps between runs are reset by
// callers before each sequence.
#include <string.h>

#include "convert/lower.h"
#include "format/tflite_ops.h"

enum { // inputs of the LSTM
    X = 0, IN_WEIGHTS = 1, STATE_WEIGHTS = 5, PEEPHOLES = 9, BIASES = 12, PROJECTION = 16,
    LAYER_NORMS = 20, GATES = 4,
};

enum { ACTIVATION_TANH = 4, STEPS_MAX = 256 };

static struct lq_axes time_first(bool time_major)
{
    return (struct lq_axes){3, {!time_major, time_major, 2}};
}

static int64_t dim(const struct lq_lower *low, int tensor, int axis)
{
    return low->slots[tensor].shape.dims[axis];
}

static bool is_matrix(const struct lq_lower *low, int tensor, int64_t rows)
{
    return lq_is_constant(low, tensor) && lq_lower_rank(low, tensor) == 2 &&
           dim(low, tensor, 0) == rows;
}

static bool is_vector(const struct lq_lower *low, int tensor, int64_t count)
{
    return lq_is_constant(low, tensor) && lq_lower_rank(low, tensor) == 1 &&
           dim(low, tensor, 0) == count;
}

// Concatenates constants of the same shape: [1, count * rows, columns] or, for vectors,
// [1, total * rows] with zeros at the end.
static struct lq_value *stacked(struct lq_lower *low, const int *tensors, int count, int total)
{
    struct lq_shape one = low->slots[tensors[0]].shape;
    int64_t items = lq_shape_items(&one);
    float *made = lq_graph_take(low->graph, (size_t)(items * total) * sizeof *made);
    for (int i = 0; made && i < count; i++) {
        const float *part = lq_real_constant(low, tensors[i], lq_layout_plain(one.rank));
        if (!part)
            return &low->graph->nothing;
        memcpy(made + i * items, part, (size_t)items * sizeof *made);
    }
    struct lq_shape shape = {one.rank + 1, {1, one.dims[0] * total, one.dims[1]}};
    return made ? lq_graph_constant(low->graph, LQ_ONNX_F32, &shape, made) : &low->graph->nothing;
}

// TFLite's gates are input, forget, cell, output; ONNX needs input, output, forget, cell.
static struct lq_value *gates(struct lq_lower *low, int first, int total)
{
    static const int wanted[GATES] = {0, 3, 1, 2};
    int tensors[GATES];
    for (int i = 0; i < GATES; i++)
        tensors[i] = lq_lower_input(low, first + wanted[i]);
    return stacked(low, tensors, GATES, total);
}

static void set_sequence(struct lq_lower *low, struct lq_value *y, bool time_major)
{
    y = lq_graph_add(low->graph, "Squeeze",
                     LQ_INPUTS(y, lq_graph_i64s(low->graph, (int64_t[]){1}, 1)), LQ_NO_ATTRS);
    lq_set(low, lq_lower_output(low, 0), y, time_first(time_major));
}

static bool is_sequence(struct lq_lower *low, int x, int weights)
{
    return lq_lower_need(low, x >= 0 && low->slots[x].made && lq_lower_rank(low, x) == 3 &&
                                  lq_is_constant(low, weights) && lq_lower_rank(low, weights) == 2,
                         "its input must have three dimensions and its weights be constants") &&
           lq_lower_need(low, !lq_lower_quantised(low, x),
                         "a recurrence in integer arithmetic is not supported");
}

// ---- LSTM

static bool lstm_fits(struct lq_lower *low, int64_t hidden)
{
    bool fine = true, plain = lq_lower_input(low, PROJECTION) < 0;
    for (int i = 0; i < GATES; i++) {
        fine = fine && is_matrix(low, lq_lower_input(low, IN_WEIGHTS + i), hidden) &&
               is_matrix(low, lq_lower_input(low, STATE_WEIGHTS + i), hidden) &&
               dim(low, lq_lower_input(low, STATE_WEIGHTS + i), 1) == hidden &&
               dim(low, lq_lower_input(low, IN_WEIGHTS + i), 1) ==
                   dim(low, lq_lower_input(low, IN_WEIGHTS), 1) &&
               is_vector(low, lq_lower_input(low, BIASES + i), hidden);
        plain = plain && lq_lower_input(low, LAYER_NORMS + i) < 0;
    }
    for (int i = 0; i < 3; i++)
        plain = plain && lq_lower_input(low, PEEPHOLES + i) < 0;
    return lq_lower_need(low, plain && lq_lower_byte(low, 0, 0) == ACTIVATION_TANH,
                         "an LSTM with projection, peepholes, layer normalisation or another "
                         "activation than tanh is not supported") &&
           lq_lower_need(low, fine, "its weights are not constants that fit, or share a gate");
}

static struct lq_value *two(struct lq_lower *low, const char *op, struct lq_value *a,
                            struct lq_value *b)
{
    return lq_graph_add(low->graph, op, LQ_INPUTS(a, b), LQ_NO_ATTRS);
}

static struct lq_value *one(struct lq_lower *low, const char *op, struct lq_value *a)
{
    return lq_graph_add(low->graph, op, LQ_INPUTS(a), LQ_NO_ATTRS);
}

struct cell {
    struct lq_value *state, *memory; // [batch, hidden]; NULL before the first step
    struct lq_value *weights, *sizes;
    float clip;
};

// One step: `x` is the input's contribution to the four gates, [batch, 4 * hidden].
static void step(struct lq_lower *low, struct cell *cell, struct lq_value *x)
{
    struct lq_value *gate[GATES]; // input, output, forget, cell
    if (cell->state)
        x = two(low, "Add", x, two(low, "MatMul", cell->state, cell->weights));
    lq_graph_add_many(low->graph, "Split", LQ_INPUTS(x, cell->sizes), LQ_ATTRS(lq_int("axis", 1)),
                      gate, GATES);
    for (int i = 0; i < GATES; i++)
        gate[i] = one(low, i == 3 ? "Tanh" : "Sigmoid", gate[i]);
    struct lq_value *memory = two(low, "Mul", gate[0], gate[3]);
    if (cell->memory)
        memory = two(low, "Add", memory, two(low, "Mul", gate[2], cell->memory));
    cell->memory = lq_clip(low, memory, -cell->clip, cell->clip);
    cell->state = two(low, "Mul", gate[1], one(low, "Tanh", cell->memory));
}

// ONNX's `clip` limits other values than TFLite's cell_clip. If that can matter, each step is
// written out.
static void unrolled(struct lq_lower *low, struct lq_value *x, int64_t steps, int64_t hidden,
                     float clip, bool time_major)
{
    struct lq_graph *graph = low->graph;
    struct lq_value *w = gates(low, IN_WEIGHTS, GATES), *r = gates(low, STATE_WEIGHTS, GATES);
    struct lq_value *bias = gates(low, BIASES, GATES);
    struct lq_value *list[STEPS_MAX + 1] = {NULL};
    struct cell cell = {.clip = clip};
    if (graph->status != LQ_OK)
        return;
    struct lq_shape flat = {2, {w->shape.dims[1], w->shape.dims[2]}};
    w = lq_graph_constant(graph, LQ_ONNX_F32, &flat, w->data);
    flat.dims[1] = hidden;
    r = lq_graph_constant(graph, LQ_ONNX_F32, &flat, r->data);
    struct lq_attr swapped[] = {lq_ints("perm", (int64_t[]){1, 0}, 2), {0}};
    w = lq_graph_add(graph, "Transpose", LQ_INPUTS(w), swapped);
    cell.weights = lq_graph_add(graph, "Transpose", LQ_INPUTS(r), swapped);
    cell.sizes = lq_graph_i64s(graph, (int64_t[]){hidden, hidden, hidden, hidden}, GATES);
    bias = lq_reshaped(low, bias, (int64_t[]){GATES * hidden}, 1);
    x = two(low, "Add", two(low, "MatMul", x, w), bias);
    struct lq_value *axis = lq_graph_i64s(graph, (int64_t[]){0}, 1);
    for (int64_t t = 0; t < steps && graph->status == LQ_OK; t++) {
        struct lq_value *at = lq_reshaped(low, lq_graph_i64s(graph, &t, 1), (int64_t[]){0}, 0);
        step(low, &cell,
             lq_graph_add(graph, "Gather", LQ_INPUTS(x, at), LQ_ATTRS(lq_int("axis", 0))));
        list[t] = two(low, "Unsqueeze", cell.state, axis);
    }
    if (graph->status == LQ_OK)
        lq_set(low, lq_lower_output(low, 0),
               lq_graph_add(graph, "Concat", list, LQ_ATTRS(lq_int("axis", 0))),
               time_first(time_major));
}

void lq_lower_lstm(struct lq_lower *low)
{
    int input = lq_lower_input(low, X), first = lq_lower_input(low, IN_WEIGHTS + 1);
    bool time_major = lq_lower_byte(low, 3, 0);
    if (!is_sequence(low, input, first) || !lstm_fits(low, dim(low, first, 0)))
        return;
    int64_t hidden = dim(low, first, 0), steps = dim(low, input, time_major ? 0 : 1);
    float clip = lq_tflite_option_float(low->model, low->op, 1, 0);
    struct lq_value *x = lq_get(low, input, time_first(time_major));
    // Each step adds at most one to a cell, so a short sequence cannot reach the limit.
    if (clip > 0 && (steps < 0 || (float)steps > clip)) {
        if (lq_lower_need(low, steps > 0 && steps <= STEPS_MAX,
                          "an LSTM whose cells are clipped over an open or very long time is not "
                          "supported"))
            unrolled(low, x, steps, hidden, clip, time_major);
        return;
    }
    struct lq_value *y = lq_graph_add(
        low->graph, "LSTM",
        LQ_INPUTS(x, gates(low, IN_WEIGHTS, GATES), gates(low, STATE_WEIGHTS, GATES),
                  gates(low, BIASES, 2 * GATES)),
        LQ_ATTRS(lq_int("hidden_size", hidden)));
    set_sequence(low, y, time_major);
}

// ---- RNN

void lq_lower_rnn(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), weights = lq_lower_input(low, 1);
    int state_weights = lq_lower_input(low, 2), bias = lq_lower_input(low, 3);
    bool time_major = lq_lower_byte(low, 0, 0);
    if (!is_sequence(low, input, weights))
        return;
    int64_t hidden = dim(low, weights, 0);
    if (!lq_lower_need(low, is_matrix(low, state_weights, hidden) && is_vector(low, bias, hidden),
                       "its weights are not constants that fit") ||
        !lq_lower_need(low, lq_lower_byte(low, 1, 0) == ACTIVATION_TANH,
                       "another activation than tanh is not supported"))
        return;
    struct lq_value *y = lq_graph_add(
        low->graph, "RNN",
        LQ_INPUTS(lq_get(low, input, time_first(time_major)), stacked(low, &weights, 1, 1),
                  stacked(low, &state_weights, 1, 1), stacked(low, &bias, 1, 2)),
        LQ_ATTRS(lq_int("hidden_size", hidden)));
    set_sequence(low, y, time_major);
}
