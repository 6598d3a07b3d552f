#include "format/operators.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "format/flatbuffer.h"
#include "format/onnx.h"
#include "format/tflite.h"

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

static bool count_onnx(const struct lq_buf *file, struct kinds *kinds)
{
    struct lq_onnx onnx;
    struct lq_error damaged;
    bool whole = lq_onnx_read(&onnx, file->data, file->len, "", &damaged) == LQ_OK;
    for (size_t i = 0; whole && i < onnx.graph->n_node; i++)
        kinds_add(kinds, onnx.graph->node[i]->op_type, strlen(onnx.graph->node[i]->op_type));
    lq_onnx_free(&onnx);
    return whole;
}

// ---- TFLite

static void add_operator_code(struct lq_flat *flat, size_t code, struct kinds *kinds)
{
    // Codes above 126 are only in the newer field 3; the older byte then holds a placeholder.
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
    bool tflite = lq_tflite_is(file.data, file.len);
    bool whole = tflite ? count_tflite(&(struct lq_flat){file.data, file.len, NULL}, kinds)
                        : count_onnx(&file, kinds);
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
