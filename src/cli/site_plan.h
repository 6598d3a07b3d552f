// The contents of a static site: file names below its folder and their bytes, all known before the
// first one is written.
// Threads: one. Owner: init/release by the caller; borrowed bytes must outlive the plan.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { LQ_SITE_FILES_MAX = 512, LQ_SITE_NAME_MAX = 200 };

// Who owns the bytes, and how they are freed.
enum lq_site_owned { LQ_SITE_BORROWED, LQ_SITE_ALLOCATED, LQ_SITE_MAPPED };

struct lq_site_file {
    char name[LQ_SITE_NAME_MAX]; // "api/looks.json", without a leading slash
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

// Add bytes that are constant, a copy of a text, or a file from disk. ARGUMENT: a name that leads
// out of the site's folder, or is already in the plan.
LQ_MUST_CHECK int lq_site_plan_add(struct lq_site_plan *plan, const char *name, const void *bytes,
                                   size_t len, struct lq_error *err);
LQ_MUST_CHECK int lq_site_plan_add_text(struct lq_site_plan *plan, const char *name,
                                        const char *text, struct lq_error *err);
LQ_MUST_CHECK int lq_site_plan_add_file(struct lq_site_plan *plan, const char *name,
                                        const char *path, struct lq_error *err);

const struct lq_site_file *lq_site_plan_find(const struct lq_site_plan *plan, const char *name);
size_t lq_site_plan_bytes(const struct lq_site_plan *plan);

// FNV-1a: detects files that changed under the same name; not for security.
uint64_t lq_site_hash(const void *bytes, size_t len);
