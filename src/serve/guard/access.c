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

// Browsers report how the requesting page's site relates to ours (Sec-Fetch-Site), and no page can
// change it (https://www.w3.org/TR/fetch-metadata/, section 2.4). They also do so in requests
// without an Origin: for pictures, scripts and frames. "none" means that the user typed the
// address.
static bool is_same_origin(const char *site)
{
    return strcmp(site, "same-origin") == 0;
}

static bool is_elsewhere(const char *site)
{
    return *site && !is_same_origin(site) && strcmp(site, "none") != 0;
}

// Behind a proxy TLS may end before the server, so the server's own page may have either scheme. If
// the connection is known to use TLS, a page loaded without TLS may come from an attacker on the
// network.
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

// Whether this pair of Origin and Host has not been logged yet. Requests from anyone must not be
// able to fill the log.
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

// Logs the reason for the operator, because browsers do not show it. If a proxy rewrites Host, or
// omits its port, the server's own page looks like one of another site.
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
        return LQ_ACCESS_OWN; // not a browser, or an address typed by its user
    if (origin && !is_elsewhere(request->site) && is_own(request, origin))
        return LQ_ACCESS_OWN;
    if (allows_all(access) || (origin && allows(access, origin)))
        return LQ_ACCESS_CROSS;
    log_refusal(access, request, origin);
    return LQ_ACCESS_REFUSED;
}

// Copies a header's complete value, "" if it is missing; false if it is too long.
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
    // No browser sends such a long value for the server's own page.
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

// Whether the browser uses HTTPS to the server or to the proxy in front of it. A client that lies
// about this only gets a cookie that it will not send, so no proxy needs to be trusted here.
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
    // The request came from an HTTPS page of the same server.
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
    // A proxy on this machine also connects from loopback, but names its client.
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
    // SameSite=Strict: pages of other sites cannot make a browser send the cookie.
    if (good)
        snprintf(cookie, size, "%s%s; HttpOnly; SameSite=Strict%s", cookie_name, token,
                 is_https(access, http) ? "; Secure" : "");
    OPENSSL_cleanse(token, sizeof token);
    return good;
}
