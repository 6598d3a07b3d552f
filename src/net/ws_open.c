// Upgrades a request to a WebSocket (RFC 6455 section 4.2).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/http_request.h"
#include "net/ws_conn.h"

enum { HEAD_BYTES_MAX = 4096 };

bool lq_http_wants_ws(const struct lq_http_request *http)
{
    return http->upgrades_ws;
}

static int count_of(const struct lq_http_request *http, const char *name)
{
    int count = 0;
    for (int i = 0; i < http->field_count; i++)
        count += strcasecmp(http->fields[i].name, name) == 0;
    return count;
}

const char *lq_http_ws_fault(const struct lq_http_request *http, int *code, const char **headers)
{
    char accept[LQ_WS_ACCEPT_SIZE];
    const char *version = lq_http_header(http, "sec-websocket-version");
    const char *key = lq_http_header(http, "sec-websocket-key");
    *code = 400;
    *headers = "";
    if (!version || strcmp(version, "13") != 0 || count_of(http, "sec-websocket-version") != 1) {
        *code = 426; // section 4.2.2 point 4, RFC 9110 section 15.5.22
        *headers = "sec-websocket-version: 13\r\nupgrade: websocket\r\nconnection: upgrade\r\n";
        return "only WebSocket version 13 is supported";
    }
    if (!key || !lq_ws_accept(key, accept) || count_of(http, "sec-websocket-key") != 1)
        return "Sec-WebSocket-Key is not one key of 16 bytes in base64";
    return http->body.whole ? NULL : "a WebSocket's request has no body";
}

bool lq_http_ws_offers(const struct lq_http_request *http, const char *protocol)
{
    for (int i = 0; i < http->field_count; i++) {
        const char *value = http->fields[i].value;
        if (strcasecmp(http->fields[i].name, "sec-websocket-protocol") == 0 &&
            lq_http_list_has(value, strlen(value), protocol, false)) // section 4.2.2
            return true;
    }
    return false;
}

static void release(struct lq_garbage *garbage)
{
    free(garbage);
}

static struct lq_ws *ws_new(struct lq_conn *conn, const struct lq_ws_handler *handler, void *state)
{
    struct lq_ws *ws = calloc(1, sizeof *ws);
    if (!ws)
        return NULL;
    ws->garbage.release = release;
    ws->conn = conn;
    ws->handler = handler;
    ws->state = state;
    ws->code = 1006; // section 7.1.5
    ws->end = LQ_END_DONE;
    ws->received_us = ws->pinged_us = lq_loop_now_us(conn->net->loop);
    return ws;
}

// Returns 0 if it does not fit, or there is no key.
static size_t compose(struct lq_http_request *http, char *head, size_t size, const char *protocol,
                      const char *headers)
{
    char accept[LQ_WS_ACCEPT_SIZE];
    const char *key = lq_http_header(http, "sec-websocket-key");
    size_t len = lq_http_compose(http->conn->net, head, size, 101, "upgrade", headers);
    if (len == 0 || !key || !lq_ws_accept(key, accept))
        return 0;
    int more = snprintf(head + len, size - len,
                        "upgrade: websocket\r\nsec-websocket-accept: %s\r\n%s%s%s\r\n", accept,
                        protocol ? "sec-websocket-protocol: " : "", protocol ? protocol : "",
                        protocol ? "\r\n" : "");
    return more > 0 && (size_t)more < size - len ? len + (size_t)more : 0;
}

struct lq_ws *lq_http_upgrade(struct lq_http_request *http, const char *protocol,
                              const char *headers, const struct lq_ws_handler *handler, void *state)
{
    char head[HEAD_BYTES_MAX];
    struct lq_conn *conn = http->conn;
    size_t len = compose(http, head, sizeof head, protocol, headers);
    struct lq_ws *ws = len > 0 && !http->answered ? ws_new(conn, handler, state) : NULL;
    if (!ws)
        return NULL;
    conn->protocol = &lq_ws_protocol;
    conn->state = ws;
    lq_loop_free_later(conn->net->loop, &http->garbage);
    lq_conn_write(conn, head, len, NULL, 0);
    lq_ws_deadline(conn); // sets the first deadline
    return ws;
}
