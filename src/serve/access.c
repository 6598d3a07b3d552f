#include "serve/access.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/limits.h"

static const char cookie_name[] = "lacquer_token=";

// Whether an origin is the server's own, whose name is `host` to the client. Behind a proxy TLS ends
// before the server, so that either scheme may be its own; where it speaks TLS itself, a page that
// came without may be anybody's who is on the way.
static bool is_own(const struct lq_server *server, const char *origin, const char *host)
{
    static const char secure[] = "https://", plain[] = "http://";
    if (strncasecmp(origin, secure, sizeof secure - 1) == 0)
        return strcasecmp(origin + sizeof secure - 1, host) == 0;
    return !server->tls && strncasecmp(origin, plain, sizeof plain - 1) == 0 &&
           strcasecmp(origin + sizeof plain - 1, host) == 0;
}

// Whether a browser says that a page from elsewhere asks. It does so where it names no origin too: of
// pictures, scripts and frames (https://www.w3.org/TR/fetch-metadata/, section 2.4). "none" is what
// the user typed. No page can change it; clients that are no browsers do not send it.
static bool is_cross_site(struct lws *wsi)
{
    static const char name[] = "sec-fetch-site:";
    char site[16];
    if (lws_hdr_custom_length(wsi, name, sizeof name - 1) <= 0)
        return false;
    return lws_hdr_custom_copy(wsi, site, sizeof site, name, sizeof name - 1) <= 0 ||
           (strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0);
}

static bool allows_all(const struct lq_server *server)
{
    for (int i = 0; i < server->options->allow_origin_count; i++)
        if (strcmp(server->options->allow_origins[i], "*") == 0)
            return true;
    return false;
}

bool lq_access_origin(const struct lq_server *server, struct lws *wsi, char *origin, size_t size,
                      bool *cross)
{
    char host[256];
    *cross = false;
    origin[0] = 0;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
        return !is_cross_site(wsi) || allows_all(server); // else no browser, or one's own page
    if (lws_hdr_copy(wsi, origin, (int)size, WSI_TOKEN_ORIGIN) <= 0 ||
        lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0)
        return false;
    if (is_own(server, origin, host))
        return true;
    *cross = true;
    for (int i = 0; i < server->options->allow_origin_count; i++) {
        const char *allowed = server->options->allow_origins[i];
        if (strcasecmp(allowed, origin) == 0)
            return true;
    }
    return allows_all(server);
}

static bool bearer_allows(const struct lq_server *server, struct lws *wsi,
                          uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    char text[LQ_TOKEN_CHARS_MAX + 16];
    int len = lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_AUTHORIZATION);
    bool good = len > 7 && strncasecmp(text, "Bearer ", 7) == 0 &&
                lq_tokens_allow(&server->tokens, text + 7, (size_t)len - 7, digest);
    OPENSSL_cleanse(text, sizeof text);
    return good;
}

static bool cookie_allows(const struct lq_server *server, struct lws *wsi,
                          uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    char text[2048];
    int len = lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_COOKIE);
    bool good = false;
    for (const char *at = len > 0 ? text : ""; *at && !good;) {
        size_t size = strcspn(at, ";");
        if (strncmp(at, cookie_name, sizeof cookie_name - 1) == 0)
            good = lq_tokens_allow(&server->tokens, at + sizeof cookie_name - 1,
                                   size - (sizeof cookie_name - 1), digest);
        at += size;
        at += strspn(at, "; ");
    }
    OPENSSL_cleanse(text, sizeof text);
    return good;
}

bool lq_access_token(const struct lq_server *server, struct lws *wsi)
{
    uint8_t digest[LQ_TOKEN_DIGEST_BYTES];
    return !server->options->token_file || lq_access_whose(server, wsi, digest);
}

bool lq_access_whose(const struct lq_server *server, struct lws *wsi,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    return server->options->token_file &&
           (bearer_allows(server, wsi, digest) || cookie_allows(server, wsi, digest));
}

// Whether the request carries this header; `name` ends with a colon.
static bool has_header(struct lws *wsi, const char *name)
{
    return lws_hdr_custom_length(wsi, name, (int)strlen(name)) > 0;
}

static bool begins(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

// Whether the browser speaks HTTPS with whatever stands in between. A client that lies about it
// gets a cookie that it will not send, no more; hence nobody need be trusted for this.
static bool is_https(const struct lq_server *server, struct lws *wsi)
{
    char text[512], host[256];
    if (server->tls)
        return true;
    if (lws_hdr_custom_copy(wsi, text, sizeof text, "x-forwarded-proto:", 18) > 0 &&
        begins(text, "https"))
        return true;
    if (lws_hdr_custom_copy(wsi, text, sizeof text, "forwarded:", 10) > 0 &&
        (strcasestr(text, "proto=https") || strcasestr(text, "proto=\"https")))
        return true;
    int len = lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST);
    if (len <= 0)
        return false;
    // Where the page was asked for from a page of its own.
    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_ORIGIN) > 0 && begins(text, "https://") &&
        strcasecmp(text + 8, host) == 0)
        return true;
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_REFERER) > 0 &&
           begins(text, "https://") && begins(text + 8, host) &&
           (text[8 + len] == '/' || text[8 + len] == 0);
}

bool lq_access_metrics(struct lws *wsi)
{
    // A proxy on this machine comes from loopback too, and names whom it stands for.
    static const char *const signs[] = {"x-forwarded-host:", "x-forwarded-proto:", "forwarded:",
                                        "via:", "x-forwarded:"};
    // Those that the library knows are not found by name.
    static const enum lws_token_indexes known[] = {WSI_TOKEN_X_FORWARDED_FOR, WSI_TOKEN_HTTP_VIA,
                                                   WSI_TOKEN_HTTP_X_REAL_IP};
    char peer[64];
    lws_get_peer_simple(wsi, peer, sizeof peer);
    if (strncmp(peer, "127.", 4) != 0 && strcmp(peer, "::1") != 0 &&
        strncmp(peer, "::ffff:127.", 11) != 0)
        return false;
    for (size_t i = 0; i < LQ_COUNT(signs); i++)
        if (has_header(wsi, signs[i]))
            return false;
    for (size_t i = 0; i < LQ_COUNT(known); i++)
        if (lws_hdr_total_length(wsi, known[i]) > 0)
            return false;
    return true;
}

bool lq_access_cookie(const struct lq_server *server, struct lws *wsi, char *cookie, size_t size)
{
    char token[LQ_TOKEN_CHARS_MAX + 1];
    uint8_t digest[LQ_TOKEN_DIGEST_BYTES];
    bool good = lq_query(wsi, "token=", token, sizeof token) &&
                lq_tokens_allow(&server->tokens, token, strlen(token), digest);
    // Strict: a page from elsewhere cannot make a browser send it along.
    if (good)
        snprintf(cookie, size, "%s%s; Path=/; HttpOnly; SameSite=Strict%s", cookie_name, token,
                 is_https(server, wsi) ? "; Secure" : "");
    OPENSSL_cleanse(token, sizeof token);
    return good;
}
