// Which operators a model file holds, read from the file itself, since no engine's C interface
// lists them.
//
// .onnx is a protobuf message: fields of (number << 3 | wire type) as a varint and then a varint
// (0), 8 bytes (1), a length and so many bytes (2) or 4 bytes (5). We follow ModelProto.graph (7) >
// GraphProto.node (1) > NodeProto.op_type (4).
//
// .tflite is a FlatBuffer (flatbuffer.c) with "TFL3" at byte 4. We read Model.operator_codes (1)
// and Model.subgraphs (2) > SubGraph.operators (3) > Operator.opcode_index (0).
//
// Every read is checked against the file's end; a damaged file gives an error, never a bad read.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "engine/flatbuffer.h"
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

static void add_operator_code(struct lq_flat *flat, size_t code, struct kinds *kinds)
{
    // Codes above 126 stand in the newer field 3; the older byte then holds a filler.
    int old = lq_flat_byte(flat, code, 0, 0), now = lq_flat_i32(flat, code, 3, 0);
    const char *name = lq_tflite_builtin_name(old > now ? old : now);
    kinds_add(kinds, name, strlen(name));
}

static bool count_tflite(struct lq_flat *flat, struct kinds *kinds)
{
    size_t model = lq_flat_root(flat), code_count, graph_count, count;
    size_t codes = lq_flat_vector(flat, model, 1, 4, &code_count);
    size_t graphs = lq_flat_vector(flat, model, 2, 4, &graph_count);
    for (size_t g = 0; g < graph_count && !flat->damaged; g++) {
        size_t operators = lq_flat_vector(flat, lq_flat_follow(flat, graphs + 4 * g), 3, 4, &count);
        for (size_t i = 0; i < count && !flat->damaged; i++) {
            size_t one = lq_flat_follow(flat, operators + 4 * i);
            uint32_t index = (uint32_t)lq_flat_i32(flat, one, 0, 0);
            size_t code = index < code_count ? lq_flat_follow(flat, codes + 4 * (size_t)index) : 0;
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
    bool whole = tflite ? count_tflite(&(struct lq_flat){file.data, file.len, NULL}, kinds)
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
