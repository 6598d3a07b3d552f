// What answers say to browsers about pages: to those from elsewhere that are let in (Fetch, "CORS
// protocol"), and what a page of this server may do.
// Threads: the loop. Owner: nothing is kept.
#pragma once

#include "serve/http.h"

// Answers what a browser asks before it lets a page from elsewhere send JSON or a token.
void lq_cors_answer_preflight(struct lq_request *request);

// Lets the page from elsewhere read the answer, errors too.
void lq_cors_add_headers(struct lq_request *request);

// The headers that every answer carries: strict ones with the built-in page, few with --web, whose
// pages may be made in any way. i from 0 on; false at the end. *value NULL or "": this one is left
// out.
bool lq_page_policy(const struct lq_serve_options *options, int i, const char **name_colon,
                    const char **value);
