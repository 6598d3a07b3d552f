#include "cli/site_device.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/parse_json.h"
#include "base/text.h"
#include "serve/http/device_files.h"

enum { LIST_BYTES_MAX = 1 << 16 };

static json_t *read_list(const char *folder, struct lq_error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/device.json", folder);
    if (access(path, R_OK) != 0) {
        lq_fail(err, LQ_ERR_NOT_FOUND, "there is no runtime for devices in '%.150s': build it with "
                "make device, or name its folder with --device", folder);
        return NULL;
    }
    struct lq_buf text;
    lq_buf_init(&text, LIST_BYTES_MAX);
    json_error_t where;
    json_t *list = NULL;
    if (lq_file_read(path, &text, err) == LQ_OK) {
        list = lq_json_parse(text.data, text.len, JSON_REJECT_DUPLICATES, &where);
        if (!json_is_object(json_object_get(list, "files"))) {
            lq_fail(err, LQ_ERR_SYNTAX, "'%.150s' is not a list of runtime files: build it again "
                                        "with make device", path);
            json_decref(list);
            list = NULL;
        }
    }
    lq_buf_release(&text);
    return list;
}

static int add_place(struct lq_site_plan *plan, const char *name, const char *path,
                     struct lq_error *err)
{
    char place[LQ_SITE_NAME_MAX];
    if (snprintf(place, sizeof place, "device/%s", name) >= (int)sizeof place)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", name);
    return lq_site_plan_add_file(plan, place, path, err);
}

static int add_file(struct lq_site_plan *plan, const char *name, const char *folder,
                    const char *file, struct lq_error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", folder);
    return add_place(plan, name, path, err);
}

// Compressed forms, as named in the list.
static const char *const forms[] = {"br", "gz", "zst"};

// The page imports scripts by URL; it fetches all other files as bytes, which it can decompress.
static bool can_be_packed(const char *folder, const char *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.zst", folder, file);
    return (lq_ends_with(file, ".wasm") || lq_ends_with(file, ".onnx")) &&
           access(path, R_OK) == 0;
}

// Adds one row of the list and its file. The file's name does not end with ".zst": some hosts would
// then send a Content-Encoding header, and the page would not get the bytes that it expects.
static int add_row(struct lq_site_plan *plan, const char *folder, json_t *row,
                   struct lq_error *err)
{
    const char *file = json_string_value(json_object_get(row, "file"));
    char packed[LQ_SITE_NAME_MAX], form[LQ_SITE_NAME_MAX];
    if (!file || snprintf(packed, sizeof packed, "%s.pack", file) >= (int)sizeof packed)
        return lq_fail(err, LQ_ERR_SYNTAX, "device.json in '%.150s' has an entry without a file "
                                           "name: "
                                           "build it again with make device", folder);
    bool packs = can_be_packed(folder, file);
    snprintf(form, sizeof form, "%s.zst", file);
    int status = packs ? add_file(plan, packed, folder, form, err)
                       : add_file(plan, file, folder, file, err);
    if (packs)
        json_object_set_new(row, "file", json_string(packed));
    for (size_t i = 0; i < LQ_COUNT(forms); i++)
        json_object_del(row, forms[i]);
    return status;
}

// ---- a network of the user's

static int check_sidecar(const char *model, struct lq_sidecar *sidecar, struct lq_error *err)
{
    int status = lq_sidecar_read(sidecar, model, err);
    bool mask = sidecar->head == LQ_HEAD_MASK && sidecar->resize == LQ_SIDECAR_STRETCH &&
                sidecar->size_count > 0 && !sidecar->normalised;
    if (status == LQ_OK && !lq_ends_with(model, ".onnx"))
        status = lq_fail(err, LQ_ERR_ARGUMENT, "--model: '%.150s' is no .onnx file; `lacquer "
                         "convert` makes one of a .tflite", model);
    if (status == LQ_OK && !mask)
        status = lq_fail(err, LQ_ERR_MODEL, "--model: '%.150s' has no sidecar that says "
                         "\"head\": \"mask\", \"resize\": \"stretch\" and its sizes "
                         "(docs/MODELS.md); pages run no other networks", model);
    return status;
}

