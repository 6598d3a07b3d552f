// Operators that take parts of a tensor: SLICE, STRIDED_SLICE, SPLIT, UNPACK, REVERSE.
#include "convert/lower.h"
#include "format/tflite_ops.h"

// The start and end of a cut along each of TFLite's axes.
struct cut {
    int rank;
    int64_t start[LQ_RANK_MAX], end[LQ_RANK_MAX], step[LQ_RANK_MAX];
    bool whole[LQ_RANK_MAX];
};

static struct cut cut_nothing(int rank)
{
    struct cut cut = {.rank = rank};
    for (int i = 0; i < rank; i++) {
        cut.whole[i] = true;
        cut.step[i] = 1;
        cut.end[i] = INT64_MAX;
    }
    return cut;
}

static struct lq_value *write_cut(struct lq_lower *low, struct lq_value *value,
                                  struct lq_axes order, const struct cut *cut)
{
    int64_t start[LQ_RANK_MAX], end[LQ_RANK_MAX], axes[LQ_RANK_MAX], step[LQ_RANK_MAX];
    int count = 0;
    for (int i = 0; i < order.rank; i++) {
        int axis = order.axis[i];
        if (cut->whole[axis])
            continue;
        start[count] = cut->start[axis];
        end[count] = cut->end[axis];
        step[count] = cut->step[axis];
        axes[count++] = i;
    }
    if (count == 0)
        return value;
    struct lq_graph *graph = low->graph;
    return lq_graph_add(graph, "Slice",
                        LQ_INPUTS(value, lq_graph_i64s(graph, start, count),
                                  lq_graph_i64s(graph, end, count),
                                  lq_graph_i64s(graph, axes, count),
                                  lq_graph_i64s(graph, step, count)),
                        LQ_NO_ATTRS);
}

void lq_lower_slice(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    const struct lq_constant_ints *begin = lq_constant_ints_of(low, lq_lower_input(low, 1));
    const struct lq_constant_ints *size = lq_constant_ints_of(low, lq_lower_input(low, 2));
    struct lq_shape shape = lq_lower_shape(low, input);
    if (!lq_lower_need(low, begin && size && begin->count == rank && size->count == rank,
                       "its begin and size must be constants"))
        return;
    struct cut cut = cut_nothing(rank);
    for (int i = 0; i < rank; i++) {
        int64_t at = begin->at[i], length = size->at[i];
        // All of an open size: the length is not known, but nothing is cut off.
        bool all = begin->some[i] && at == 0 &&
                   (!size->some[i] ? shape.dims[i] < 0 : length == -1 || length == shape.dims[i]);
        if (all)
            continue;
        if (!lq_lower_need(low, begin->some[i] && size->some[i] && at >= 0 && at <= INT32_MAX &&
                                    length >= -1 && length <= INT32_MAX,
                           "its begin and size must be constants"))
            return;
        cut.whole[i] = false;
        cut.start[i] = at;
        cut.end[i] = length < 0 ? INT64_MAX : at + length;
    }
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    lq_set(low, lq_lower_output(low, 0), write_cut(low, value, order, &cut), order);
}

// ---- STRIDED_SLICE

enum { BEGIN_MASK, END_MASK, ELLIPSIS_MASK, NEW_AXIS_MASK, SHRINK_MASK, OFFSET };

struct strided {
    struct cut cut;
    unsigned shrink;    // axes of the input that are removed
    int new_count;
    int added[LQ_RANK_MAX]; // axes added in the result, in ascending order
};

// The starts, ends and steps of a strided slice, one number per entry.
struct bounds {
    const struct lq_constant_ints *begin, *end;
    int64_t steps[LQ_RANK_MAX * 2];
};

