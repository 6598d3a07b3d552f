#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "bench/client_ways.h"
#include "net/ws_frame.h"

enum { READ_SIZE = 64 * 1024, FRAME_HEADER = 16, HEAD_MAX = 16 * 1024 };

// A fixed nonce, the example of RFC 6455 section 1.3. A random one would only matter with a cache
// between the bench and the server.
static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";

// Writes as much of the queue as the socket accepts.
static int flush(struct lq_client *client, struct lq_error *err)
{
    struct lq_buf *out = &client->out;
    while (client->out_done < out->len) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(client->curl, out->data + client->out_done,
                                       out->len - client->out_done, &sent);
        client->out_done += sent;
        client->bytes += sent;
        if (code == CURLE_AGAIN)
            return LQ_OK;
        if (code != CURLE_OK)
            return lq_fail(err, LQ_ERR_IO, "cannot send to the server: %s",
                           curl_easy_strerror(code));
    }
    lq_buf_clear(out);
    client->out_done = 0;
    return LQ_OK;
}

static void drop_read(struct lq_client *client)
{
    struct lq_buf *in = &client->in;
    memmove(in->data, in->data + client->in_done, in->len - client->in_done);
    in->len -= client->in_done;
    client->in_done = 0;
}

// Reads what has arrived. Sets *ended if the server has closed the connection.
static int receive(struct lq_client *client, bool *ended, struct lq_error *err)
{
    struct lq_buf *in = &client->in;
    if (client->in_done > 0)
        drop_read(client);
    for (size_t got = READ_SIZE; got == READ_SIZE;) {
        if (lq_buf_reserve(in, in->len + READ_SIZE) != LQ_OK)
            return lq_fail(err, LQ_ERR_TOO_LARGE, "reply over %zu bytes", in->max);
        CURLcode code = curl_easy_recv(client->curl, in->data + in->len, READ_SIZE, &got);
        if (code == CURLE_AGAIN)
            return LQ_OK;
        if (code != CURLE_OK)
            return lq_fail(err, LQ_ERR_IO, "cannot read from the server: %s",
                           curl_easy_strerror(code));
        *ended = got == 0;
        in->len += got;
        client->bytes += got;
    }
    return LQ_OK;
}

// Whether a head, which ends in an empty line, has a header of this name (and value, if one is
// given).
static bool has_header(const char *head, size_t len, const char *name, const char *value)
{
    size_t name_len = strlen(name);
    for (const char *line = head, *end;
         (end = memmem(line, len - (size_t)(line - head), "\r\n", 2));
         line = end + 2) {
        size_t line_len = (size_t)(end - line);
        if (line_len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
            continue;
        const char *from = line + name_len + 1;
        while (from < end && (*from == ' ' || *from == '\t'))
            from++;
        return !value || ((size_t)(end - from) == strlen(value) &&
                          memcmp(from, value, strlen(value)) == 0);
    }
    return false;
}

// Reads the server's response to the upgrade request, once it has arrived completely.
static int read_upgrade(struct lq_client *client, struct lq_error *err)
{
    const char *head = (const char *)client->in.data;
    const char *blank = client->in.len ? memmem(head, client->in.len, "\r\n\r\n", 4) : NULL;
    bool own = client->target->way == LQ_CLIENT_WS;
    char accept[LQ_WS_ACCEPT_SIZE];
    int http_status = 0;
    if (!blank && client->in.len <= HEAD_MAX)
        return LQ_OK;
    size_t len = blank ? (size_t)(blank - head) + 4 : 0;
    if (len > 12 && memcmp(head, "HTTP/1.1 ", 9) == 0)
        http_status = (int)strtol(head + 9, NULL, 10);
    if (http_status != 101 || !lq_ws_accept(KEY, accept) ||
        !has_header(head, len, "sec-websocket-accept", accept) ||
        (own && !has_header(head, len, "sec-websocket-protocol", NULL)))
        return lq_fail(err, LQ_ERR_SYNTAX, "no WebSocket at '%s' (HTTP %d)", client->target->path,
                       http_status);
    client->in_done = len;
    client->upgraded = true;
    client->ready = own; // Socket.IO continues with its own handshake
    static const char text[] = "{\"type\":\"rate\"}";
    return own && client->target->rate_control
               ? lq_client_ws_queue(client, LQ_WS_OP_TEXT, text, sizeof text - 1, NULL, 0)
               : LQ_OK;
}

int lq_client_ws_pump(struct lq_client *client, struct lq_error *err)
{
    bool ended = false;
    int status = receive(client, &ended, err);
    if (status == LQ_OK && !client->upgraded)
        status = read_upgrade(client, err);
    if (status == LQ_OK && client->upgraded)
        status = lq_client_read_ws(client, err);
    if (status == LQ_OK && ended)
        return lq_fail(err, LQ_ERR_IO, "the server closed the connection");
    return status == LQ_OK ? flush(client, err) : status;
}

short lq_client_ws_events(const struct lq_client *client)
{
    bool waits = client->out.len > client->out_done;
    return (short)(CURL_WAIT_POLLIN | (waits ? CURL_WAIT_POLLOUT : 0));
}

static int connect_to(struct lq_client *client, struct lq_error *err)
{
    const struct lq_url *url = &client->target->url;
    char address[1024];
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (!lq_url_write(url, "/", address, sizeof address))
        return lq_fail(err, LQ_ERR_ARGUMENT, "the server's address is too long");
    CURL *curl = client->curl = curl_easy_init();
    if (!curl)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start a WebSocket client");
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)LQ_CLIENT_TIMEOUT_MS);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
    client->fd = (int)fd;
    if (code != CURLE_OK)
        return lq_fail(err, LQ_ERR_IO, "cannot connect to '%s' port %d: %s", url->host, url->port,
                       curl_easy_strerror(code));
    return LQ_OK;
}

