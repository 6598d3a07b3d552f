#include "serve/http/cors.h"

#include <string.h>

#include "serve/http/headers.h"

// Whether the text consists of header names and separators; nothing else may be echoed in a
// response.
static bool is_name_list(const char *text)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ";
    return text[strspn(text, set)] == 0;
}

void lq_cors_respond_preflight(struct lq_web_request *request)
{
    static const char usual[] = "authorization, content-type";
    char requested[256];
    int len = lq_http_header_all(request->http, "access-control-request-headers", requested,
                                 sizeof requested);
    lq_web_add_header(request, "access-control-allow-methods: GET, POST, OPTIONS");
    // Other headers that a page sends have no effect here and do no harm.
    if (len > 0 && (size_t)len < sizeof requested && is_name_list(requested))
        lq_web_add_header(request, "access-control-allow-headers: %s, %s", usual, requested);
    else
        lq_web_add_header(request, "access-control-allow-headers: %s", usual);
    lq_web_add_header(request, "access-control-max-age: 600");
    lq_web_respond(request, 204, "text/plain; charset=utf-8", "", 0);
}
