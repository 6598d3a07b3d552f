// Responses: their heads, and the library's own error responses.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/http_request.h"

enum { HEAD_BYTES_MAX = 8 * 1024 };

static const char *reason_of(int code)
{
    static const struct { int code; const char *reason; } reasons[] = {
        {101, "Switching Protocols"}, {200, "OK"}, {201, "Created"}, {202, "Accepted"},
        {204, "No Content"}, {206, "Partial Content"}, {301, "Moved Permanently"}, {302, "Found"},
        {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
        {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"},
        {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
        {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
        {411, "Length Required"}, {412, "Precondition Failed"}, {413, "Content Too Large"},
        {414, "URI Too Long"}, {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"}, {421, "Misdirected Request"}, {422, "Unprocessable Content"},
        {426, "Upgrade Required"}, {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
        {501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
        {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < LQ_COUNT(reasons); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    return "";
}

// Formatted at most once a second.
static const char *date_of(struct lq_net *net)
{
    uint64_t now_us = lq_loop_now_us(net->loop);
    if (net->date[0] && now_us < net->date_us + 1000000)
        return net->date;
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(net->date, sizeof net->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    net->date_us = now_us;
    return net->date;
}

size_t lq_http_compose(struct lq_net *net, char *out, size_t size, int code, const char *connection,
                       const char *headers)
{
    int len = snprintf(out, size, "HTTP/1.1 %d %s\r\ndate: %s\r\n%s%s%s%s", code, reason_of(code),
                       date_of(net), connection ? "connection: " : "",
                       connection ? connection : "", connection ? "\r\n" : "",
                       headers ? headers : "");
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

// Writes the head of a response with a length; none with 204 and 304 (RFC 9110 section 8.6).
static size_t compose(struct lq_net *net, char *out, size_t size,
                      const struct lq_http_response *response, const char *connection)
{
    size_t len = lq_http_compose(net, out, size, response->code, connection, response->headers);
    bool lengthless = response->code == 204 || response->code == 304;
    int more = lengthless ? snprintf(out + len, size - len, "\r\n")
                          : snprintf(out + len, size - len, "content-length: %zu\r\n\r\n",
                                     response->len);
    return len > 0 && more > 0 && (size_t)more < size - len ? len + (size_t)more : 0;
}

static void write_response(struct lq_conn *conn, const struct lq_http_response *response,
                           const char *connection, bool bodyless)
{
    char head[HEAD_BYTES_MAX];
    size_t len = compose(conn->net, head, sizeof head, response, connection);
    if (len == 0)
        lq_conn_end(conn, LQ_END_MEMORY);
    else
        lq_conn_write(conn, head, len, bodyless ? NULL : response->body,
                      bodyless ? 0 : response->len);
}

// Whether the connection must close after the response, because an unread body may follow that
// nobody wants or that is too large to discard (RFC 9112 section 9.3, RFC 9110 section 10.1.1).
static bool must_hang_up(const struct lq_http_request *http)
{
    const struct lq_http_body *body = &http->body;
    if (!http->keeps_alive || http->conn->net->draining)
        return true;
    if (body->whole)
        return false;
    return http->expects_continue || body->left > lq_conn_limits(http->conn)->discard_bytes;
}

void lq_http_respond(struct lq_http_request *http, const struct lq_http_response *response)
{
    if (http->answered || http->conn->ending)
        return;
    bool bodyless = http->method == LQ_HTTP_HEAD || response->code == 204 || response->code == 304;
    http->answered = true;
    http->hang_up = response->hang_up || must_hang_up(http);
    if (http->body.whole)
        lq_conn_set_deadline(http->conn, 0);
    write_response(http->conn, response,
                   http->hang_up ? "close" : http->minor == 0 ? "keep-alive" : NULL, bodyless);
    lq_conn_work(http->conn);
}

void lq_http_kill(struct lq_http_request *http)
{
    lq_conn_end(http->conn, LQ_END_STOPPED);
}

void lq_http_set_deadline(struct lq_http_request *http, uint32_t ms)
{
    lq_conn_set_deadline(http->conn, ms);
}

void lq_http_refuse(struct lq_conn *conn, struct lq_http_request *http, int code, const char *why)
{
    const struct lq_http_handler *handler = lq_http_handler_of(conn);
    struct lq_http_response response = {.code = code, .hang_up = true, .body = why,
                                        .len = strlen(why)};
    response.headers = code == 405 ? "content-type: text/plain\r\nallow: GET, HEAD, POST\r\n"
                                 : "content-type: text/plain\r\n";
    if (http && http->answered) { // responded already; its body broke afterwards
        http->hang_up = true;
        lq_conn_close(conn);
        return;
    }
    if (handler->refuse)
        handler->refuse(conn->listener->options.context, http, why, &response);
    response.code = code;
    response.hang_up = true;
    if (http) {
        lq_http_respond(http, &response);
        return;
    }
    write_response(conn, &response, "close", false);
    lq_conn_close(conn);
}
