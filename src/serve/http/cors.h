// Answers the preflight request that a browser sends before a page from another origin may send
// JSON or a token (Fetch, "CORS protocol").
// Threads: the loop's. Owner: nothing is kept.
#pragma once

#include "serve/http/request.h"

void lq_cors_respond_preflight(struct lq_web_request *request);
