#include "serve/guard/origin.h"

#include <string.h>
#include <strings.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int default_port(const struct lq_origin *origin)
{
    if (origin->scheme_len == 4 && strncasecmp(origin->scheme, "http", 4) == 0)
        return 80;
    return origin->scheme_len == 5 && strncasecmp(origin->scheme, "https", 5) == 0 ? 443 : 0;
}

// Parses a port: digits up to the text's end, without a leading zero; 0 if it is not one.
static int parse_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    int port = 0;
    if (len == 0 || len > 5 || text[len] || text[0] == '0')
        return 0;
    for (size_t i = 0; i < len; i++)
        port = port * 10 + (text[i] - '0');
    return port <= 65535 ? port : 0;
}

// The length of a host name or a bracketed IPv6 address; 0 if there is none.
static size_t host_length(const char *text)
{
    if (*text != '[') {
        size_t len = 0;
        while (text[len] && (strchr(letters, text[len]) || strchr("0123456789.-_", text[len])))
            len++;
        return len;
    }
    size_t len = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
    return len > 1 && text[len] == ']' ? len + 1 : 0;
}

bool lq_origin_parse_host(struct lq_origin *host, const char *text)
{
    size_t len = host_length(text);
    *host = (struct lq_origin){.scheme = "", .host = text, .host_len = len};
    if (text[len] == ':')
        host->port = parse_port(text + len + 1);
    return len > 0 && (!text[len] || host->port);
}

bool lq_origin_parse(struct lq_origin *origin, const char *text)
{
    const char *colon = strstr(text, "://");
    size_t len = colon ? (size_t)(colon - text) : 0;
    for (size_t i = 0; i < len; i++)
        if (!strchr(letters, text[i]) && (i == 0 || !strchr("0123456789+.-", text[i])))
            return false;
    if (len == 0 || !lq_origin_parse_host(origin, colon + 3))
        return false;
    origin->scheme = text;
    origin->scheme_len = len;
    if (!origin->port)
        origin->port = default_port(origin);
    return true;
}

static bool same_host(const struct lq_origin *a, const struct lq_origin *b)
{
    return a->host_len == b->host_len && strncasecmp(a->host, b->host, a->host_len) == 0;
}

bool lq_origin_equal(const struct lq_origin *a, const struct lq_origin *b)
{
    return same_host(a, b) && a->port == b->port && a->scheme_len == b->scheme_len &&
           strncasecmp(a->scheme, b->scheme, a->scheme_len) == 0;
}

bool lq_origin_is_at(const struct lq_origin *origin, const struct lq_origin *host)
{
    int usual = default_port(origin);
    return usual && same_host(origin, host) && origin->port == (host->port ? host->port : usual);
}

// ---- what a person wrote -----------------------------------------------------------------------

// Explains why the text is not an origin, and what to write instead.
static int explain(const char *text, struct lq_error *err)
{
    const char *after = strstr(text, "://");
    const char *host = after ? after + 3 : text;
    int head = (int)(host - text + (ptrdiff_t)strcspn(host, "/?#"));
    if (strchr(text, ',') || strchr(text, ' '))
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' is a list: name one origin each time", text);
    if (strchr(text, '*'))
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "'%.120s' is a pattern, which no browser sends: name each origin, or *",
                       text);
    if (!after)
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "'%.120s' has no scheme: give https://host[:port] or *", text);
    if (text[head])
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' has a path, an origin has none: give %.*s",
                       text, head < 120 ? head : 120, text);
    if (strchr(host, '@'))
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' names a user, an origin has none", text);
    for (const char *c = host; *c; c++)
        if ((unsigned char)*c >= 0x80)
            return lq_fail(err, LQ_ERR_ARGUMENT,
                           "'%.120s': write the host as browsers do, in ASCII (xn--…)", text);
    return lq_fail(err, LQ_ERR_ARGUMENT, "'%.120s' is no origin: give https://host[:port] or *",
                   text);
}

int lq_origin_clean(char *text, struct lq_error *err)
{
    struct lq_origin origin;
    const char *after = strstr(text, "://");
    size_t len = strlen(text);
    if (strcmp(text, "*") == 0)
        return LQ_OK;
    if (after && after[3] && text[len - 1] == '/')
        text[--len] = 0;
    if (!lq_origin_parse(&origin, text))
        return explain(text, err);
    for (size_t i = 0; i < len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] | 0x20);
    if (origin.port == default_port(&origin))
        text[origin.host + origin.host_len - text] = 0;
    return LQ_OK;
}
