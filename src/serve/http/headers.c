#include "serve/http/headers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serve/http/assets.h"

void lq_web_add_header(struct lq_web_request *request, const char *format, ...)
{
    size_t len = strlen(request->headers);
    va_list args;
    va_start(args, format);
    int size = vsnprintf(request->headers + len, sizeof request->headers - len, format, args);
    va_end(args);
    // A truncated header would be worse than none.
    if (size < 0 || (size_t)size + 2 >= sizeof request->headers - len)
        request->headers[len] = 0;
    else
        memcpy(request->headers + len + size, "\r\n", 3);
}

// The token's cookie is meant for this server's own pages. Origins that are allowed by name may
// send it too; if all origins are allowed, none of them may.
static bool may_bring_cookies(const struct lq_serve_options *options)
{
    bool all = false;
    for (int i = 0; i < options->allow_origin_count; i++)
        all |= strcmp(options->allow_origins[i], "*") == 0;
    return !all || !options->token_file;
}

void lq_web_add_cors_headers(struct lq_web_request *request)
{
    // Also without an origin: a browser must not use for a shop's page what it stored for ours.
    if (*request->origin || request->web->options->allow_origin_count > 0)
        lq_web_add_header(request, "vary: origin");
    if (!*request->origin)
        return;
    lq_web_add_header(request, "access-control-allow-origin: %s", request->origin);
    // Socket.IO 2 sends requests with credentials, for which browsers require this header.
    if (may_bring_cookies(request->web->options))
        lq_web_add_header(request, "access-control-allow-credentials: true");
    lq_web_add_header(request, "access-control-expose-headers: retry-after, server-timing, "
                                   "www-authenticate, x-engineio-sid, x-nails");
}

// Prints which pages may show this one in a frame: its own site, and those of --frame-ancestors.
static void print_ancestors(const struct lq_serve_options *options, char *text, size_t size)
{
    int len = snprintf(text, size, "'self'");
    for (int i = 0; i < options->frame_ancestor_count && (size_t)len < size; i++)
        len += snprintf(text + len, size - (size_t)len, " %s", options->frame_ancestors[i]);
}

void lq_web_page_policy(const struct lq_serve_options *options, char *lines, size_t size)
{
    // Nothing from other sites, and nothing inline except the page's first style; the camera only
    // for our own page. WebAssembly is needed by the on-device engine (web/device).
    char ancestors[LQ_FRAME_ANCESTORS_CHARS_MAX + 16], own_csp[LQ_CSP_CHARS_MAX];
    print_ancestors(options, ancestors, sizeof ancestors);
    snprintf(own_csp, sizeof own_csp,
             "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' '%s'; "
             "img-src 'self' blob: data:; connect-src 'self' ws: wss:; media-src 'self' blob:; "
             "manifest-src 'self'; worker-src 'self'; frame-ancestors %s; base-uri 'none'; "
             "form-action 'none'",
             lq_asset_style_hash, ancestors);
    static const char all[] = "x-content-type-options: nosniff\r\n";
    static const char own[] = "referrer-policy: no-referrer\r\n"
                              "permissions-policy: camera=(self), microphone=(), geolocation=()\r\n"
                              "cross-origin-opener-policy: same-origin\r\n";
    const char *csp = options->csp ? options->csp : options->web_dir ? "" : own_csp;
    snprintf(lines, size, "%s%s%s%s%s", *csp ? "content-security-policy: " : "", csp,
             *csp ? "\r\n" : "", all, options->web_dir ? "" : own);
}
