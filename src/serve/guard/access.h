// Access control: a page's origin, and a token if the server requires one.
// Threads: the loop. Owner: the server holds the only struct; reload.c reloads the tokens.
#pragma once

#include "net/http.h"
#include "serve/guard/token.h"
#include "serve/options.h"

#define LQ_WANTS_TOKEN "this server requires a token: Authorization: Bearer …"
#define LQ_TOKEN_GONE "the token of this session was removed from the server"
#define LQ_FOREIGN_PAGE "this page may not use this server: see --allow-origin"

// Refused pages that were already logged, by a hash of their Origin and Host.
enum { LQ_ACCESS_LOGGED_MAX = 8 };
struct lq_access_logged {
    uint32_t pairs[LQ_ACCESS_LOGGED_MAX];
    int count;
};

struct lq_access {
    const struct lq_serve_options *options;
    struct lq_tokens tokens;
    struct lq_access_logged logged;
};

// What a request says about the page it comes from; "" if it does not say.
struct lq_access_request {
    const char *origin; // Origin
    const char *host;   // this server's name as the client sees it: Host, or what a trusted proxy
                        // reports
    const char *site;   // Sec-Fetch-Site
    bool secure;        // TLS is used, to us or to such a proxy
};

enum lq_access_page { LQ_ACCESS_REFUSED, LQ_ACCESS_OWN, LQ_ACCESS_CROSS };

// Whether the page may use the server. OWN: it comes from this server, or the client is not a
// browser. CROSS: it comes from another origin, which is allowed. Otherwise REFUSED; a refusal that
// a proxy may have caused is logged, once per Origin and Host.
enum lq_access_page lq_access_page(struct lq_access *access,
                                   const struct lq_access_request *request);

// The same for a request: false if it is refused. *cross: its page comes from another origin, which
// is copied to `origin`.
bool lq_access_origin(struct lq_access *access, const struct lq_http_request *http, char *origin,
                      size_t size, bool *cross);

// Whether the request carries a valid token, in `Authorization: Bearer` or in the page's cookie.
// True if the server requires none.
bool lq_access_token(const struct lq_access *access, const struct lq_http_request *http);

// The digest of that token, which its session keeps. False: no token is required, or none was sent.
bool lq_access_whose(const struct lq_access *access, const struct lq_http_request *http,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);

// Handles the page opened as /?token=…: true if the token is valid; `cookie` is then the header
// line that authorises the page's own requests. It has no Path attribute, so the browser uses the
// page's folder, which behind a proxy may be below other pages.
bool lq_access_cookie(const struct lq_access *access, const struct lq_http_request *http,
                      char *cookie, size_t size);

// Whether this request may read the counters on the users' port: only from this machine, without a
// proxy in between, and if operators have no port of their own.
bool lq_access_metrics(const struct lq_access *access, const struct lq_http_request *http);
