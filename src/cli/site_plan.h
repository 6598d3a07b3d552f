// What a static site is made of: names below its folder and their bytes, all known before the first
// is written.
// Threads: one. Owner: init/release by the caller; bytes that are borrowed must outlive the plan.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { LQ_SITE_FILES_MAX = 512, LQ_SITE_NAME_MAX = 200 };

// Whose the bytes are, and how they are given back.
enum lq_site_owned { LQ_SITE_BORROWED, LQ_SITE_ALLOCATED, LQ_SITE_MAPPED };

struct lq_site_file {
    char name[LQ_SITE_NAME_MAX]; // "api/looks.json", without a slash before it
    const uint8_t *bytes;
    size_t len;
    enum lq_site_owned owned;
};

struct lq_site_plan {
    struct lq_site_file files[LQ_SITE_FILES_MAX];
    int count;
};

void lq_site_plan_init(struct lq_site_plan *plan);
void lq_site_plan_release(struct lq_site_plan *plan);

// Adds bytes that are a constant, or a copy of a text, or a file of the disk. A name that leads out
// of the site's folder is refused (ARGUMENT), a second one of the same name too.
LQ_MUST_CHECK int lq_site_plan_add(struct lq_site_plan *plan, const char *name, const void *bytes,
                                   size_t len, struct lq_error *err);
LQ_MUST_CHECK int lq_site_plan_add_text(struct lq_site_plan *plan, const char *name,
                                        const char *text, struct lq_error *err);
LQ_MUST_CHECK int lq_site_plan_add_file(struct lq_site_plan *plan, const char *name,
                                        const char *path, struct lq_error *err);

const struct lq_site_file *lq_site_plan_find(const struct lq_site_plan *plan, const char *name);
size_t lq_site_plan_bytes(const struct lq_site_plan *plan);

// FNV-1a: tells files apart that changed under the same name; no secret hangs on it.
uint64_t lq_site_hash(const void *bytes, size_t len);
