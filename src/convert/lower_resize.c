// RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR. There are three conventions for mapping a pixel's
// centre to the other picture, and each corresponds to a mode of ONNX's Resize:
//
//   half_pixel_centers   (x + 1/2) * in / out - 1/2      half_pixel
//   align_corners        x * (in - 1) / (out - 1)        align_corners
//   neither              x * in / out                    asymmetric
//
// The nearest pixel is found by rounding the result down (for half pixel centres, before the half
// is subtracted); for aligned corners by rounding to the nearest.
#include <math.h>

#include "convert/lower.h"

struct resize {
    int input;
    int64_t size[2];
    bool align, half;
};

static bool read_resize(struct lq_lower *low, struct resize *to, unsigned first_option)
{
    to->input = lq_lower_input(low, 0);
    to->align = lq_lower_byte(low, first_option, 0);
    to->half = lq_lower_byte(low, first_option + 1, 0);
    return lq_lower_need(low, lq_lower_rank(low, to->input) == 4,
                         "its input must have four dimensions") &&
           lq_lower_need(low, lq_ints_of(low, lq_lower_input(low, 1), to->size, 2) == 2 &&
                                  to->size[0] > 0 && to->size[1] > 0,
                         "its new size must be a constant");
}

// The last two inputs of Resize: scales if they give the size exactly, which does not need a known
// batch; else sizes.
static void sizes_of(struct lq_lower *low, const struct resize *resize, const struct lq_value *x,
                     struct lq_value **scales, struct lq_value **sizes)
{
    const int64_t *in = x->shape.dims;
    float scale[4] = {1, 1, 1, 1};
    bool exact = true;
    for (int i = 0; i < 2; i++) {
        scale[2 + i] = (float)resize->size[i] / (float)in[2 + i];
        // An integer scale, from which every engine computes the same positions.
        exact = exact && in[2 + i] > 0 && resize->size[i] % in[2 + i] == 0;
    }
    *scales = *sizes = &low->graph->nothing;
    if (exact) {
        *scales = lq_graph_f32s(low->graph, scale, &(struct lq_shape){1, {4}});
    } else if (in[0] >= 0 && in[1] >= 0) {
        int64_t all[4] = {in[0], in[1], resize->size[0], resize->size[1]};
        *sizes = lq_graph_i64s(low->graph, all, 4);
    } else {
        struct lq_graph *graph = low->graph;
        struct lq_value *all =
            lq_graph_add(graph, "Shape", LQ_INPUTS((struct lq_value *)x), LQ_NO_ATTRS);
        all = lq_graph_add(graph, "Slice",
                           LQ_INPUTS(all, lq_graph_i64s(graph, (int64_t[]){0}, 1),
                                     lq_graph_i64s(graph, (int64_t[]){2}, 1),
                                     lq_graph_i64s(graph, (int64_t[]){0}, 1),
                                     lq_graph_i64s(graph, (int64_t[]){1}, 1)),
                           LQ_NO_ATTRS);
        *sizes = lq_graph_add(graph, "Concat",
                              LQ_INPUTS(all, lq_graph_i64s(graph, resize->size, 2)),
                              LQ_ATTRS(lq_int("axis", 0)));
    }
}

static struct lq_value *write_resize(struct lq_lower *low, const struct resize *resize,
                                     struct lq_value *x, const char *mode, const char *nearest)
{
    struct lq_value *scales, *sizes, *none = &low->graph->nothing;
    if (low->graph->status != LQ_OK)
        return none;
    sizes_of(low, resize, x, &scales, &sizes);
    const char *where = resize->half    ? "half_pixel"
                        : resize->align ? "align_corners"
                                        : "asymmetric";
    struct lq_attr more = nearest ? lq_text("nearest_mode", nearest) : (struct lq_attr){0};
    struct lq_attr attrs[] = {lq_text("mode", mode),
                              lq_text("coordinate_transformation_mode", where), more, {0}};
    return lq_graph_add(low->graph, "Resize",
                        sizes == none ? LQ_INPUTS(x, none, scales)
                                      : LQ_INPUTS(x, none, none, sizes),
                        attrs);
}

