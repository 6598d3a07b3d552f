// Catalogues and complete looks.
#include "lib/library.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse_json.h"
#include "paint/catalogue_json.h"
#include "paint/look_json.h"

LQ_PUBLIC struct lacquer_look lacquer_look_default(void)
{
    struct lq_look look = lq_look_default();
    const struct lq_polish *polish = &look.polish;
    return (struct lacquer_look){.color = {polish->color[0], polish->color[1], polish->color[2]},
                                 .finish = (enum lacquer_finish)polish->finish,
                                 .opacity = polish->opacity,
                                 .texture = polish->texture,
                                 .sheen = polish->sheen};
}

enum { CATALOGUE_JSON_MAX = 16 << 20 };

static int open_names(struct lacquer_catalogue *catalogue, const char *folder,
                      struct lq_error *err)
{
    int status = lq_catalogue_open(&catalogue->names, folder, err);
    if (status != LQ_OK)
        return status;
    json_t *root = lq_catalogue_write(catalogue->names);
    if (!lq_json_print(root, JSON_INDENT(2), &catalogue->json) ||
        lq_buf_append(&catalogue->json, "", 1) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    json_decref(root);
    return status;
}

static void release(struct lacquer_catalogue *catalogue)
{
    if (atomic_fetch_sub(&catalogue->users, 1) != 1)
        return;
    lq_catalogue_close(catalogue->names);
    lq_buf_release(&catalogue->json);
    free(catalogue);
}

static int catalogue_open(struct lacquer_catalogue **out, const char *folder, struct lq_error *err)
{
    struct lacquer_catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (!catalogue)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    atomic_init(&catalogue->users, 1);
    lq_buf_init(&catalogue->json, CATALOGUE_JSON_MAX);
    int status = open_names(catalogue, folder, err);
    if (status == LQ_OK)
        *out = catalogue;
    else
        release(catalogue);
    return status;
}

LQ_PUBLIC int lacquer_catalogue_open(struct lacquer_catalogue **catalogue, const char *folder,
                                     char *error, size_t error_size)
{
    struct lq_error err = {0};
    *catalogue = NULL;
    return lq_lib_fail(&err, catalogue_open(catalogue, folder, &err), error, error_size);
}

LQ_PUBLIC void lacquer_catalogue_close(struct lacquer_catalogue *catalogue)
{
    if (catalogue)
        release(catalogue);
}

LQ_PUBLIC const char *lacquer_catalogue_json(const struct lacquer_catalogue *catalogue)
{
    return (const char *)catalogue->json.data;
}

// Text that is not JSON is a look's name. JSON values such as "null", "true" or a number are
// neither a look nor a name.
static json_t *parse(const char *text, size_t len, struct lq_error *err)
{
    json_error_t where;
    size_t blank = 0;
    while (blank < len && strchr(" \t\r\n", text[blank]))
        blank++;
    if (blank == len || !strchr("{[\"", text[blank])) {
        json_t *name = blank < len && len <= LQ_LOOK_NAME_MAX ? json_stringn(text, len) : NULL;
        if (!name)
            lq_fail(err, LQ_ERR_FIELD, "a look is JSON, or the name of one");
        return name;
    }
    json_t *json = len <= LQ_LOOK_BYTES_MAX
                       ? lq_json_parse(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where)
                       : NULL;
    if (json)
        return json;
    if (len > LQ_LOOK_BYTES_MAX)
        lq_fail(err, LQ_ERR_SYNTAX, "a look has at most %d bytes", LQ_LOOK_BYTES_MAX);
    else if (lq_json_ran_out(&where))
        lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    else
        lq_fail(err, LQ_ERR_SYNTAX, "line %d: %.80s", where.line, where.text);
    return NULL;
}

static int full_look_new(struct lacquer_full_look **out, const char *text, size_t len,
                         struct lacquer_catalogue *catalogue, struct lq_error *err)
{
    json_t *json = parse(text, len, err);
    if (!json)
        return err->status;
    struct lacquer_full_look *look = calloc(1, sizeof *look);
    int status = look ? LQ_OK : lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (status == LQ_OK && catalogue) {
        atomic_fetch_add(&catalogue->users, 1);
        look->catalogue = catalogue;
    } else if (status == LQ_OK) {
        status = catalogue_open(&look->catalogue, NULL, err);
    }
    if (status == LQ_OK)
        status = lq_look_read_any(&look->look, json, look->catalogue->names, err);
    json_decref(json);
    if (status == LQ_OK)
        *out = look;
    else
        lacquer_full_look_free(look);
    return status;
}

LQ_PUBLIC int lacquer_full_look_new(struct lacquer_full_look **look, const char *text, size_t len,
                                    struct lacquer_catalogue *catalogue, char *error,
                                    size_t error_size)
{
    struct lq_error err = {0};
    *look = NULL;
    int status = text ? full_look_new(look, text, len, catalogue, &err)
                      : lq_fail(&err, LQ_ERR_ARGUMENT, "a look is JSON, or the name of one");
    return lq_lib_fail(&err, status, error, error_size);
}

LQ_PUBLIC void lacquer_full_look_free(struct lacquer_full_look *look)
{
    if (!look)
        return;
    if (look->catalogue)
        release(look->catalogue);
    free(look);
}
