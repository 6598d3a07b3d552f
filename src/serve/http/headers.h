// Header lines of responses: those added by a request's handler, those for allowed pages from other
// origins (Fetch, "CORS protocol"), and those that restrict this server's own page.
// Threads: the loop's. Owner: nothing is kept, except in the request.
#pragma once

#include "serve/http/request.h"

// Adds "name: value"; a line that does not fit is dropped.
void lq_web_add_header(struct lq_web_request *request, const char *format, ...) LQ_PRINTF(2, 3);

// Lets the page from another origin read the response, including errors.
void lq_web_add_cors_headers(struct lq_web_request *request);

// Writes the lines that every response has, at most LQ_PAGE_POLICY_SIZE bytes: strict ones for the
// built-in page, few with --web, because such a page may be built in any way.
enum { LQ_PAGE_POLICY_SIZE = LQ_CSP_CHARS_MAX + 512 };
void lq_web_page_policy(const struct lq_serve_options *options, char *lines, size_t size);