static bool read_one(struct lq_lower *low, struct strided *to, int axis, int i,
                     const struct bounds *bounds)
{
    const struct lq_constant_ints *begin = bounds->begin, *end = bounds->end;
    int64_t step = bounds->steps[i];
    bool from_start = lq_lower_option(low, BEGIN_MASK, 0) >> i & 1;
    bool to_end = lq_lower_option(low, END_MASK, 0) >> i & 1;
    bool shrinks = lq_lower_option(low, SHRINK_MASK, 0) >> i & 1;
    struct cut *cut = &to->cut;
    if (shrinks) {
        to->shrink |= 1u << axis;
        from_start = false;
        to_end = true;
    }
    if (!lq_lower_need(low, step != 0 && (from_start || begin->some[i]) && (to_end || end->some[i]),
                       "its begin, end and steps must be constants"))
        return false;
    int64_t b = begin->at[i], e = end->at[i];
    if (!lq_lower_need(low, b >= INT32_MIN && b <= INT32_MAX && e >= INT32_MIN && e <= INT32_MAX,
                       "its begin or end is invalid"))
        return false;
    if (lq_lower_byte(low, OFFSET, 0))
        e += b;
    cut->step[axis] = shrinks ? 1 : step;
    cut->start[axis] = !from_start ? b : step > 0 ? 0 : INT64_MAX;
    cut->end[axis] = shrinks ? (b == -1 ? INT64_MAX : b + 1)
                     : !to_end ? e : step > 0 ? INT64_MAX : INT64_MIN;
    int64_t size = low->slots[lq_lower_input(low, 0)].shape.dims[axis];
    bool ends = cut->end[axis] == INT64_MAX || (size >= 0 && cut->end[axis] >= size);
    cut->whole[axis] = cut->step[axis] == 1 && cut->start[axis] == 0 && ends;
    return true;
}

static bool read_strided(struct lq_lower *low, struct strided *to)
{
    int rank = lq_lower_rank(low, lq_lower_input(low, 0)), axis = 0, out = 0;
    const struct lq_constant_ints *begin = lq_constant_ints_of(low, lq_lower_input(low, 1));
    const struct lq_constant_ints *end = lq_constant_ints_of(low, lq_lower_input(low, 2));
    struct bounds bounds = {.begin = begin, .end = end};
    int count = lq_ints_of(low, lq_lower_input(low, 3), bounds.steps, LQ_RANK_MAX * 2);
    unsigned ellipsis = (unsigned)lq_lower_option(low, ELLIPSIS_MASK, 0);
    unsigned fresh = (unsigned)lq_lower_option(low, NEW_AXIS_MASK, 0);
    unsigned shrink = (unsigned)lq_lower_option(low, SHRINK_MASK, 0);
    if (!lq_lower_need(low, begin && end && count >= 0 && begin->count == count &&
                                end->count == count,
                       "its begin, end and steps must be constants"))
        return false;
    *to = (struct strided){.cut = cut_nothing(rank)};
    int named = 0; // entries that refer to one axis of the input
    for (int i = 0; i < count; i++)
        named += !(ellipsis >> i & 1) && !(fresh >> i & 1);
    for (int i = 0; i < count; i++) {
        if (ellipsis >> i & 1) {
            axis += rank - named;
            out += rank - named;
        } else if (fresh >> i & 1) {
            if (!lq_lower_need(low, to->new_count < LQ_RANK_MAX, "it adds too many axes"))
                return false;
            to->added[to->new_count++] = out++;
        } else {
            if (!lq_lower_need(low, axis >= 0 && axis < rank, "it has more parts than axes") ||
                !read_one(low, to, axis++, i, &bounds))
                return false;
            out += !(shrink >> i & 1);
        }
    }
    return true;
}

void lq_lower_strided_slice(struct lq_lower *low)
{
    struct strided strided;
    int input = lq_lower_input(low, 0);
    if (!lq_lower_need(low, input >= 0 && low->slots[input].made, "its input is missing") ||
        !read_strided(low, &strided))
        return;
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    value = write_cut(low, value, order, &strided.cut);
    value = lq_remove_axes(low, value, strided.shrink, &order);
    for (int i = 0; i < strided.new_count; i++) {
        if (!lq_lower_need(low, strided.added[i] <= order.rank, "its new axis is out of range"))
            return;
        value = lq_insert_axis(low, value, strided.added[i], &order);
    }
    lq_set(low, lq_lower_output(low, 0), value, order);
}

