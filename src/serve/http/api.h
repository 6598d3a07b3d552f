// The HTTP API: takes a posted picture, waits for a worker, and responds. A request is a session of
// one frame.
// Threads: the loop's. Owner: a request owns its session until `closed`.
#pragma once

#include "serve/http/request.h"

// Callbacks of the routes that take a picture (struct lq_web_route).
void lq_api_start(struct lq_web_request *request);
void lq_api_body_done(struct lq_web_request *request);
void lq_api_wake(struct lq_web_request *request);
void lq_api_closed(struct lq_web_request *request);
// GET /api/v1/info and /api/looks.
void lq_api_info(struct lq_web_request *request);
void lq_api_looks(struct lq_web_request *request);
