// Padding, and moving blocks of pixels between the picture's axes and the others.
#include "convert/lower.h"
#include "format/tflite_ops.h"

// Reads paddings as [rank][before, after], which must be constant and not negative.
static bool read_pads(struct lq_lower *low, int rank, int64_t pads[2 * LQ_RANK_MAX])
{
    int count = lq_ints_of(low, lq_lower_input(low, 1), pads, 2 * LQ_RANK_MAX);
    if (!lq_lower_need(low, count == 2 * rank, "its widths must be constants, two for each axis"))
        return false;
    for (int i = 0; i < count; i++)
        if (!lq_lower_need(low, pads[i] >= 0, "it has a negative width"))
            return false;
    return true;
}

static struct lq_value *write_pad(struct lq_lower *low, struct lq_value *x, struct lq_axes order,
                                  const int64_t *pads, const char *mode, struct lq_value *with)
{
    int64_t stored[2 * LQ_RANK_MAX];
    for (int i = 0; i < order.rank; i++) {
        stored[i] = pads[2 * order.axis[i]];
        stored[i + order.rank] = pads[2 * order.axis[i] + 1];
    }
    struct lq_value *widths = lq_graph_i64s(low->graph, stored, 2 * order.rank);
    return lq_graph_add(low->graph, "Pad",
                        with ? LQ_INPUTS(x, widths, with) : LQ_INPUTS(x, widths),
                        LQ_ATTRS(lq_text("mode", mode)));
}

void lq_lower_pad(struct lq_lower *low)
{
    int input = lq_lower_input(low, 0), with = lq_lower_input(low, 2);
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, input, &order), *value = NULL;
    int64_t pads[2 * LQ_RANK_MAX];
    if (!read_pads(low, order.rank, pads))
        return;
    if (with >= 0) {
        int rank = lq_lower_rank(low, with);
        value = lq_get_plain(low, with);
        if (rank > 0)
            value = lq_reshaped(low, value, (int64_t[]){0}, 0);
    }
    lq_set(low, lq_lower_output(low, 0), write_pad(low, x, order, pads, "constant", value), order);
}

// Mirrors with the edge repeated. ONNX has no mode for this, so a Gather lists the positions.
static struct lq_value *symmetric(struct lq_lower *low, struct lq_value *x, int place,
                                  int64_t before, int64_t after)
{
    int64_t size = x->shape.dims[place], count = size + before + after;
    if (!lq_lower_need(low, size > 0 && before <= size && after <= size && count < (1 << 24),
                       "its border is wider than its input, or the input's size is open"))
        return x;
    int64_t *places = lq_graph_take(low->graph, (size_t)count * sizeof *places);
    for (int64_t i = 0; places && i < count; i++) {
        int64_t at = i - before;
        places[i] = at < 0 ? -1 - at : at >= size ? 2 * size - 1 - at : at;
    }
    if (!places)
        return x;
    struct lq_shape shape = {1, {count}};
    return lq_graph_add(low->graph, "Gather",
                        LQ_INPUTS(x, lq_graph_constant(low->graph, LQ_ONNX_I64, &shape, places)),
                        LQ_ATTRS(lq_int("axis", place)));
}

void lq_lower_mirror_pad(struct lq_lower *low)
{
    struct lq_axes order;
    struct lq_value *x = lq_get_any(low, lq_lower_input(low, 0), &order);
    int64_t pads[2 * LQ_RANK_MAX], widest = 0;
    if (!read_pads(low, order.rank, pads))
        return;
    for (int i = 0; i < 2 * order.rank; i++)
        widest = pads[i] > widest ? pads[i] : widest;
    bool repeats_edge = lq_lower_byte(low, 0, 0) == 1;
    if (!repeats_edge || widest <= 1) {
        x = write_pad(low, x, order, pads, repeats_edge ? "edge" : "reflect", NULL);
    } else {
        for (int i = 0; i < order.rank; i++) {
            int64_t before = pads[2 * order.axis[i]], after = pads[2 * order.axis[i] + 1];
            if (before + after > 0)
                x = symmetric(low, x, i, before, after);
        }
    }
    lq_set(low, lq_lower_output(low, 0), x, order);
}

// ---- blocks into channels and back

static void blocks(struct lq_lower *low, const char *op, const char *mode)
{
    int input = lq_lower_input(low, 0);
    int64_t size = lq_lower_option(low, 0, 0);
    if (!lq_lower_need(low, lq_lower_rank(low, input) == 4 && size > 0 && size < 1024,
                       "its input must have four dimensions, its blocks a valid size"))
        return;
    struct lq_axes order = lq_layout_channels_first(4);
    lq_set(low, lq_lower_output(low, 0),
           lq_graph_add(low->graph, op, LQ_INPUTS(lq_get(low, input, order)),
                        LQ_ATTRS(lq_int("blocksize", size),
                                 mode ? lq_text("mode", mode) : (struct lq_attr){0})),
           order);
}

void lq_lower_depth_to_space(struct lq_lower *low)
{
    blocks(low, "DepthToSpace", "DCR");
}

void lq_lower_space_to_depth(struct lq_lower *low)
{
    blocks(low, "SpaceToDepth", NULL);
}

