#include "serve/guard/access.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/limits.h"
#include "base/log.h"
#include "serve/guard/client.h"
#include "serve/guard/origin.h"

static const char cookie_name[] = "lacquer_token=";

static bool allows_all(const struct lq_access *access)
{
    for (int i = 0; i < access->options->allow_origin_count; i++)
        if (strcmp(access->options->allow_origins[i], "*") == 0)
            return true;
    return false;
}

static bool allows(const struct lq_access *access, const struct lq_origin *origin)
{
    struct lq_origin allowed;
    for (int i = 0; i < access->options->allow_origin_count; i++)
        if (lq_origin_parse(&allowed, access->options->allow_origins[i]) &&
            lq_origin_equal(&allowed, origin))
            return true;
    return false;
}

// Browsers say where the page that asks comes from, and no page can change it
// (https://www.w3.org/TR/fetch-metadata/, section 2.4). They do so where they name no origin too:
// of pictures, scripts and frames. "none" is what the user typed.
static bool is_same_origin(const char *site)
{
    return strcmp(site, "same-origin") == 0;
}

static bool is_elsewhere(const char *site)
{
    return *site && !is_same_origin(site) && strcmp(site, "none") != 0;
}

// Behind a proxy TLS ends before the server, so that either scheme may be its own; where TLS is
// known to be spoken, a page that came without may be anybody's who is on the way.
static bool may_be_own(const struct lq_access_request *request, const struct lq_origin *origin)
{
    return !request->secure || origin->scheme_len == strlen("https");
}

static bool is_own(const struct lq_access_request *request, const struct lq_origin *origin)
{
    struct lq_origin own;
    return may_be_own(request, origin) && lq_origin_parse_host(&own, request->host) &&
           lq_origin_is_at(origin, &own);
}

// Whether this pair was not logged yet. What strangers can send must not fill a log.
static bool is_news(struct lq_access_logged *logged, const struct lq_access_request *request)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (const char *c = request->origin; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (const char *c = request->host; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (int i = 0; i < logged->count; i++)
        if (logged->pairs[i] == hash)
            return false;
    if (logged->count == LQ_ACCESS_LOGGED_MAX)
        return false;
    logged->pairs[logged->count++] = hash;
    return true;
}

// A browser shows its user no reason, so that the operator would look for it in vain. A proxy that
// rewrites Host, or leaves its port out, makes the server's own page look like another's.
static void log_refusal(struct lq_access *access, const struct lq_access_request *request,
                         const struct lq_origin *origin)
{
    struct lq_origin host;
    if (!origin || !lq_origin_parse_host(&host, request->host) ||
        !is_news(&access->logged, request))
        return;
    lq_log_warn("refused a page of %.200s, since the request's Host is %.200s: if it is this "
                "server's own page, make the proxy pass Host unchanged (nginx: "
                "proxy_set_header Host $http_host); otherwise allow it with --allow-origin %.200s",
                request->origin, request->host, request->origin);
}

enum lq_access_page lq_access_page(struct lq_access *access,
                                   const struct lq_access_request *request)
{
    struct lq_origin read, *origin = lq_origin_parse(&read, request->origin) ? &read : NULL;
    if (is_same_origin(request->site) && (!origin || may_be_own(request, origin)))
        return LQ_ACCESS_OWN;
    if (!*request->origin && !is_elsewhere(request->site))
        return LQ_ACCESS_OWN; // no browser, or what its user typed
    if (origin && !is_elsewhere(request->site) && is_own(request, origin))
        return LQ_ACCESS_OWN;
    if (allows_all(access) || (origin && allows(access, origin)))
        return LQ_ACCESS_CROSS;
    log_refusal(access, request, origin);
    return LQ_ACCESS_REFUSED;
}

// A header's text, all of it, "" when there is none; false when it is too long.
static bool copy_header(const struct lq_http_request *http, const char *name, char *text,
                        size_t size)
{
    int len = lq_http_header_all(http, name, text, size);
    if (len < 0)
        *text = 0;
    return len < (int)size;
}

bool lq_access_origin(struct lq_access *access, const struct lq_http_request *http, char *origin,
                      size_t size, bool *cross)
{
    struct lq_client_info client;
    char site[16];
    *cross = false;
    if (!copy_header(http, "origin", origin, size))
        return false;
    // One that is too long is none that a browser sends of its own page.
    if (!copy_header(http, "sec-fetch-site", site, sizeof site))
        snprintf(site, sizeof site, "cross-site");
    lq_client_of(&client, access->options, http);
    const struct lq_access_request request = {.origin = origin, .host = client.host, .site = site,
                                      .secure = client.secure};
    enum lq_access_page page = lq_access_page(access, &request);
    *cross = page == LQ_ACCESS_CROSS;
    return page != LQ_ACCESS_REFUSED;
}

static bool bearer_allows(const struct lq_access *access, const struct lq_http_request *http,
                          uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    const char *text = lq_http_header(http, "authorization");
    return text && strncasecmp(text, "Bearer ", 7) == 0 &&
           lq_tokens_allow(&access->tokens, text + 7, strlen(text + 7), digest);
}

static bool cookie_allows(const struct lq_access *access, const struct lq_http_request *http,
                          uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    char text[LQ_HEADER_BYTES_MAX];
    int len = lq_http_header_all(http, "cookie", text, sizeof text);
    bool good = false;
    for (const char *at = len > 0 ? text : ""; *at && !good;) {
        size_t size = strcspn(at, ";");
        if (strncmp(at, cookie_name, sizeof cookie_name - 1) == 0)
            good = lq_tokens_allow(&access->tokens, at + sizeof cookie_name - 1,
                                   size - (sizeof cookie_name - 1), digest);
        at += size;
        at += strspn(at, "; ");
    }
    OPENSSL_cleanse(text, sizeof text);
    return good;
}

bool lq_access_token(const struct lq_access *access, const struct lq_http_request *http)
{
    uint8_t digest[LQ_TOKEN_DIGEST_BYTES];
    return !access->options->token_file || lq_access_whose(access, http, digest);
}

bool lq_access_whose(const struct lq_access *access, const struct lq_http_request *http,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES])
{
    return access->options->token_file &&
           (bearer_allows(access, http, digest) || cookie_allows(access, http, digest));
}

