// A .tflite file is a FlatBuffer (flatbuffer.c) with "TFL3" at byte 4. Of its tables we read:
//
//   Model        1 operator_codes  2 subgraphs  4 buffers
//   OperatorCode 0 the code as a byte (127 and more do not fit)  1 custom name
//                3 the code as an i32
//   SubGraph     0 tensors  1 inputs  2 outputs  3 operators
//   Tensor       0 shape  1 type  2 buffer  3 name  4 quantization  5 is_variable  6 sparsity
//                7 shape with -1 for what is open  8 has_rank
//   Quantization 2 scales  3 zero points  6 axis of the scales
//   Operator     0 index of its code  1 inputs  2 outputs  4 options  5 custom options
//   Buffer       0 bytes, or  1 offset in the file  2 size (models of more than 2 GB)
//
// Buffer 0 is empty by convention: a tensor with it has no constant contents.
#include "format/tflite.h"

#include <string.h>

#include "format/tflite_ops.h"

enum {
    TENSORS_MAX = 1 << 17,
    OPS_MAX = 1 << 17,
    OPERANDS_MAX = 1 << 12, // of one operator
};

// ---- the model's parts

static void read_shape(struct lq_flat *flat, size_t table, struct lq_tflite_tensor *tensor)
{
    struct lq_flat_list shape = lq_flat_ints(flat, table, 0, LQ_RANK_MAX);
    struct lq_flat_list open = lq_flat_ints(flat, table, 7, LQ_RANK_MAX);
    tensor->rank = shape.count;
    tensor->ranked = shape.count > 0 || lq_flat_byte(flat, table, 8, 0);
    for (int i = 0; i < shape.count; i++) {
        int32_t dim = lq_flat_int(shape, i);
        if (dim < -1)
            lq_flat_damage(flat, "a shape");
        if (open.count == shape.count && lq_flat_int(open, i) == -1)
            dim = -1;
        tensor->dims[i] = dim;
    }
}

static void read_quantization(struct lq_flat *flat, size_t table, struct lq_tflite_tensor *tensor)
{
    size_t quant = lq_flat_table(flat, table, 4), scales, zeros;
    size_t scale_at = lq_flat_vector(flat, quant, 2, 4, &scales);
    size_t zero_at = lq_flat_vector(flat, quant, 3, 8, &zeros);
    if (scales > INT32_MAX || zeros > INT32_MAX)
        lq_flat_damage(flat, "a quantization");
    // Older converters wrote an empty record for every tensor, and a min/max range for float ones.
    if (flat->damaged || scales == 0)
        return;
    tensor->scale_count = (int)scales;
    tensor->zero_count = (int)zeros;
    tensor->scales = flat->data + scale_at;
    tensor->zeros = zeros ? flat->data + zero_at : NULL;
    tensor->scale_axis = lq_flat_i32(flat, quant, 6, 0);
    if (zeros > 1 && zeros != scales)
        lq_flat_damage(flat, "a quantization");
}

static void read_contents(struct lq_flat *flat, size_t buffers, size_t buffer_count, uint32_t index,
                          struct lq_tflite_tensor *tensor)
{
    if (index == 0)
        return;
    if (index >= buffer_count) {
        lq_flat_damage(flat, "a tensor's buffer");
        return;
    }
    size_t table = lq_flat_follow(flat, buffers + 4 * (size_t)index), count;
    size_t at = lq_flat_vector(flat, table, 0, 1, &count);
    size_t offset_at = lq_flat_field(flat, table, 1, 8), size_at = lq_flat_field(flat, table, 2, 8);
    if (count == 0 && offset_at && size_at) {
        uint64_t offset = lq_flat_load_u64(flat->data + offset_at);
        uint64_t size = lq_flat_load_u64(flat->data + size_at);
        if (offset > 1) { // 0 and 1 mean "not here"
            if (offset > flat->len || size > flat->len - offset) {
                lq_flat_damage(flat, "a buffer");
                return;
            }
            at = (size_t)offset;
            count = (size_t)size;
        }
    }
    if (count > 0) {
        tensor->data = flat->data + at;
        tensor->bytes = count;
    }
}

