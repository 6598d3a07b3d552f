// A request built from its head, and the handler's access to it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http_request.h"

static enum lq_http_method method_of(const char *name)
{
    static const char *const names[] = {
        [LQ_HTTP_GET] = "GET",       [LQ_HTTP_HEAD] = "HEAD",     [LQ_HTTP_POST] = "POST",
        [LQ_HTTP_PUT] = "PUT",       [LQ_HTTP_PATCH] = "PATCH",   [LQ_HTTP_DELETE] = "DELETE",
        [LQ_HTTP_OPTIONS] = "OPTIONS", [LQ_HTTP_TRACE] = "TRACE",
    };
    for (size_t i = 0; i < LQ_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum lq_http_method)i;
    return LQ_HTTP_OTHER;
}

static void release(struct lq_garbage *garbage)
{
    free(garbage);
}

// Copies a span to `*at` with a NUL after it, and moves `*at` behind it.
static const char *keep(char **at, const uint8_t *bytes, struct lq_http_part span)
{
    char *text = *at;
    memcpy(text, bytes + span.at, span.len);
    text[span.len] = 0;
    *at += span.len + 1;
    return text;
}

// Bytes needed for all its strings.
static size_t text_size(const struct lq_http_request_head *head)
{
    size_t size = head->method.len + 2u * (head->target.len + 2u) + head->host.len + 2u;
    for (int i = 0; i < head->field_count; i++)
        size += head->fields[i].name.len + head->fields[i].value.len + 2u;
    return size;
}

static bool keep_target(struct lq_http_request *http, char **at, const uint8_t *bytes,
                        const struct lq_http_request_head *head)
{
    size_t path_len;
    http->target = head->target.len ? keep(at, bytes, head->target) : "/";
    http->path = *at;
    if (!lq_http_decode(http->target, strcspn(http->target, "?"), false, *at, &path_len))
        return false;
    *at += path_len + 1;
    return true;
}

struct lq_http_request *lq_http_request_new(struct lq_conn *conn,
                                            const struct lq_http_request_head *head,
                                            const uint8_t *bytes, int *code)
{
    size_t fields = sizeof(struct lq_http_pair) * (size_t)head->field_count;
    struct lq_http_request *http = calloc(1, sizeof *http + fields + text_size(head));
    *code = 503;
    if (!http)
        return NULL;
    char *at = (char *)http + sizeof *http + fields;
    http->garbage.release = release;
    http->conn = conn;
    http->text = at;
    http->method_name = keep(&at, bytes, head->method);
    http->method = method_of(http->method_name);
    http->minor = head->minor;
    http->content_length = head->content_length;
    http->has_body = head->chunked || head->content_length >= 0;
    http->keeps_alive = head->keeps_alive;
    http->expects_continue = head->expects_continue;
    http->upgrades_ws = head->upgrades_ws && http->method == LQ_HTTP_GET;
    http->host = keep(&at, bytes, head->host);
    lq_http_body_start(&http->body, head->chunked ? -1 : http->has_body ? head->content_length : 0);
    for (int i = 0; i < head->field_count; i++) {
        http->fields[i].name = keep(&at, bytes, head->fields[i].name);
        http->fields[i].value = keep(&at, bytes, head->fields[i].value);
    }
    http->field_count = head->field_count;
    if (keep_target(http, &at, bytes, head))
        return http;
    *code = 400;
    free(http);
    return NULL;
}

// ---- accessors ---------------------------------------------------------------------------------

void *lq_http_context(const struct lq_http_request *http)
{
    return http->conn->listener->options.context;
}

void lq_http_set_state(struct lq_http_request *http, void *state)
{
    http->state = state;
}

void *lq_http_state(const struct lq_http_request *http)
{
    return http->state;
}

enum lq_http_method lq_http_method(const struct lq_http_request *http)
{
    return http->method;
}

const char *lq_http_method_name(const struct lq_http_request *http)
{
    return http->method_name;
}

const char *lq_http_path(const struct lq_http_request *http)
{
    return http->path;
}

const char *lq_http_host(const struct lq_http_request *http)
{
    return http->host;
}

// Reads one "name=value" of a query, up to `end`. True if it has this name and its value fits.
static bool read_argument(const char *at, const char *end, const char *name, char *value,
                          size_t size)
{
    char text[256];
    size_t len = strlen(name), decoded, rest = (size_t)(end - at);
    if (rest <= len || memcmp(at, name, len) != 0 || at[len] != '=')
        return false;
    rest -= len + 1;
    if (rest >= sizeof text || !lq_http_decode(at + len + 1, rest, true, text, &decoded) ||
        decoded >= size)
        return false;
    memcpy(value, text, decoded + 1);
    return true;
}

bool lq_http_query(const struct lq_http_request *http, const char *name, char *value, size_t size)
{
    const char *at = strchr(http->target, '?');
    while (at && *at) {
        at++;
        const char *end = at + strcspn(at, "&");
        if (read_argument(at, end, name, value, size))
            return true;
        at = end;
    }
    return false;
}

const char *lq_http_header(const struct lq_http_request *http, const char *name)
{
    for (int i = 0; i < http->field_count; i++)
        if (strcasecmp(http->fields[i].name, name) == 0)
            return http->fields[i].value;
    return NULL;
}

int lq_http_header_all(const struct lq_http_request *http, const char *name, char *value,
                       size_t size)
{
    const char *between = strcasecmp(name, "cookie") == 0 ? "; " : ", "; // RFC 6265 section 5.4
    int len = -1;
    for (int i = 0; i < http->field_count; i++) {
        if (strcasecmp(http->fields[i].name, name) != 0)
            continue;
        size_t at = len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
        int added = snprintf(value + at, size - at, "%s%s", len < 0 ? "" : between,
                             http->fields[i].value);
        len = (len < 0 ? 0 : len) + added;
    }
    return len;
}

int64_t lq_http_body_length(const struct lq_http_request *http)
{
    return http->body.chunked ? -1 : http->has_body ? http->content_length : 0;
}

bool lq_http_has_body(const struct lq_http_request *http)
{
    return http->has_body;
}

uint64_t lq_http_body_received(const struct lq_http_request *http)
{
    return http->body.received;
}

bool lq_http_body_is_whole(const struct lq_http_request *http)
{
    return http->body.whole;
}

bool lq_http_is_tls(const struct lq_http_request *http)
{
    return http->conn->tls != NULL;
}

const struct lq_net_address *lq_http_client(const struct lq_http_request *http)
{
    return &http->conn->client;
}

const struct lq_net_address *lq_http_peer(const struct lq_http_request *http)
{
    return &http->conn->peer;
}
