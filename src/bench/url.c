#include "bench/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PORT_HTTP = 80 };

// Copies a part of an address, at most size - 1 bytes; false if it is missing or longer.
static bool copy_part(CURLU *parts, CURLUPart which, char *to, size_t size)
{
    char *part = NULL;
    bool good = curl_url_get(parts, which, &part, 0) == CURLUE_OK && strlen(part) < size;
    if (good)
        memcpy(to, part, strlen(part) + 1);
    curl_free(part);
    return good;
}

static int read_parts(struct lq_url *url, CURLU *parts, const char *text, struct lq_error *err)
{
    char host[sizeof url->host + 2], port[8] = "", path[2] = "";
    if (curl_url_set(parts, CURLUPART_URL, text, 0) != CURLUE_OK ||
        !copy_part(parts, CURLUPART_HOST, host, sizeof host))
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' names no host or no valid port", text);
    // libcurl 8 reports no query if nothing follows the question mark.
    if (!copy_part(parts, CURLUPART_PATH, path, sizeof path) || strpbrk(text, "?#@"))
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' has more than a host and a port; give "
                       "http://host:port", text);
    bool v6 = *host == '[';
    size_t len = strlen(host) - (v6 ? 2 : 0);
    if (len == 0 || len >= sizeof url->host)
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' names no host", text);
    memcpy(url->host, host + v6, len);
    url->host[len] = 0;
    bool named = copy_part(parts, CURLUPART_PORT, port, sizeof port);
    url->port = named ? (int)strtol(port, NULL, 10) : PORT_HTTP;
    return url->port > 0 ? LQ_OK
                         : lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' has no valid port", text);
}

int lq_url_parse(struct lq_url *url, const char *text, struct lq_error *err)
{
    if (strncasecmp(text, "http://", 7) != 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' does not begin with http://", text);
    // libcurl reads "http:///x" as "http://x", and a colon without a number as the default port.
    if (text[7] == '/' || text[strlen(text) - 1] == ':')
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' names no host or no valid port", text);
    CURLU *parts = curl_url();
    if (!parts)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = read_parts(url, parts, text, err);
    curl_url_cleanup(parts);
    return status;
}

bool lq_url_write(const struct lq_url *url, const char *path, char *text, size_t size)
{
    const char *form = strchr(url->host, ':') ? "http://[%s]:%d%s" : "http://%s:%d%s";
    int len = snprintf(text, size, form, url->host, url->port, path);
    return len > 0 && (size_t)len < size;
}
