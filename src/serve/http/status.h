// Endpoints for operators and load balancers: /healthz, /readyz, /metrics.
// Threads: the loop's. Owner: nothing is kept.
#pragma once

#include "serve/http/request.h"

void lq_status_health(struct lq_web_request *request);
void lq_status_ready(struct lq_web_request *request);
void lq_status_metrics(struct lq_web_request *request);