void lq_lower_reverse(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    int64_t axes[LQ_RANK_MAX];
    int count = lq_ints_of(low, lq_lower_input(low, 1), axes, LQ_RANK_MAX);
    if (!lq_lower_need(low, count >= 0, "its axes must be constants"))
        return;
    struct cut cut = cut_nothing(rank);
    for (int i = 0; i < count; i++) {
        axes[i] += axes[i] < 0 ? rank : 0;
        if (!lq_lower_need(low, axes[i] >= 0 && axes[i] < rank, "it reverses no axis of its input"))
            return;
        cut.whole[axes[i]] = false;
        cut.start[axes[i]] = INT64_MAX;
        cut.end[axes[i]] = INT64_MIN;
        cut.step[axes[i]] = -1;
    }
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    lq_set(low, lq_lower_output(low, 0), write_cut(low, value, order, &cut), order);
}

// ---- SPLIT, UNPACK

// Cuts `value` along stored axis `place` into as many pieces as the operator has outputs.
static struct lq_value **split(struct lq_lower *low, struct lq_value *value, int place,
                               const int64_t *sizes)
{
    int count = low->op->outputs.count;
    struct lq_value **pieces = lq_graph_take(low->graph, (size_t)(count + 1) * sizeof *pieces);
    if (pieces)
        lq_graph_add_many(low->graph, "Split",
                          LQ_INPUTS(value, lq_graph_i64s(low->graph, sizes, count)),
                          LQ_ATTRS(lq_int("axis", place)), pieces, count);
    return low->graph->status == LQ_OK ? pieces : NULL;
}

static int64_t *piece_sizes(struct lq_lower *low, int64_t total, int sizes_tensor)
{
    int count = low->op->outputs.count, hole = -1;
    int64_t *sizes = lq_graph_take(low->graph, (size_t)(count + 1) * sizeof *sizes), sum = 0;
    if (!sizes || !lq_lower_need(low, count > 0 && total >= 0, "it splits an axis of open size"))
        return NULL;
    for (int i = 0; sizes_tensor < 0 && i < count; i++)
        sizes[i] = total / count;
    if (sizes_tensor < 0)
        return sizes;
    if (!lq_lower_need(low, lq_ints_of(low, sizes_tensor, sizes, count) == count,
                       "the sizes of its parts must be constants, one for each"))
        return NULL;
    for (int i = 0; i < count; i++) {
        sum += sizes[i] < 0 ? 0 : sizes[i];
        hole = sizes[i] < 0 ? i : hole;
    }
    if (hole >= 0)
        sizes[hole] = total - sum;
    return sizes;
}

void lq_lower_split(struct lq_lower *low)
{
    bool sized = low->op->builtin == LQ_OP_SPLIT_V;
    int input = lq_lower_input(low, sized ? 0 : 1), rank = lq_lower_rank(low, input);
    int64_t axis;
    if (!lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, sized ? 2 : 0), &axis, 1) == 1,
                       "its axis must be a constant"))
        return;
    axis += axis < 0 ? rank : 0;
    if (!lq_lower_need(low, axis >= 0 && axis < rank, "its axis is invalid"))
        return;
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    int64_t *sizes = piece_sizes(low, low->slots[input].shape.dims[axis],
                                 sized ? lq_lower_input(low, 1) : -1);
    struct lq_value **pieces =
        sizes ? split(low, value, lq_layout_place(order, (int)axis), sizes) : NULL;
    for (int i = 0; pieces && i < low->op->outputs.count; i++)
        lq_set(low, lq_lower_output(low, i), pieces[i], order);
}

void lq_lower_unpack(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input);
    int count = low->op->outputs.count;
    int64_t axis = lq_lower_option(low, 1, 0);
    axis += axis < 0 ? rank : 0;
    if (!lq_lower_need(low, axis >= 0 && axis < rank, "its axis is invalid"))
        return;
    struct lq_axes order;
    struct lq_value *value = lq_get_any(low, input, &order);
    int64_t *ones = lq_graph_take(low->graph, (size_t)(count + 1) * sizeof *ones);
    for (int i = 0; ones && i < count; i++)
        ones[i] = 1;
    struct lq_value **pieces =
        ones ? split(low, value, lq_layout_place(order, (int)axis), ones) : NULL;
    for (int i = 0; pieces && i < count; i++) {
        struct lq_axes left = order;
        struct lq_value *piece = lq_remove_axes(low, pieces[i], 1u << axis, &left);
        lq_set(low, lq_lower_output(low, i), piece, left);
    }
}
