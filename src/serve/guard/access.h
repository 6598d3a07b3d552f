// Who may use the server: a page's origin, and a token where tokens are asked for.
// Threads: the loop. Owner: the server holds the one struct; tokens are read again by reload.c.
#pragma once

#include "net/http.h"
#include "serve/guard/token.h"
#include "serve/options.h"

#define LQ_WANTS_TOKEN "this server wants a token: Authorization: Bearer …"
#define LQ_TOKEN_GONE "the token of this session is no longer one of the server's"
#define LQ_FOREIGN_PAGE "this page may not use this server: see --allow-origin"

// Refused pages that were logged already, by what their Origin and Host hash to.
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

// What a request says about the page that it comes from; "" where it says nothing.
struct lq_access_request {
    const char *origin; // Origin
    const char *host;   // what the client calls this server: Host, or a trusted proxy's word for it
    const char *site;   // Sec-Fetch-Site
    bool secure;        // TLS is spoken, with us or with such a proxy
};

enum lq_access_page { LQ_ACCESS_REFUSED, LQ_ACCESS_OWN, LQ_ACCESS_CROSS };

// Whether the page may use the server: it came from here or the client is no browser (OWN), it
// comes from elsewhere and is allowed (CROSS), or neither. A refusal that may be a proxy's fault is
// logged, once for each Origin and Host.
enum lq_access_page lq_access_page(struct lq_access *access,
                                   const struct lq_access_request *request);

// The same for a request: false when it is refused. *cross: its page comes from elsewhere (its
// origin in `origin`).
bool lq_access_origin(struct lq_access *access, const struct lq_http_request *http, char *origin,
                      size_t size, bool *cross);

// Whether the request carries a token that the server knows, in `Authorization: Bearer` or in the
// page's cookie. True when the server asks for none.
bool lq_access_token(const struct lq_access *access, const struct lq_http_request *http);

// The digest of that token, which its session keeps. False: none is asked for, or none was brought.
bool lq_access_whose(const struct lq_access *access, const struct lq_http_request *http,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);

// The page opened as /?token=…: true when the token is good; `cookie` then is the line that lets
// the page's own requests in. It names no path, so that the browser takes the page's own folder,
// which behind a proxy may lie below others' pages.
bool lq_access_cookie(const struct lq_access *access, const struct lq_http_request *http,
                      char *cookie, size_t size);

// Whether the counters may be read on the port for users: by who is on this machine, without a
// proxy in between, where operators have no port of their own.
bool lq_access_metrics(const struct lq_access *access, const struct lq_http_request *http);