static void read_tensor(struct lq_flat *flat, size_t table, size_t buffers, size_t buffer_count,
                        struct lq_tflite_tensor *tensor)
{
    read_shape(flat, table, tensor);
    tensor->type = lq_flat_byte(flat, table, 1, 0);
    tensor->name = lq_flat_string(flat, table, 3);
    if (!tensor->name)
        tensor->name = "";
    tensor->variable = lq_flat_byte(flat, table, 5, 0);
    tensor->sparsity = lq_flat_table(flat, table, 6);
    read_quantization(flat, table, tensor);
    read_contents(flat, buffers, buffer_count, (uint32_t)lq_flat_i32(flat, table, 2, 0), tensor);
}

// Tensor indices must be in range; -1 stands for an omitted optional input.
static void check_numbers(struct lq_flat *flat, struct lq_flat_list ints, int tensor_count,
                          bool may_miss)
{
    for (int i = 0; i < ints.count; i++) {
        int32_t number = lq_flat_int(ints, i);
        if (number >= tensor_count || number < (may_miss ? -1 : 0))
            lq_flat_damage(flat, "an operator's tensors");
    }
}

static void read_op(struct lq_flat *flat, size_t table, size_t codes, size_t code_count,
                    int tensor_count, struct lq_tflite_op *op)
{
    uint32_t index = (uint32_t)lq_flat_i32(flat, table, 0, 0);
    if (index >= code_count) {
        lq_flat_damage(flat, "an operator");
        return;
    }
    size_t code = lq_flat_follow(flat, codes + 4 * (size_t)index);
    // Codes above 126 are only in the newer field; the older byte then holds a placeholder.
    int old = lq_flat_byte(flat, code, 0, 0), now = lq_flat_i32(flat, code, 3, 0);
    op->builtin = old > now ? old : now;
    op->custom = lq_flat_string(flat, code, 1);
    op->inputs = lq_flat_ints(flat, table, 1, OPERANDS_MAX);
    op->outputs = lq_flat_ints(flat, table, 2, OPERANDS_MAX);
    check_numbers(flat, op->inputs, tensor_count, true);
    check_numbers(flat, op->outputs, tensor_count, false);
    op->options = lq_flat_table(flat, table, 4);
    size_t at = lq_flat_vector(flat, table, 5, 1, &op->custom_bytes);
    op->custom_options = at ? flat->data + at : NULL;
}

static void read_graph(struct lq_flat *flat, struct lq_tflite *model, struct lq_arena *arena,
                       size_t root, size_t graph)
{
    size_t tensors, ops, buffers, codes;
    size_t tensors_at = lq_flat_vector(flat, graph, 0, 4, &tensors);
    size_t ops_at = lq_flat_vector(flat, graph, 3, 4, &ops);
    size_t buffers_at = lq_flat_vector(flat, root, 4, 4, &buffers);
    size_t codes_at = lq_flat_vector(flat, root, 1, 4, &codes);
    if (tensors > TENSORS_MAX || ops > OPS_MAX)
        lq_flat_damage(flat, "a model of so many parts");
    if (flat->damaged)
        return;
    model->tensors = lq_arena_take(arena, (tensors + 1) * sizeof *model->tensors);
    model->ops = lq_arena_take(arena, (ops + 1) * sizeof *model->ops);
    if (!model->tensors || !model->ops)
        return;
    model->tensor_count = (int)tensors;
    model->op_count = (int)ops;
    model->inputs = lq_flat_ints(flat, graph, 1, OPERANDS_MAX);
    model->outputs = lq_flat_ints(flat, graph, 2, OPERANDS_MAX);
    model->outputs_at = lq_flat_field(flat, graph, 2, 4);
    check_numbers(flat, model->inputs, model->tensor_count, false);
    check_numbers(flat, model->outputs, model->tensor_count, false);
    for (size_t i = 0; i < tensors && !flat->damaged; i++)
        read_tensor(flat, lq_flat_follow(flat, tensors_at + 4 * i), buffers_at, buffers,
                    &model->tensors[i]);
    for (size_t i = 0; i < ops && !flat->damaged; i++)
        read_op(flat, lq_flat_follow(flat, ops_at + 4 * i), codes_at, codes, model->tensor_count,
                &model->ops[i]);
}

