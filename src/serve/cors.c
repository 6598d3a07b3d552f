#include "serve/cors.h"

#include <stdio.h>
#include <string.h>

// Header names and what separates them; nothing else may go back into an answer.
static bool is_name_list(const char *text)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ";
    return text[strspn(text, set)] == 0;
}

void lq_cors_answer_preflight(struct lq_request *request)
{
    static const char usual[] = "authorization, content-type";
    char asked[256];
    struct lws *wsi = request->conn->wsi;
    int len = lws_hdr_copy(wsi, asked, sizeof asked, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS);
    lq_request_add_header(request, "access-control-allow-methods: GET, POST, OPTIONS");
    // What a page sends beside these means nothing here and does no harm.
    if (len > 0 && is_name_list(asked))
        lq_request_add_header(request, "access-control-allow-headers: %s, %s", usual, asked);
    else
        lq_request_add_header(request, "access-control-allow-headers: %s", usual);
    lq_request_add_header(request, "access-control-max-age: 600");
    lq_request_answer(request, 204, "text/plain; charset=utf-8", "", 0);
}

// The token's cookie is this server's own pages'. An origin that is named is trusted with it; where
// all are let in it stays behind.
static bool may_bring_cookies(const struct lq_serve_options *options)
{
    bool all = false;
    for (int i = 0; i < options->allow_origin_count; i++)
        all |= strcmp(options->allow_origins[i], "*") == 0;
    return !all || !options->token_file;
}

void lq_cors_add_headers(struct lq_request *request)
{
    if (!*request->origin)
        return;
    lq_request_add_header(request, "access-control-allow-origin: %s", request->origin);
    lq_request_add_header(request, "vary: origin");
    // Socket.IO 2 asks with credentials, and browsers then want to read this.
    if (may_bring_cookies(request->conn->server->options))
        lq_request_add_header(request, "access-control-allow-credentials: true");
    lq_request_add_header(request, "access-control-expose-headers: retry-after, server-timing, "
                                   "www-authenticate, x-engineio-sid, x-nails");
}

bool lq_page_policy(const struct lq_serve_options *options, int i, const char **name_colon,
                    const char **value)
{
    // Nothing from elsewhere, nothing inline; the camera for our own page alone.
    static const struct { const char *name, *value; } own[] = {
        {"content-security-policy:",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
         "connect-src 'self' ws: wss:; media-src 'self' blob:; manifest-src 'self'; "
         "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"},
        {"x-content-type-options:", "nosniff"},
        {"referrer-policy:", "no-referrer"},
        {"permissions-policy:", "camera=(self), microphone=(), geolocation=()"},
        {"cross-origin-opener-policy:", "same-origin"},
    };
    const int count = options->web_dir ? 2 : LQ_COUNT(own);
    if (i == 0 && (options->csp || options->web_dir)) {
        *name_colon = own[0].name;
        *value = options->csp;
        return true;
    }
    if (i >= count)
        return false;
    *name_colon = own[i].name;
    *value = own[i].value;
    return true;
}
