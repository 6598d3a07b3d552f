// Header lines of responses: a request's own, those for pages from elsewhere that are allowed
// (Fetch, "CORS protocol"), and what a page of this server may do.
// Threads: the loop's. Owner: nothing is kept but in the request.
#pragma once

#include "serve/http/request.h"

// "name: value"; one that does not fit is left out.
void lq_web_add_header(struct lq_web_request *request, const char *format, ...) LQ_PRINTF(2, 3);

// Lets the page from elsewhere read the response, errors too.
void lq_web_add_cors_headers(struct lq_web_request *request);

// The lines that every response carries, LQ_PAGE_POLICY_SIZE bytes at most: strict ones with the
// built-in page, few with --web, whose pages may be made in any way.
enum { LQ_PAGE_POLICY_SIZE = LQ_CSP_CHARS_MAX + 512 };
void lq_web_page_policy(const struct lq_serve_options *options, char *lines, size_t size);