static int read_numbered(struct lq_tflite *model, struct lq_arena *arena, int number,
                         struct lq_error *err)
{
    struct lq_flat flat = {model->data, model->len, NULL};
    size_t root = lq_flat_root(&flat), graphs;
    size_t graphs_at = lq_flat_vector(&flat, root, 2, 4, &graphs);
    bool there = number >= 0 && (size_t)number < graphs;
    size_t graph = there ? lq_flat_follow(&flat, graphs_at + 4 * (size_t)number) : 0;
    if (!flat.damaged && graph)
        read_graph(&flat, model, arena, root, graph);
    model->graph_count = graphs < INT32_MAX ? (int)graphs : INT32_MAX;
    if (flat.damaged)
        return lq_fail(err, LQ_ERR_MODEL, "the file is damaged: %s points outside of it or makes "
                       "no sense", flat.damaged);
    if (!graph || !model->tensors || !model->ops)
        return lq_fail(err, LQ_ERR_MODEL, "the file holds no network");
    return LQ_OK;
}

bool lq_tflite_is(const uint8_t *data, size_t len)
{
    return len >= 8 && memcmp(data + 4, "TFL3", 4) == 0;
}

int lq_tflite_read(struct lq_tflite *model, const uint8_t *data, size_t len, struct lq_error *err)
{
    *model = (struct lq_tflite){.data = data, .len = len};
    lq_arena_init(&model->arena, (size_t)64 << 20);
    if (!lq_tflite_is(data, len))
        return lq_fail(err, LQ_ERR_MODEL, "it is no .tflite file: the mark TFL3 is missing");
    int status = read_numbered(model, &model->arena, 0, err);
    if (status != LQ_OK)
        lq_tflite_release(model);
    return status;
}

int lq_tflite_read_graph(struct lq_tflite *graph, const struct lq_tflite *model,
                         struct lq_arena *arena, int number, struct lq_error *err)
{
    *graph = (struct lq_tflite){.data = model->data, .len = model->len};
    return read_numbered(graph, arena, number, err);
}

void lq_tflite_release(struct lq_tflite *model)
{
    lq_arena_release(&model->arena);
    *model = (struct lq_tflite){0};
}

// ---- accessors

static float load_f32(const uint8_t *p)
{
    uint32_t bits = lq_flat_load_u32(p);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

float lq_tflite_scale(const struct lq_tflite_tensor *tensor, int i)
{
    return load_f32(tensor->scales + 4 * (size_t)(i < tensor->scale_count ? i : 0));
}

int64_t lq_tflite_zero(const struct lq_tflite_tensor *tensor, int i)
{
    if (tensor->zero_count == 0)
        return 0;
    return (int64_t)lq_flat_load_u64(tensor->zeros + 8 * (size_t)(i < tensor->zero_count ? i : 0));
}

// A damaged options table reads as absent. The operator then has its defaults, and the tensors that
// follow from them are checked like any others.
int32_t lq_tflite_option(const struct lq_tflite *model, const struct lq_tflite_op *op,
                         unsigned field, int32_t otherwise)
{
    struct lq_flat flat = {model->data, model->len, NULL};
    return lq_flat_i32(&flat, op->options, field, otherwise);
}

float lq_tflite_option_float(const struct lq_tflite *model, const struct lq_tflite_op *op,
                             unsigned field, float otherwise)
{
    struct lq_flat flat = {model->data, model->len, NULL};
    size_t at = lq_flat_field(&flat, op->options, field, 4);
    return at ? load_f32(model->data + at) : otherwise;
}

int lq_tflite_option_byte(const struct lq_tflite *model, const struct lq_tflite_op *op,
                          unsigned field, int otherwise)
{
    struct lq_flat flat = {model->data, model->len, NULL};
    return lq_flat_byte(&flat, op->options, field, otherwise);
}

struct lq_flat_list lq_tflite_option_ints(const struct lq_tflite *model,
                                            const struct lq_tflite_op *op, unsigned field)
{
    struct lq_flat flat = {model->data, model->len, NULL};
    return lq_flat_ints(&flat, op->options, field, LQ_RANK_MAX);
}

const char *lq_tflite_op_name(const struct lq_tflite_op *op)
{
    bool custom = op->builtin == LQ_OP_CUSTOM && op->custom && *op->custom;
    return custom ? op->custom : lq_tflite_builtin_name(op->builtin);
}
