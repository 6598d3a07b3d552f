// What answers say to browsers about pages: to those from elsewhere that are let in (Fetch, "CORS
// protocol"), and what a page of this server may do.
// Threads: the loop. Owner: nothing is kept.
#pragma once

#include "serve/http/request.h"

// Answers what a browser asks before it lets a page from elsewhere send JSON or a token.
void lq_cors_answer_preflight(struct lq_request *request);

// Lets the page from elsewhere read the answer, errors too.
void lq_cors_add_headers(struct lq_request *request);

// The header lines that every answer carries, LQ_PAGE_POLICY_SIZE bytes at most: strict ones with
// the built-in page, few with --web, whose pages may be made in any way.
enum { LQ_PAGE_POLICY_SIZE = LQ_CSP_CHARS_MAX + 512 };
void lq_page_policy(const struct lq_serve_options *options, char *lines, size_t size);
