// The page as a static site: the files that the server serves from memory, with what it says at its
// API as files in the same places.
// Threads: one. Owner: the plan borrows constants of the program and copies the rest.
#pragma once

#include "cli/site_plan.h"
#include "paint/catalogue.h"

// Adds the page's files; those that only a server has a use for are left out. To be called last:
// the service worker is told all names of the plan.
LQ_MUST_CHECK int lq_site_add_page(struct lq_site_plan *plan, struct lq_error *err);

// Adds what GET /api/looks and /api/v1/info say. model: the network's name for people.
LQ_MUST_CHECK int lq_site_add_api(struct lq_site_plan *plan, const struct lq_catalogue *catalogue,
                                  const char *model, struct lq_error *err);

// Adds what hosts read: _headers (Netlify, Cloudflare Pages) and .nojekyll (GitHub Pages).
LQ_MUST_CHECK int lq_site_add_hosting(struct lq_site_plan *plan, struct lq_error *err);