static bool begins(const char *text, const char *with)
{
    return text && strncasecmp(text, with, strlen(with)) == 0;
}

// Whether the browser speaks HTTPS with whatever stands in between. A client that lies about it
// gets a cookie that it will not send, no more; hence nobody need be trusted for this.
static bool is_https(const struct lq_access *access, const struct lq_http_request *http)
{
    static const char secure[] = "https://";
    struct lq_client_info client;
    char text[512];
    lq_client_of(&client, access->options, http);
    if (client.secure || begins(lq_http_header(http, "x-forwarded-proto"), "https"))
        return true;
    if (lq_http_header_all(http, "forwarded", text, sizeof text) > 0 &&
        (strcasestr(text, "proto=https") || strcasestr(text, "proto=\"https")))
        return true;
    // Where the page was asked for from a page of its own.
    const char *host = lq_http_host(http), *from = lq_http_header(http, "origin");
    size_t len = host ? strlen(host) : 0, head = sizeof secure - 1;
    if (len > 0 && begins(from, secure) && strcasecmp(from + head, host) == 0)
        return true;
    from = lq_http_header(http, "referer");
    return len > 0 && begins(from, secure) && begins(from + head, host) &&
           (from[head + len] == '/' || from[head + len] == 0);
}

static bool is_loopback(const struct lq_net_address *address)
{
    static const uint8_t six[16] = {[15] = 1};
    return address->family == 4 ? address->bytes[0] == 127
                                : address->family == 6 && memcmp(address->bytes, six, 16) == 0;
}

bool lq_access_metrics(const struct lq_access *access, const struct lq_http_request *http)
{
    // A proxy on this machine comes from loopback too, and names whom it stands for.
    static const char *const signs[] = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
                                        "x-forwarded", "x-real-ip", "forwarded", "via"};
    const struct lq_serve_options *options = access->options;
    const struct lq_net_address *peer = lq_http_peer(http), *client = lq_http_client(http);
    if (options->admin_port >= 0 || !is_loopback(peer) || !is_loopback(client) ||
        lq_client_is_trusted(options->trusted_proxies, options->trusted_proxy_count, peer))
        return false;
    for (size_t i = 0; i < LQ_COUNT(signs); i++)
        if (lq_http_header(http, signs[i]))
            return false;
    return true;
}

bool lq_access_cookie(const struct lq_access *access, const struct lq_http_request *http,
                      char *cookie, size_t size)
{
    char token[LQ_TOKEN_CHARS_MAX + 1];
    uint8_t digest[LQ_TOKEN_DIGEST_BYTES];
    bool good = lq_http_query(http, "token", token, sizeof token) &&
                lq_tokens_allow(&access->tokens, token, strlen(token), digest);
    // Strict: a page from elsewhere cannot make a browser send it along.
    if (good)
        snprintf(cookie, size, "%s%s; HttpOnly; SameSite=Strict%s", cookie_name, token,
                 is_https(access, http) ? "; Secure" : "");
    OPENSSL_cleanse(token, sizeof token);
    return good;
}