void lq_lower_resize_bilinear(struct lq_lower *low)
{
    struct resize resize;
    if (!read_resize(low, &resize, 2))
        return;
    struct lq_axes order = lq_layout_channels_first(4);
    struct lq_value *x = lq_get(low, resize.input, order);
    lq_set(low, lq_lower_output(low, 0), write_resize(low, &resize, x, "linear", NULL), order);
}

// ---- nearest

// As the TFLite runtime computes it, in single precision.
static int64_t nearest_runtime(const struct resize *resize, int64_t in, int64_t out, int64_t at)
{
    float scale = resize->align && out > 1 ? (float)(in - 1) / (float)(out - 1)
                                           : (float)in / (float)out;
    float place = ((float)at + (resize->half ? 0.5f : 0.0f)) * scale;
    int64_t from = (int64_t)(resize->align ? roundf(place) : floorf(place));
    from = from < in - 1 ? from : in - 1;
    return from < 0 ? 0 : from;
}

// Whether ONNX's definition gives the same pixel; engines agree on it unless a position is exactly
// between two pixels.
static bool nearest_agrees(const struct resize *resize, int64_t in, int64_t out)
{
    for (int64_t at = 0; at < out; at++) {
        double place = resize->half    ? ((double)at + 0.5) * (double)in / (double)out
                       : resize->align ? (out > 1 ?
                                          (double)at * (double)(in - 1) / (double)(out - 1)
                                                  : 0) + 0.5
                                       : (double)at * (double)in / (double)out;
        double from = floor(place);
        bool between = place - from < 1e-4 || place - from > 1 - 1e-4;
        // Exactly between two pixels, floats may round either way, unless all of them are integers.
        if (between && (in > out ? in % out : out % in) != 0)
            return false;
        from = from > (double)(in - 1) ? (double)(in - 1) : from;
        if ((int64_t)from != nearest_runtime(resize, in, out, at))
            return false;
    }
    return true;
}

static struct lq_value *by_list(struct lq_lower *low, const struct resize *resize,
                                struct lq_value *x, int axis, int64_t out)
{
    int64_t in = x->shape.dims[axis];
    int64_t *places = lq_graph_take(low->graph, (size_t)out * sizeof *places);
    for (int64_t i = 0; places && i < out; i++)
        places[i] = nearest_runtime(resize, in, out, i);
    struct lq_shape shape = {1, {out}};
    return lq_graph_add(low->graph, "Gather",
                        LQ_INPUTS(x, lq_graph_constant(low->graph, LQ_ONNX_I64, &shape, places)),
                        LQ_ATTRS(lq_int("axis", axis)));
}

void lq_lower_resize_nearest(struct lq_lower *low)
{
    struct resize resize;
    if (!read_resize(low, &resize, 0))
        return;
    struct lq_axes order = lq_layout_channels_first(4);
    struct lq_value *x = lq_get(low, resize.input, order);
    const int64_t *in = low->slots[resize.input].shape.dims;
    bool agrees = true;
    for (int i = 0; i < 2; i++) {
        if (!lq_lower_need(low, in[1 + i] != 0 && in[1 + i] < 65536 && resize.size[i] < 65536,
                           "its size is invalid"))
            return;
        agrees = agrees && (in[1 + i] < 0 || nearest_agrees(&resize, in[1 + i], resize.size[i]));
    }
    if (agrees) {
        const char *rounding = resize.half || resize.align ? "round_prefer_ceil" : "floor";
        x = write_resize(low, &resize, x, "nearest", rounding);
    } else {
        for (int i = 0; i < 2 && low->graph->status == LQ_OK; i++)
            x = by_list(low, &resize, x, 2 + i, resize.size[i]);
    }
    lq_set(low, lq_lower_output(low, 0), x, order);
}
