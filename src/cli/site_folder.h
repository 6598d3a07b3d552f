// The folder that a static site is written to. Files that `lacquer site` did not write are never
// touched: which ones it wrote is in the folder itself (lacquer-site.json).
// Threads: one. Owner: the plan's bytes stay the caller's.
#pragma once

#include "cli/site_plan.h"

#define LQ_SITE_LIST "lacquer-site.json"

// Makes `dir` hold the plan's files. A file of the same name is replaced as a whole, the page and
// its service worker last, so that a visitor never meets a new page without its parts; what an
// earlier site had and this one has not is taken away. A dir with files of others is refused
// (ARGUMENT) before anything is written; names that begin with a dot (.git) and CNAME are let be.
LQ_MUST_CHECK int lq_site_folder_write(const char *dir, const struct lq_site_plan *plan,
                                       struct lq_error *err);
