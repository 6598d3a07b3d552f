// Which operators a model file holds, read from the file itself, since no engine's C interface
// lists them.
//
// .onnx is a protobuf message: fields of (number << 3 | wire type) as a varint and then a varint
// (0), 8 bytes (1), a length and so many bytes (2) or 4 bytes (5). We follow ModelProto.graph (7) >
// GraphProto.node (1) > NodeProto.op_type (4).
//
// .tflite is a FlatBuffer, little-endian: u32 offset of the root table; "TFL3" at byte 4. A table
// begins with an i32 back to its vtable: u16 vtable bytes, u16 table bytes, then a u16 offset for
// each field, 0 where it is absent. Vectors and tables are reached by a u32 offset from where it
// stands; a vector is a u32 count and its items. We read Model.operator_codes (1) and
// Model.subgraphs (2) > SubGraph.operators (3) > Operator.opcode_index (0).
//
// Every read is checked against the file's end; a damaged file gives an error, never a bad read.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "engine/list.h"

enum { KINDS_MAX = 256, KIND_NAME_MAX = 64 };

struct kinds {
    int count;
    struct kind {
        char name[KIND_NAME_MAX];
        int count;
    } items[KINDS_MAX];
};

static void kinds_add(struct kinds *kinds, const void *name, size_t len)
{
    if (len >= KIND_NAME_MAX)
        len = KIND_NAME_MAX - 1;
    for (int i = 0; i < kinds->count; i++) {
        struct kind *kind = &kinds->items[i];
        if (strlen(kind->name) == len && memcmp(kind->name, name, len) == 0) {
            kind->count++;
            return;
        }
    }
    if (kinds->count == KINDS_MAX)
        return;
    struct kind *kind = &kinds->items[kinds->count++];
    memcpy(kind->name, name, len);
    kind->name[len] = '\0';
    kind->count = 1;
}

static int more_first(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;
    return x->count != y->count ? y->count - x->count : strcmp(x->name, y->name);
}

// ---- ONNX

struct span {
    const uint8_t *at, *end;
};

