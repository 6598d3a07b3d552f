#include "convert/sidecar.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/parse_json.h"
#include "model/sidecar.h"

enum { PATH_BYTES = 4096 };

// Returns the sidecar's text, changed for a result with channels first, or with its float model's
// name added.
static char *changed_text(const struct lq_buf *file, const struct lq_convert_options *options,
                          bool to_nchw)
{
    json_error_t where;
    json_t *root = file->len ? lq_json_parse(file->data, file->len, 0, &where) : json_object();
    if (to_nchw)
        json_object_set_new(root, "layout", json_string("nchw"));
    if (options->float_model)
        json_object_set_new(root, "float_model", json_string(options->float_model));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    return text;
}

// Chooses which sidecar to start from: the source's or, if the float model must be named and only
// the result has a sidecar, the result's; "": none.
static int choose_source(const char *in, const char *out, bool named, struct lq_sidecar *sidecar,
                         char from[PATH_BYTES], struct lq_error *err)
{
    from[0] = '\0';
    for (int i = 0; i < (named ? 2 : 1); i++) {
        const char *model = i == 0 ? in : out;
        // Read it first with the sidecar reader, so that a faulty one is reported now and not when
        // the result is used.
        int status = lq_sidecar_read(sidecar, model, err);
        if (status != LQ_OK || sidecar->present)
            return status != LQ_OK || lq_sidecar_path(model, from, PATH_BYTES)
                       ? status
                       : lq_fail(err, LQ_ERR_IO, "path too long: '%.80s…'", model);
    }
    return LQ_OK;
}

static int write_changed(const char *from, const char *to,
                         const struct lq_convert_options *options, bool to_nchw,
                         struct lq_error *err)
{
    struct lq_buf file;
    lq_buf_init(&file, LQ_SIDECAR_BYTES_MAX);
    int status = *from ? lq_file_read(from, &file, err) : LQ_OK;
    bool changes = to_nchw || options->float_model;
    char *text = status == LQ_OK && changes ? changed_text(&file, options, to_nchw) : NULL;
    if (status == LQ_OK && changes && !text)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.80s'", to);
    if (status == LQ_OK)
        status = lq_file_write(to, text ? text : (const char *)file.data,
                               text ? strlen(text) : file.len, err);
    free(text);
    lq_buf_release(&file);
    return status;
}

int lq_convert_sidecar(const char *in, const char *out, const struct lq_convert_options *options,
                       struct lq_error *err)
{
    char from[PATH_BYTES], to[PATH_BYTES], source[PATH_BYTES];
    struct lq_sidecar sidecar;
    if (strcmp(out, "-") == 0)
        return lq_sidecar_read(&sidecar, in, err);
    int status = choose_source(in, out, options->float_model != NULL, &sidecar, from, err);
    if (status != LQ_OK || (!sidecar.present && !options->float_model))
        return status;
    if (!lq_sidecar_path(in, source, sizeof source) || !lq_sidecar_path(out, to, sizeof to))
        return lq_fail(err, LQ_ERR_IO, "path too long: '%.80s…'", out);
    bool to_nchw = options->channels_first && sidecar.layout == LQ_SIDECAR_LAYOUT_NHWC;
    if (strcmp(source, to) != 0)
        return write_changed(from, to, options, to_nchw, err);
    // One sidecar would apply to both models, and a float model must not name itself.
    if (to_nchw)
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.80s' says NHWC and would be for both models; "
                       "give the result another name", from);
    return LQ_OK;
}
