#include "engine/onnx_shape.h"

#include <string.h>

enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12,
       GRAPH_BETWEEN = 13, TENSOR_NAME = 8, VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1,
       TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1, DIM_NUMBER = 1, DIM_NAME = 2 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct span {
    const uint8_t *at, *end;
};

struct field {
    int number, wire;
    uint64_t value;   // of a varint
    struct span body; // of bytes
    struct span whole; // tag and all
};

static bool read_varint(struct span *in, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool skip(struct span *in, uint64_t len)
{
    if (len > (uint64_t)(in->end - in->at))
        return false;
    in->at += len;
    return true;
}

// False at the end, and where it is damaged (*bad).
static bool next_field(struct span *in, struct field *field, bool *bad)
{
    uint64_t tag;
    if (in->at == in->end)
        return false;
    *field = (struct field){.whole.at = in->at};
    *bad = true;
    if (!read_varint(in, &tag) || tag >> 3 == 0 || tag >> 3 > 1 << 29)
        return false;
    field->number = (int)(tag >> 3);
    field->wire = (int)(tag & 7);
    bool fine = false;
    if (field->wire == WIRE_VARINT) {
        fine = read_varint(in, &field->value);
    } else if (field->wire == WIRE_BYTES && read_varint(in, &field->value)) {
        field->body.at = in->at;
        fine = skip(in, field->value);
        field->body.end = in->at;
    } else if (field->wire == WIRE_64 || field->wire == WIRE_32) {
        fine = skip(in, field->wire == WIRE_64 ? 8 : 4);
    }
    field->whole.end = in->at;
    *bad = !fine;
    return fine;
}

// The last field of that number, as protobuf reads it; an empty span when there is none.
static struct span find(struct span in, int number, uint64_t *value)
{
    struct field field;
    struct span found = {0};
    bool bad = false;
    while (next_field(&in, &field, &bad))
        if (field.number == number) {
            found = field.body;
            if (value)
                *value = field.value;
        }
    return found;
}

// ---- writing

static int put_varint(struct lq_buf *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    for (; value > 127; value >>= 7)
        bytes[len++] = (uint8_t)(value | 128);
    bytes[len++] = (uint8_t)value;
    return lq_buf_append(out, bytes, len);
}

static int put_number(struct lq_buf *out, int number, uint64_t value)
{
    int status = put_varint(out, (uint64_t)number << 3 | WIRE_VARINT);
    return status == LQ_OK ? put_varint(out, value) : status;
}

static int put_bytes(struct lq_buf *out, int number, const void *bytes, size_t len)
{
    int status = put_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
    if (status == LQ_OK)
        status = put_varint(out, len);
    return status == LQ_OK && len > 0 ? lq_buf_append(out, bytes, len) : status;
}

static int put_shape(struct lq_buf *out, const int64_t *shape, int rank, bool open_batch)
{
    struct lq_buf dim;
    int status = LQ_OK;
    lq_buf_init(&dim, 64);
    for (int i = 0; i < rank && status == LQ_OK; i++) {
        lq_buf_clear(&dim);
        status = i == 0 && open_batch ? put_bytes(&dim, DIM_NAME, "batch", 5)
                                      : put_number(&dim, DIM_NUMBER, (uint64_t)shape[i]);
        if (status == LQ_OK)
            status = put_bytes(out, SHAPE_DIM, dim.data, dim.len);
    }
    lq_buf_release(&dim);
    return status;
}

// What a value is to become: its name and element type with this shape, or none (rank 0).
struct change {
    const int64_t *shape;
    int rank;
    bool open_batch;
};

static int put_value(struct lq_buf *out, int number, struct span value, const struct change *change)
{
    struct lq_buf parts[4]; // shape, tensor type, type, value
    uint64_t element = 0;
    struct span name = find(value, VALUE_NAME, NULL);
    find(find(find(value, VALUE_TYPE, NULL), TYPE_TENSOR, NULL), TENSOR_ELEMENT, &element);
    for (int i = 0; i < 4; i++)
        lq_buf_init(&parts[i], 1 << 16);
    int status = put_shape(&parts[0], change->shape, change->rank, change->open_batch);
    if (status == LQ_OK)
        status = put_number(&parts[1], TENSOR_ELEMENT, element);
    if (status == LQ_OK && change->rank > 0)
        status = put_bytes(&parts[1], TENSOR_SHAPE, parts[0].data, parts[0].len);
    if (status == LQ_OK)
        status = put_bytes(&parts[2], TYPE_TENSOR, parts[1].data, parts[1].len);
    if (status == LQ_OK)
        status = put_bytes(&parts[3], VALUE_NAME, name.at, (size_t)(name.end - name.at));
    if (status == LQ_OK)
        status = put_bytes(&parts[3], VALUE_TYPE, parts[2].data, parts[2].len);
    if (status == LQ_OK)
        status = put_bytes(out, number, parts[3].data, parts[3].len);
    for (int i = 0; i < 4; i++)
        lq_buf_release(&parts[i]);
    return status;
}

// ---- the graph

static bool is_initializer(struct span graph, struct span name)
{
    struct field field;
    bool bad = false;
    while (next_field(&graph, &field, &bad)) {
        if (field.number != GRAPH_INITIALIZER)
            continue;
        struct span other = find(field.body, TENSOR_NAME, NULL);
        if (other.end - other.at == name.end - name.at && name.at != name.end &&
            memcmp(other.at, name.at, (size_t)(name.end - name.at)) == 0)
            return true;
    }
    return false;
}

// Outputs that are no tensors (sequences, maps) stay as they are.
static bool is_tensor(struct span value)
{
    struct span type = find(value, VALUE_TYPE, NULL), tensor = find(type, TYPE_TENSOR, NULL);
    return tensor.at != NULL;
}

static int rewrite_graph(struct span graph, const struct change *change, struct lq_buf *out,
                         bool *bad)
{
    static const struct change without = {0};
    struct span in = graph;
    struct field field;
    bool changed = false;
    int status = LQ_OK;
    while (status == LQ_OK && next_field(&in, &field, bad)) {
        bool input = field.number == GRAPH_INPUT && !changed && is_tensor(field.body) &&
                     !is_initializer(graph, find(field.body, VALUE_NAME, NULL));
        if (input)
            status = put_value(out, GRAPH_INPUT, field.body, change);
        else if (field.number == GRAPH_OUTPUT && is_tensor(field.body))
            status = put_value(out, GRAPH_OUTPUT, field.body, &without);
        else if (field.number != GRAPH_BETWEEN)
            status = lq_buf_append(out, field.whole.at,
                                   (size_t)(field.whole.end - field.whole.at));
        changed |= input;
    }
    *bad |= !changed;
    return status;
}

int lq_onnx_bind_shape(const uint8_t *model, size_t len, const int64_t *shape, int rank,
                      bool open_batch, struct lq_buf *out, struct lq_error *err)
{
    const struct change change = {shape, rank, open_batch};
    struct span in = {model, model + len};
    struct lq_buf graph;
    struct field field;
    bool bad = false, seen = false;
    int status = LQ_OK;
    lq_buf_init(&graph, INT32_MAX);
    while (status == LQ_OK && !bad && next_field(&in, &field, &bad)) {
        bool is_graph = field.number == MODEL_GRAPH && field.wire == WIRE_BYTES && !seen;
        if (is_graph) {
            status = rewrite_graph(field.body, &change, &graph, &bad);
            if (status == LQ_OK)
                status = put_bytes(out, MODEL_GRAPH, graph.data, graph.len);
        } else {
            status = lq_buf_append(out, field.whole.at,
                                   (size_t)(field.whole.end - field.whole.at));
        }
        seen |= is_graph;
    }
    lq_buf_release(&graph);
    if (status != LQ_OK)
        return lq_fail(err, status, "out of memory for an ONNX model");
    return seen && !bad ? LQ_OK : lq_fail(err, LQ_ERR_MODEL, "that is no ONNX model");
}
