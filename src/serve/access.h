// Who may use the server: a page's origin, and a token where tokens are asked for.
// Threads: the loop. Owner: nothing is kept.
#pragma once

#include "serve/server.h"

#define LQ_WANTS_TOKEN "this server wants a token: Authorization: Bearer …"
#define LQ_TOKEN_GONE "the token of this session is no longer one of the server's"
#define LQ_FOREIGN_PAGE "this page may not use this server: see --allow-origin"

// Whether the page that opened this connection may use it: it came from here, or is allowed, or the
// client is no browser. *cross: it is allowed, but comes from elsewhere (its origin in `origin`).
bool lq_access_origin(const struct lq_server *server, struct lws *wsi, char *origin, size_t size,
                      bool *cross);

// Whether the request carries a token that the server knows, in `Authorization: Bearer` or in the
// page's cookie. True when the server asks for none.
bool lq_access_token(const struct lq_server *server, struct lws *wsi);

// The digest of that token, which its session keeps. False: none is asked for, or none was brought.
bool lq_access_whose(const struct lq_server *server, struct lws *wsi,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);

// The page opened as /?token=…: true when the token is good; `cookie` then is the line that lets
// the page's own requests in.
bool lq_access_cookie(const struct lq_server *server, struct lws *wsi, char *cookie, size_t size);

// Whether the counters may be told here: to who asks from this machine, without a proxy in between.
bool lq_access_metrics(struct lws *wsi);
