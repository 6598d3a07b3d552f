#include "format/external_data.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "onnx.pb-c.h"

// Visits sub-graphs recursively; protobuf-c itself limits how deeply a message is nested.
struct walk {
    int (*visit)(struct walk *walk, Onnx__TensorProto *tensor);
    const char *model; // its path, for messages
    char folder[PATH_MAX]; // where weight files are searched
    size_t bytes; // weights read so far
    struct lq_error *err;
};

static int walk_graph(struct walk *walk, Onnx__GraphProto *graph);

static int walk_tensor(struct walk *walk, Onnx__TensorProto *tensor)
{
    bool external = tensor && tensor->has_data_location &&
                    tensor->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    return external ? walk->visit(walk, tensor) : LQ_OK;
}

static int walk_attribute(struct walk *walk, const Onnx__AttributeProto *attribute)
{
    int status = walk_tensor(walk, attribute->t);
    for (size_t i = 0; i < attribute->n_tensors && status == LQ_OK; i++)
        status = walk_tensor(walk, attribute->tensors[i]);
    if (status == LQ_OK && attribute->g)
        status = walk_graph(walk, attribute->g);
    for (size_t i = 0; i < attribute->n_graphs && status == LQ_OK; i++)
        status = walk_graph(walk, attribute->graphs[i]);
    return status;
}

static int walk_nodes(struct walk *walk, Onnx__NodeProto *const *nodes, size_t count)
{
    int status = LQ_OK;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < nodes[i]->n_attribute && status == LQ_OK; k++)
            status = walk_attribute(walk, nodes[i]->attribute[k]);
    return status;
}

static int walk_graph(struct walk *walk, Onnx__GraphProto *graph)
{
    int status = LQ_OK;
    for (size_t i = 0; i < graph->n_initializer && status == LQ_OK; i++)
        status = walk_tensor(walk, graph->initializer[i]);
    for (size_t i = 0; i < graph->n_sparse_initializer && status == LQ_OK; i++) {
        status = walk_tensor(walk, graph->sparse_initializer[i]->values);
        if (status == LQ_OK)
            status = walk_tensor(walk, graph->sparse_initializer[i]->indices);
    }
    return status == LQ_OK ? walk_nodes(walk, graph->node, graph->n_node) : status;
}

static int walk_model(struct walk *walk, Onnx__ModelProto *model)
{
    int status = model->graph ? walk_graph(walk, model->graph) : LQ_OK;
    for (size_t i = 0; i < model->n_functions && status == LQ_OK; i++)
        status = walk_nodes(walk, model->functions[i]->node, model->functions[i]->n_node);
    return status;
}

// ---- one tensor's file

static bool below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || strcmp(folder, "/") == 0);
}

// Resolves the path of a weight file, and rejects one outside the model's folder, by its name or by
// a link.
static int find_file(const struct walk *walk, const char *location, char real[PATH_MAX])
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", walk->folder, location);
    if (location[0] == '/')
        return lq_fail(walk->err, LQ_ERR_MODEL, "'%.150s' wants its weights from '%.150s', which "
                       "is outside of its folder", walk->model, location);
    if (strlen(path) >= PATH_MAX || !realpath(path, real))
        return lq_fail(walk->err, LQ_ERR_MODEL, "'%.150s' has weights in '%.200s', which is not "
                       "to be read: %s; put it beside the model", walk->model, path,
                       strerror(errno));
    if (!below(real, walk->folder))
        return lq_fail(walk->err, LQ_ERR_MODEL, "'%.150s' wants its weights from '%.150s', which "
                       "is outside of its folder", walk->model, location);
    return LQ_OK;
}

// Parses a byte count; false if it is not a number.
static bool read_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *number = value;
    return *text >= '0' && *text <= '9' && !*end && errno == 0;
}

