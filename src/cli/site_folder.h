// The folder to which a static site is written. Files that `lacquer site` did not write are never
// changed; it records its own files in the folder (lacquer-site.json).
// Threads: one. Owner: the caller owns the plan's bytes.
#pragma once

#include "cli/site_plan.h"

#define LQ_SITE_LIST "lacquer-site.json"

// Writes the plan's files to `dir`. Existing files are replaced atomically, the page and its
// service worker last, so that a visitor never gets a new page without its parts; files of an
// earlier site that are no longer in the plan are removed. A dir with foreign files is refused
// (ARGUMENT) before anything is written; names that begin with a dot (.git) and CNAME are ignored.
LQ_MUST_CHECK int lq_site_folder_write(const char *dir, const struct lq_site_plan *plan,
                                       struct lq_error *err);