static bool read_varint(struct span *span, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && span->at < span->end; shift += 7) {
        uint8_t byte = *span->at++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

// The next field; `body` is set for wire type 2 and empty otherwise. False at the end or when
// damaged (then span->at is not span->end).
static bool read_field(struct span *span, unsigned *number, struct span *body)
{
    uint64_t key, size;
    const uint8_t *start = span->at;
    *body = (struct span){span->end, span->end};
    if (span->at == span->end)
        return false;
    if (!read_varint(span, &key))
        goto damaged;
    *number = (unsigned)(key >> 3);
    switch (key & 7) {
    case 0:
        if (!read_varint(span, &size))
            goto damaged;
        return true;
    case 1:
        size = 8;
        break;
    case 2:
        if (!read_varint(span, &size))
            goto damaged;
        break;
    case 5:
        size = 4;
        break;
    default:
        goto damaged;
    }
    if (size > (uint64_t)(span->end - span->at))
        goto damaged;
    if ((key & 7) == 2)
        *body = (struct span){span->at, span->at + size};
    span->at += size;
    return true;
damaged:
    span->at = start;
    return false;
}

static bool count_node(struct span node, struct kinds *kinds)
{
    unsigned number;
    struct span body;
    while (read_field(&node, &number, &body))
        if (number == 4)
            kinds_add(kinds, body.at, (size_t)(body.end - body.at));
    return node.at == node.end;
}

static bool count_onnx(struct span file, struct kinds *kinds)
{
    unsigned number;
    struct span graph, node;
    while (read_field(&file, &number, &graph)) {
        if (number != 7)
            continue;
        while (read_field(&graph, &number, &node))
            if (number == 1 && !count_node(node, kinds))
                return false;
        if (graph.at != graph.end)
            return false;
    }
    return file.at == file.end;
}

// ---- TFLite

struct flat {
    const uint8_t *data;
    size_t len;
    bool damaged;
};

static uint32_t flat_u32(struct flat *flat, size_t at)
{
    if (flat->len < 4 || at > flat->len - 4) {
        flat->damaged = true;
        return 0;
    }
    const uint8_t *p = flat->data + at;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t flat_u16(struct flat *flat, size_t at)
{
    if (flat->len < 2 || at > flat->len - 2) {
        flat->damaged = true;
        return 0;
    }
    return flat->data[at] | (uint32_t)flat->data[at + 1] << 8;
}

// Where a table's field stands; 0 when absent.
static size_t flat_field(struct flat *flat, size_t table, unsigned field)
{
    size_t vtable = table - (size_t)(int32_t)flat_u32(flat, table);
    if (flat->damaged || vtable >= flat->len)
        return 0;
    if (4 + 2 * field + 2 > flat_u16(flat, vtable))
        return 0;
    uint32_t offset = flat_u16(flat, vtable + 4 + 2 * field);
    return offset ? table + offset : 0;
}

// The table, vector or string that stands behind an offset.
static size_t flat_follow(struct flat *flat, size_t at)
{
    uint32_t offset = at ? flat_u32(flat, at) : 0;
    size_t to = at + offset;
    if (offset == 0 || to >= flat->len)
        return 0;
    return to;
}

// The items of a vector field: *first is the first item's place.
static uint32_t flat_vector(struct flat *flat, size_t table, unsigned field, size_t *first)
{
    size_t vector = flat_follow(flat, flat_field(flat, table, field));
    *first = vector + 4;
    uint32_t count = vector ? flat_u32(flat, vector) : 0;
    if (count > flat->len / 4) {
        flat->damaged = true;
        return 0;
    }
    return count;
}

// The schema's BuiltinOperator, in its order.
static const char *const builtins[] = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE",
    "DEQUANTIZE", "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP",
    "L2_NORMALIZATION", "L2_POOL_2D", "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION",
    "LSTM", "MAX_POOL_2D", "MUL", "RELU", "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR",
    "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH", "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL",
    "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD", "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER",
    "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB", "DIV", "SQUEEZE",
    "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2",
    "SPLIT", "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM",
    "ARG_MAX", "MINIMUM", "LESS", "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL",
    "SELECT", "SLICE", "SIN", "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL",
    "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT", "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT",
    "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT", "LOGICAL_AND", "LOGICAL_NOT",
    "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL", "FLOOR_MOD",
    "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS",
    "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF",
    "WHILE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2",
    "DENSIFY", "SEGMENT_SUM", "BATCH_MATMUL",
};

static void add_operator_code(struct flat *flat, size_t code, struct kinds *kinds)
{
    // Codes above 126 stand in the newer field 3; the older byte then holds a filler.
    size_t old_at = flat_field(flat, code, 0), new_at = flat_field(flat, code, 3);
    uint32_t old = old_at && old_at < flat->len ? flat->data[old_at] : 0;
    uint32_t builtin = new_at ? flat_u32(flat, new_at) : 0;
    if (old > builtin)
        builtin = old;
    char name[32];
    if (builtin < LQ_COUNT(builtins))
        snprintf(name, sizeof name, "%s", builtins[builtin]);
    else
        snprintf(name, sizeof name, "builtin %u", builtin);
    kinds_add(kinds, name, strlen(name));
}

static bool count_tflite(struct flat *flat, struct kinds *kinds)
{
    size_t model = flat_u32(flat, 0), codes, graphs, operators;
    uint32_t code_count = flat_vector(flat, model, 1, &codes);
    uint32_t graph_count = flat_vector(flat, model, 2, &graphs);
    for (uint32_t g = 0; g < graph_count && !flat->damaged; g++) {
        size_t graph = flat_follow(flat, graphs + 4 * (size_t)g);
        uint32_t count = graph ? flat_vector(flat, graph, 3, &operators) : 0;
        for (uint32_t i = 0; i < count && !flat->damaged; i++) {
            size_t one = flat_follow(flat, operators + 4 * (size_t)i);
            size_t index_at = one ? flat_field(flat, one, 0) : 0;
            uint32_t index = index_at ? flat_u32(flat, index_at) : 0;
            size_t code = index < code_count ? flat_follow(flat, codes + 4 * (size_t)index) : 0;
            if (!one || !code)
                return false;
            add_operator_code(flat, code, kinds);
        }
    }
    return !flat->damaged;
}

int lq_operators_count(const char *path, void (*row)(void *context, const char *kind, int count),
                       void *context, struct lq_error *err)
{
    struct lq_buf file;
    lq_buf_init(&file, LQ_MODEL_BYTES_MAX);
    struct kinds *kinds = calloc(1, sizeof *kinds);
    int status = kinds ? lq_file_read(path, &file, err)
                       : lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", path);
    if (status != LQ_OK)
        goto done;
    bool tflite = file.len >= 8 && memcmp(file.data + 4, "TFL3", 4) == 0;
    bool whole = tflite ? count_tflite(&(struct flat){file.data, file.len, false}, kinds)
                        : count_onnx((struct span){file.data, file.data + file.len}, kinds);
    if (!whole || kinds->count == 0) {
        status = lq_fail(err, LQ_ERR_MODEL, "cannot list the operators of '%.120s': %s", path,
                         "neither .onnx nor .tflite, or damaged");
        goto done;
    }
    qsort(kinds->items, (size_t)kinds->count, sizeof kinds->items[0], more_first);
    for (int i = 0; i < kinds->count; i++)
        row(context, kinds->items[i].name, kinds->items[i].count);
done:
    lq_buf_release(&file);
    free(kinds);
    return status;
}
