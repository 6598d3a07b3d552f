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

// The source's text, but of a result with its channels first.
static char *changed_text(const struct lq_buf *file)
{
    json_error_t where;
    json_t *root = lq_json_parse(file->data, file->len, 0, &where);
    json_object_set_new(root, "layout", json_string("nchw"));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    return text;
}

int lq_convert_sidecar(const char *in, const char *out, const struct lq_convert_options *options,
                       struct lq_error *err)
{
    char from[4096], to[4096];
    struct lq_sidecar sidecar;
    // Read by its own reader first: a bad one is told now, not when the result is used.
    int status = lq_sidecar_read(&sidecar, in, err);
    if (status != LQ_OK || !sidecar.present || strcmp(out, "-") == 0)
        return status;
    if (!lq_sidecar_path(in, from, sizeof from) || !lq_sidecar_path(out, to, sizeof to))
        return lq_fail(err, LQ_ERR_IO, "path too long: '%.80s…'", out);
    bool turns = options->channels_first && sidecar.layout == LQ_SIDECAR_LAYOUT_NHWC;
    if (strcmp(from, to) == 0) {
        if (turns)
            return lq_fail(err, LQ_ERR_ARGUMENT, "'%.80s' says NHWC and would be for both models; "
                           "give the result another name", from);
        return LQ_OK;
    }
    struct lq_buf file;
    lq_buf_init(&file, LQ_SIDECAR_BYTES_MAX);
    status = lq_file_read(from, &file, err);
    char *text = status == LQ_OK && turns ? changed_text(&file) : NULL;
    if (status == LQ_OK && turns && !text)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.80s'", to);
    if (status == LQ_OK)
        status = lq_file_write(to, text ? text : (const char *)file.data,
                               text ? strlen(text) : file.len, err);
    free(text);
    lq_buf_release(&file);
    return status;
}