static int read_part(const struct walk *walk, const char *path, uint64_t offset, uint64_t len,
                     bool whole, ProtobufCBinaryData *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    bool fine = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                offset <= (uint64_t)info.st_size;
    if (fine && whole)
        len = (uint64_t)info.st_size - offset;
    fine = fine && len <= (uint64_t)info.st_size - offset;
    if (fine && len > LQ_MODEL_BYTES_MAX - walk->bytes) {
        close(fd);
        return lq_fail(walk->err, LQ_ERR_TOO_LARGE, "'%.150s' has more than %d bytes of weights",
                       walk->model, LQ_MODEL_BYTES_MAX);
    }
    out->data = fine ? malloc(len + 1) : NULL;
    out->len = 0;
    while (out->data && out->len < len) {
        ssize_t got = pread(fd, out->data + out->len, len - out->len,
                            (off_t)(offset + out->len));
        if (got <= 0)
            break;
        out->len += (size_t)got;
    }
    if (fd >= 0)
        close(fd);
    if (fine && !out->data)
        return lq_fail(walk->err, LQ_ERR_MEMORY, "out of memory for '%.150s'", path);
    return fine && out->len == len ? LQ_OK
                                   : lq_fail(walk->err, LQ_ERR_MODEL,
                                             "'%.200s' is shorter than the weights that '%.150s' "
                                             "has in it", path, walk->model);
}

static void forget_location(Onnx__TensorProto *tensor)
{
    for (size_t i = 0; i < tensor->n_external_data; i++)
        onnx__string_string_entry_proto__free_unpacked(tensor->external_data[i], NULL);
    free(tensor->external_data);
    tensor->external_data = NULL;
    tensor->n_external_data = 0;
    tensor->has_data_location = false;
    tensor->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT;
}

static int embed(struct walk *walk, Onnx__TensorProto *tensor)
{
    const char *location = NULL;
    uint64_t offset = 0, len = 0;
    bool whole = true, fine = true;
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = tensor->external_data[i];
        const char *key = entry->key ? entry->key : "", *value = entry->value ? entry->value : "";
        if (strcmp(key, "location") == 0)
            location = value;
        if (strcmp(key, "offset") == 0)
            fine &= read_number(value, &offset);
        if (strcmp(key, "length") == 0) {
            fine &= read_number(value, &len);
            whole = false;
        }
    }
    if (!location || !*location || !fine)
        return lq_fail(walk->err, LQ_ERR_MODEL, "'%.150s' does not say where the numbers of "
                       "'%.80s' lie", walk->model, tensor->name ? tensor->name : "");
    char path[PATH_MAX];
    ProtobufCBinaryData data = {0};
    int status = find_file(walk, location, path);
    if (status == LQ_OK)
        status = read_part(walk, path, offset, len, whole, &data);
    if (status != LQ_OK) {
        free(data.data);
        return status;
    }
    free(tensor->raw_data.data);
    tensor->raw_data = data;
    tensor->has_raw_data = true;
    walk->bytes += data.len;
    forget_location(tensor);
    return LQ_OK;
}

// ---- the model

// The real path of the folder that contains `path`.
static bool folder_of(const char *path, char folder[PATH_MAX])
{
    char text[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    return snprintf(text, sizeof text, "%.*s", len, slash ? path : ".") < PATH_MAX &&
           realpath(text, folder);
}

static int find(struct walk *walk, Onnx__TensorProto *tensor)
{
    (void)walk, (void)tensor;
    return 1;
}

bool lq_onnx_has_external(const uint8_t *model, size_t len)
{
    Onnx__ModelProto *message = onnx__model_proto__unpack(NULL, len, model);
    if (!message)
        return false;
    struct walk walk = {.visit = find};
    bool found = walk_model(&walk, message) != LQ_OK;
    onnx__model_proto__free_unpacked(message, NULL);
    return found;
}

int lq_onnx_embed(const uint8_t *model, size_t len, const char *path, struct lq_buf *out,
                  struct lq_error *err)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (!walk)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    *walk = (struct walk){.visit = embed, .model = path, .err = err};
    int status = LQ_OK;
    Onnx__ModelProto *message = NULL;
    if (!folder_of(path, walk->folder))
        status = lq_fail(err, LQ_ERR_MODEL, "cannot open model '%.150s': %s", path,
                         strerror(errno));
    else if (!(message = onnx__model_proto__unpack(NULL, len, model)))
        status = lq_fail(err, LQ_ERR_MODEL, "'%.150s' is no ONNX model", path);
    if (status == LQ_OK)
        status = walk_model(walk, message);
    if (status == LQ_OK) {
        status = lq_buf_resize(out, onnx__model_proto__get_packed_size(message));
        if (status == LQ_OK)
            onnx__model_proto__pack(message, out->data);
        else
            lq_fail(err, status, "out of memory for '%.150s'", path);
    }
    if (message)
        onnx__model_proto__free_unpacked(message, NULL);
    free(walk);
    return status;
}
