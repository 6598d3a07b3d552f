// Basic parts of graphs: the sticky error, memory, shapes, attributes.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "convert/graph.h"

void lq_graph_init(struct lq_graph *graph, size_t bytes_max, struct lq_error *err)
{
    *graph = (struct lq_graph){.err = err};
    lq_arena_init(&graph->arena, bytes_max);
}

void lq_graph_release(struct lq_graph *graph)
{
    lq_arena_release(&graph->arena);
}

struct lq_value *lq_graph_fail(struct lq_graph *graph, int status, const char *format, ...)
{
    if (graph->status == LQ_OK) {
        char text[sizeof graph->err->text];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        graph->status = lq_fail(graph->err, status, "%s", text);
    }
    return &graph->nothing;
}

void *lq_graph_take(struct lq_graph *graph, size_t size)
{
    void *piece = lq_arena_take(&graph->arena, size);
    if (!piece)
        lq_graph_fail(graph, LQ_ERR_TOO_LARGE, "the model needs more than %zu MB to be converted",
                      graph->arena.max >> 20);
    return piece;
}

// ---- shapes

size_t lq_onnx_bytes(enum lq_onnx_type type)
{
    switch (type) {
    case LQ_ONNX_U8:
    case LQ_ONNX_I8:
    case LQ_ONNX_BOOL:
        return 1;
    case LQ_ONNX_I16:
    case LQ_ONNX_F16:
        return 2;
    case LQ_ONNX_F32:
    case LQ_ONNX_I32:
        return 4;
    case LQ_ONNX_I64:
    case LQ_ONNX_F64:
        return 8;
    default:
        return 0;
    }
}

int64_t lq_shape_items(const struct lq_shape *shape)
{
    int64_t items = 1;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0 || __builtin_mul_overflow(items, shape->dims[i], &items))
            return -1;
    return items;
}

bool lq_shape_equal(const struct lq_shape *a, const struct lq_shape *b)
{
    return a->rank == b->rank &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0;
}

struct lq_shape lq_shape_of(int rank, const int64_t *dims)
{
    struct lq_shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++)
        shape.dims[i] = dims[i];
    return shape;
}

const char *lq_shape_text(const struct lq_shape *shape, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i <= shape->rank && len < size; i++) {
        const char *before = i == 0 ? "[" : i < shape->rank ? "," : "";
        int more = i == shape->rank   ? snprintf(text + len, size - len, "%s]", before)
                   : shape->dims[i] < 0 ? snprintf(text + len, size - len, "%s?", before)
                                        : snprintf(text + len, size - len, "%s%lld", before,
                                                   (long long)shape->dims[i]);
        len += (size_t)more;
    }
    return text;
}

// ---- attributes

const struct lq_attr *lq_node_attr(const struct lq_node *node, const char *name)
{
    for (const struct lq_attr *attr = node->attrs; attr->kind != LQ_ATTR_END; attr++)
        if (strcmp(attr->name, name) == 0)
            return attr;
    return NULL;
}

int64_t lq_node_int(const struct lq_node *node, const char *name, int64_t otherwise)
{
    const struct lq_attr *attr = lq_node_attr(node, name);
    return attr ? attr->i : otherwise;
}