static json_t *describe(const struct lq_sidecar *sidecar, const char *name)
{
    json_t *sizes = json_array();
    for (int i = 0; i < sidecar->size_count; i++)
        json_array_append_new(sizes, json_pack("[i, i]", sidecar->sizes[i].width,
                                               sidecar->sizes[i].height));
    double threshold = sidecar->threshold > 0 ? (double)sidecar->threshold : 0.5;
    return json_pack("{s:s, s:o, s:f}", "name", name, "sizes", sizes, "threshold", threshold);
}

// Replaces the runtime's own network in the list. Like all names there, its name contains a hash of
// its content.
static int take_model(struct lq_site_plan *plan, json_t *list, struct lq_site_device *device,
                      struct lq_error *err)
{
    struct lq_sidecar sidecar;
    char place[LQ_SITE_NAME_MAX];
    size_t len;
    int status = check_sidecar(device->model, &sidecar, err);
    const void *bytes = status == LQ_OK ? lq_file_map(device->model, &len) : NULL;
    if (status != LQ_OK)
        return status;
    if (!bytes)
        return lq_fail(err, LQ_ERR_IO, "--model: cannot read '%.150s', or it is empty",
                       device->model);
    snprintf(place, sizeof place, "nail-%010llx.onnx",
             (unsigned long long)(lq_site_hash(bytes, len) & 0xffffffffff));
    lq_file_unmap(bytes, len);
    if (*sidecar.name)
        snprintf(device->model_name, sizeof device->model_name, "%s", sidecar.name);
    json_object_set_new(list, "nails", describe(&sidecar, device->model_name));
    json_object_set_new(json_object_get(list, "files"), "nail.onnx",
                        json_pack("{s:s, s:I}", "file", place, "bytes", (json_int_t)len));
    return add_place(plan, place, device->model, err);
}

static int add_list(struct lq_site_plan *plan, const json_t *list, struct lq_error *err)
{
    char *text = json_dumps(list, JSON_COMPACT);
    if (!text)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_site_plan_add_text(plan, "device/device.json", text, err);
    free(text);
    return status;
}

// Adds the notices: the licences of all parts that the site distributes.
static int add_notices(struct lq_site_plan *plan, const char *folder, struct lq_error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, LQ_SITE_NOTICES) >= (int)sizeof path)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", folder);
    if (access(path, R_OK) != 0)
        return lq_fail(err, LQ_ERR_NOT_FOUND, "'%.150s' is missing, the licences of the site's "
                                              "files: build the runtime again with make "
                                              "device", path);
    return lq_site_plan_add_file(plan, LQ_SITE_NOTICES, path, err);
}

int lq_site_add_device(struct lq_site_plan *plan, struct lq_site_device *device,
                       struct lq_error *err)
{
    char found[PATH_MAX] = "";
    const char *folder = device->folder;
    if (!folder)
        folder = lq_device_folder(found, sizeof found) ? found : "";
    json_t *list = read_list(folder, err);
    if (!list)
        return err->status;
    const char *own = json_string_value(json_object_get(json_object_get(list, "nails"), "name"));
    snprintf(device->model_name, sizeof device->model_name, "%s", own ? own : "nail");
    int status = LQ_OK;
    const char *name;
    json_t *row;
    json_object_foreach(json_object_get(list, "files"), name, row)
        if (status == LQ_OK && !(device->model && strcmp(name, "nail.onnx") == 0))
            status = add_row(plan, folder, row, err);
    if (status == LQ_OK && device->model)
        status = take_model(plan, list, device, err);
    if (status == LQ_OK)
        status = add_list(plan, list, err);
    if (status == LQ_OK)
        status = add_notices(plan, folder, err);
    json_decref(list);
    return status;
}
