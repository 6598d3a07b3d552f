#include "engine/triton_url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PORT_DIGITS_MAX = 5, PORT_MAX = 65535, HOST_MAX = 256 };

static const char letters_and_digits[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static int refuse(struct lq_error *err, const char *text, const char *wanted)
{
    return lq_fail(err, LQ_ERR_ARGUMENT, "'%.100s' is no Triton address: %s", text, wanted);
}

// The scheme of the URL (http by default); NULL if it is neither http nor https.
static const char *scheme_of(const char *text, size_t *len)
{
    const char *end = strstr(text, "://");
    *len = end ? (size_t)(end - text) + 3 : 0;
    if (!end || (*len == 7 && strncasecmp(text, "http", 4) == 0))
        return "http://";
    return *len == 8 && strncasecmp(text, "https", 5) == 0 ? "https://" : NULL;
}

// Length of the host name, including the brackets of an IPv6 address; 0 if it is invalid.
static size_t host_length(const char *text)
{
    char host[HOST_MAX];
    if (*text != '[') {
        size_t len = strspn(text, letters_and_digits);
        while (len > 0 && text[len] && strchr("-._", text[len]))
            len += 1 + strspn(text + len + 1, letters_and_digits);
        return len;
    }
    size_t len = strcspn(text, "]");
    struct in6_addr address;
    if (text[len] != ']' || len >= sizeof host)
        return 0;
    snprintf(host, sizeof host, "%.*s", (int)len - 1, text + 1);
    return inet_pton(AF_INET6, host, &address) == 1 ? len + 1 : 0;
}

// Length of ":PORT", 0 without a colon, SIZE_MAX if the port is invalid.
static size_t port_length(const char *text)
{
    if (*text != ':')
        return 0;
    size_t digits = strspn(text + 1, "0123456789");
    long port = digits > 0 && digits <= PORT_DIGITS_MAX ? strtol(text + 1, NULL, 10) : 0;
    return port >= 1 && port <= PORT_MAX ? digits + 1 : SIZE_MAX;
}

// Accepts a path that needs no escaping in a request or a label. Its length excludes trailing
// slashes and "/v2", which requests add.
static bool read_path(const char *path, size_t *len)
{
    static const char signs[] = "/-._~%!$&'()*+,;=:";
    for (*len = 0; path[*len]; ++*len)
        if (!strchr(letters_and_digits, path[*len]) && !strchr(signs, path[*len]))
            return false;
    for (int pass = 0; pass < 2; pass++) {
        while (*len > 0 && path[*len - 1] == '/')
            --*len;
        if (*len >= 3 && strncmp(path + *len - 3, "/v2", 3) == 0)
            *len -= 3;
    }
    return *path == '\0' || *path == '/';
}

// At least two colons before the path, and only characters of an IPv6 address.
static bool has_bare_ipv6(const char *text)
{
    size_t len = strcspn(text, "/");
    const char *colon = memchr(text, ':', len);
    return colon && memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)) &&
           strspn(text, "0123456789abcdefABCDEF:.") >= len;
}

int lq_triton_url_read(char *out, size_t size, const char *text, struct lq_error *err)
{
    size_t scheme_len, path_len;
    const char *scheme = scheme_of(text, &scheme_len);
    if (!scheme)
        return refuse(err, text,
                      "use http:// or https:// and Triton's HTTP port (8000)");
    const char *host = text + scheme_len;
    size_t host_len = host_length(host), port_len = port_length(host + host_len);
    if (has_bare_ipv6(host))
        return refuse(err, text, "write an IPv6 address in brackets, as in [::1]:8000");
    if (strchr(host, '@'))
        return refuse(err, text, "use http://HOST:PORT, without a name and password");
    if (host_len == 0 || port_len == SIZE_MAX || !read_path(host + host_len + port_len, &path_len))
        return refuse(err, text, "use http://HOST:PORT");
    char usual[8] = "";
    if (scheme_len == 0 && port_len == 0)
        snprintf(usual, sizeof usual, ":%d", LQ_TRITON_PORT);
    int len = snprintf(out, size, "%s%.*s%s%.*s", scheme, (int)(host_len + port_len), host, usual,
                       (int)path_len, host + host_len + port_len);
    return len > 0 && (size_t)len < size ? LQ_OK : refuse(err, text, "it is too long");
}

bool lq_triton_url_is_local(const char *url)
{
    char host[HOST_MAX];
    struct in_addr address;
    url = strstr(url, "://") + 3;
    snprintf(host, sizeof host, "%.*s", (int)host_length(url), url);
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}