// ---- blocks into the batch and back

struct batch_blocks {
    struct lq_value *x; // as NCHW
    bool flat;          // [n, h, c] in the file: a width of one is inserted
    int64_t block[2], edges[4], n, c, h, w;
};

static bool read_blocks(struct lq_lower *low, struct batch_blocks *to)
{
    int input = lq_lower_input(low, 0), rank = lq_lower_rank(low, input), axes = rank - 2;
    *to = (struct batch_blocks){.flat = rank == 3, .block = {1, 1}};
    if (!lq_lower_need(low, (rank == 3 || rank == 4) &&
                                lq_ints_of(low, lq_lower_input(low, 1), to->block, axes) == axes &&
                                lq_ints_of(low, lq_lower_input(low, 2), to->edges, 2 * axes) ==
                                    2 * axes,
                       "it must have three or four dimensions, and constant blocks and edges"))
        return false;
    to->x = lq_get(low, input, lq_layout_channels_first(rank));
    if (to->flat)
        to->x = lq_graph_add(low->graph, "Unsqueeze",
                             LQ_INPUTS(to->x, lq_graph_i64s(low->graph, (int64_t[]){3}, 1)),
                             LQ_NO_ATTRS);
    const int64_t *size = to->x->shape.dims;
    to->n = size[0];
    to->c = size[1];
    to->h = size[2];
    to->w = size[3];
    bool fine = to->c > 0 && to->h > 0 && to->w > 0;
    for (int i = 0; i < 2; i++)
        fine = fine && to->block[i] > 0 && to->block[i] < 65536;
    for (int i = 0; i < 4; i++)
        fine = fine && to->edges[i] >= 0;
    return lq_lower_need(low, fine, "its sizes must be known and valid");
}

static void set_blocks(struct lq_lower *low, const struct batch_blocks *b, struct lq_value *x)
{
    if (b->flat)
        x = lq_graph_add(low->graph, "Squeeze",
                         LQ_INPUTS(x, lq_graph_i64s(low->graph, (int64_t[]){3}, 1)), LQ_NO_ATTRS);
    lq_set(low, lq_lower_output(low, 0), x, lq_layout_channels_first(b->flat ? 3 : 4));
}

static struct lq_value *reordered(struct lq_lower *low, struct lq_value *x, const int64_t *before,
                                  const int64_t *perm, const int64_t *after)
{
    x = lq_reshaped(low, x, before, 6);
    x = lq_graph_add(low->graph, "Transpose", LQ_INPUTS(x), LQ_ATTRS(lq_ints("perm", perm, 6)));
    return lq_reshaped(low, x, after, 4);
}

void lq_lower_space_to_batch(struct lq_lower *low)
{
    struct batch_blocks b;
    if (!read_blocks(low, &b))
        return;
    const int64_t pads[8] = {0, 0, b.edges[0], b.edges[1], b.edges[2], b.edges[3], 0, 0};
    int64_t h = b.h + b.edges[0] + b.edges[1], w = b.w + b.edges[2] + b.edges[3];
    if (!lq_lower_need(low, h % b.block[0] == 0 && w % b.block[1] == 0,
                       "its blocks do not fill its input"))
        return;
    h /= b.block[0];
    w /= b.block[1];
    struct lq_axes order = lq_layout_channels_first(4);
    struct lq_value *x = write_pad(low, b.x, order, pads, "constant", NULL);
    x = reordered(low, x, (int64_t[]){b.n < 0 ? -1 : b.n, b.c, h, b.block[0], w, b.block[1]},
                  (int64_t[]){3, 5, 0, 1, 2, 4}, (int64_t[]){-1, b.c, h, w});
    set_blocks(low, &b, x);
}

void lq_lower_batch_to_space(struct lq_lower *low)
{
    struct batch_blocks b;
    if (!read_blocks(low, &b) ||
        !lq_lower_need(low, b.n < 0 || b.n % (b.block[0] * b.block[1]) == 0,
                       "its blocks do not divide the batch"))
        return;
    struct lq_value *x =
        reordered(low, b.x, (int64_t[]){b.block[0], b.block[1], -1, b.c, b.h, b.w},
                  (int64_t[]){2, 3, 4, 0, 5, 1},
                  (int64_t[]){-1, b.c, b.h * b.block[0], b.w * b.block[1]});
    int64_t starts[2] = {b.edges[0], b.edges[2]};
    int64_t ends[2] = {b.h * b.block[0] - b.edges[1], b.w * b.block[1] - b.edges[3]};
    if (b.edges[0] + b.edges[1] + b.edges[2] + b.edges[3] > 0)
        x = lq_graph_add(low->graph, "Slice",
                         LQ_INPUTS(x, lq_graph_i64s(low->graph, starts, 2),
                                   lq_graph_i64s(low->graph, ends, 2),
                                   lq_graph_i64s(low->graph, (int64_t[]){2, 3}, 2),
                                   lq_graph_i64s(low->graph, (int64_t[]){1, 1}, 2)),
                         LQ_NO_ATTRS);
    set_blocks(low, &b, x);
}