// Waits until frames may be sent, or until the time is over.
static int await_ready(struct lq_client *client, struct lq_error *err)
{
    uint64_t end = lq_clock_us() + LQ_CLIENT_TIMEOUT_MS * 1000ull;
    while (!client->ready) {
        bool waits = client->out.len > client->out_done;
        struct pollfd wait = {client->fd, (short)(POLLIN | (waits ? POLLOUT : 0)), 0};
        int status = poll(&wait, 1, 200) > 0 ? lq_client_ws_pump(client, err) : LQ_OK;
        if (status != LQ_OK)
            return status;
        if (lq_clock_us() > end)
            return lq_fail(err, LQ_ERR_TIMEOUT, "no response from the server within %d s",
                           LQ_CLIENT_TIMEOUT_MS / 1000);
    }
    return LQ_OK;
}

int lq_client_ws_open(struct lq_client *client, struct lq_error *err)
{
    const struct lq_client_target *target = client->target;
    bool own = target->way == LQ_CLIENT_WS, v6 = strchr(target->url.host, ':');
    int status = connect_to(client, err);
    if (status != LQ_OK)
        return status;
    status = lq_buf_printf(&client->out,
                           "GET %s HTTP/1.1\r\nHost: %s%s%s:%d\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                           "Sec-WebSocket-Version: 13\r\n%s\r\n",
                           target->path, v6 ? "[" : "", target->url.host, v6 ? "]" : "",
                           target->url.port, KEY,
                           own ? "Sec-WebSocket-Protocol: lacquer.v1\r\n" : "");
    if (status == LQ_OK)
        status = flush(client, err);
    return status == LQ_OK ? await_ready(client, err) : status;
}

static int queue_lacquer(struct lq_client *client, const struct lq_client_frame *frame)
{
    uint8_t header[FRAME_HEADER] = {1, client->target->nails, FRAME_HEADER, 0};
    for (int i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(client->id >> (8 * i));
    uint64_t now = lq_clock_us();
    for (int i = 0; i < 8; i++)
        header[8 + i] = (uint8_t)(now >> (8 * i));
    return lq_client_ws_queue(client, LQ_WS_OP_BINARY, header, sizeof header, frame->jpeg.data,
                              frame->jpeg.len);
}

static int queue_socketio(struct lq_client *client, const struct lq_client_frame *frame)
{
    char event[128];
    int len = snprintf(event, sizeof event,
                       "451-[\"frame\",{\"image\":{\"_placeholder\":true,\"num\":0},\"id\":%u}]",
                       client->id);
    int status = lq_client_ws_queue(client, LQ_WS_OP_TEXT, event, (size_t)len, NULL, 0);
    return status == LQ_OK ? lq_client_ws_queue(client, LQ_WS_OP_BINARY, frame->jpeg.data,
                                                frame->jpeg.len, NULL, 0)
                           : status;
}

int lq_client_ws_send(struct lq_client *client, const struct lq_client_frame *frame,
                      struct lq_error *err)
{
    int status = client->target->way == LQ_CLIENT_WS ? queue_lacquer(client, frame)
                                                     : queue_socketio(client, frame);
    if (status != LQ_OK)
        return lq_fail(err, status, "out of memory for frames to be sent");
    return flush(client, err);
}
