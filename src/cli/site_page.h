// The page as a static site: the files that the server serves from memory, and its API responses as
// files at the same paths.
// Threads: one. Owner: the plan borrows constants of the program and copies the rest.
#pragma once

#include "cli/site_plan.h"
#include "paint/catalogue.h"

// Adds the page's files, except those that only a server needs. Call it last: the service worker
// receives all names in the plan.
LQ_MUST_CHECK int lq_site_add_page(struct lq_site_plan *plan, struct lq_error *err);

// Adds the responses of GET /api/looks and /api/v1/info. model: the network's display name.
LQ_MUST_CHECK int lq_site_add_api(struct lq_site_plan *plan, const struct lq_catalogue *catalogue,
                                  const char *model, struct lq_error *err);

// Adds configuration for hosts: _headers (Netlify, Cloudflare Pages) and .nojekyll (GitHub Pages).
LQ_MUST_CHECK int lq_site_add_hosting(struct lq_site_plan *plan, struct lq_error *err);
