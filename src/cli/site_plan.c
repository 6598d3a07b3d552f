#include "cli/site_plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

void lq_site_plan_init(struct lq_site_plan *plan)
{
    plan->count = 0;
}

static void give_back(struct lq_site_file *file)
{
    if (file->owned == LQ_SITE_ALLOCATED)
        free((void *)file->bytes);
    if (file->owned == LQ_SITE_MAPPED)
        lq_file_unmap(file->bytes, file->len);
}

void lq_site_plan_release(struct lq_site_plan *plan)
{
    for (int i = 0; i < plan->count; i++)
        give_back(&plan->files[i]);
    plan->count = 0;
}

const struct lq_site_file *lq_site_plan_find(const struct lq_site_plan *plan, const char *name)
{
    for (int i = 0; i < plan->count; i++)
        if (strcmp(plan->files[i].name, name) == 0)
            return &plan->files[i];
    return NULL;
}

size_t lq_site_plan_bytes(const struct lq_site_plan *plan)
{
    size_t sum = 0;
    for (int i = 0; i < plan->count; i++)
        sum += plan->files[i].len;
    return sum;
}

uint64_t lq_site_hash(const void *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return hash;
}

// Whether it is a path below the folder, made of plain names.
static bool is_inside(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len < LQ_SITE_NAME_MAX && name[0] != '/' && name[len - 1] != '/' &&
           !strstr(name, "//") && !strstr(name, "..") && !strchr(name, '\\');
}

// Takes ownership of the file's bytes, even on failure.
static int take(struct lq_site_plan *plan, const char *name, struct lq_site_file file,
                struct lq_error *err)
{
    int status = LQ_OK;
    if (!is_inside(name))
        status = lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' is no file's name below a site", name);
    else if (lq_site_plan_find(plan, name))
        status = lq_fail(err, LQ_ERR_ARGUMENT, "two files of a site are called '%.120s'", name);
    else if (plan->count == LQ_SITE_FILES_MAX)
        status = lq_fail(err, LQ_ERR_TOO_LARGE, "a site has %d files at most", LQ_SITE_FILES_MAX);
    if (status != LQ_OK) {
        give_back(&file);
        return status;
    }
    memcpy(file.name, name, strlen(name) + 1);
    plan->files[plan->count++] = file;
    return LQ_OK;
}

int lq_site_plan_add(struct lq_site_plan *plan, const char *name, const void *bytes, size_t len,
                     struct lq_error *err)
{
    return take(plan, name, (struct lq_site_file){.bytes = bytes, .len = len}, err);
}

int lq_site_plan_add_text(struct lq_site_plan *plan, const char *name, const char *text,
                          struct lq_error *err)
{
    char *copy = strdup(text);
    if (!copy)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    struct lq_site_file file = {
        .bytes = (uint8_t *)copy, .len = strlen(copy), .owned = LQ_SITE_ALLOCATED};
    return take(plan, name, file, err);
}

int lq_site_plan_add_file(struct lq_site_plan *plan, const char *name, const char *path,
                          struct lq_error *err)
{
    struct lq_site_file file = {.owned = LQ_SITE_MAPPED};
    file.bytes = lq_file_map(path, &file.len);
    if (!file.bytes)
        return lq_fail(err, LQ_ERR_IO, "cannot read '%.150s', or it is empty", path);
    return take(plan, name, file, err);
}
