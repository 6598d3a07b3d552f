#include "bench/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "bench/reply.h"

enum { MESSAGE_MAX = 2 * LQ_MESSAGE_BYTES_MAX, READ_SIZE = 64 * 1024, FRAME_HEADER = 16 };

static int connect_to(const struct lq_url *url, struct lq_error *err)
{
    char port[8];
    snprintf(port, sizeof port, "%d", url->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int code = getaddrinfo(url->host, port, &hints, &found);
    if (code != 0)
        return lq_fail(err, LQ_ERR_IO, "cannot find '%s': %s", url->host, gai_strerror(code));
    int fd = -1;
    for (struct addrinfo *each = found; each && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot connect to '%s' port %d: %s", url->host, url->port,
                       strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// Writes as much of the queue as the socket takes.
static int flush(struct lq_client *client, struct lq_error *err)
{
    struct lq_buf *out = &client->out;
    while (client->out_done < out->len) {
        ssize_t sent = send(client->fd, out->data + client->out_done, out->len - client->out_done,
                            MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return LQ_OK;
        if (sent < 0 && errno != EINTR)
            return lq_fail(err, LQ_ERR_IO, "cannot send to the server: %s", strerror(errno));
        if (sent > 0) {
            client->out_done += (size_t)sent;
            client->bytes += (uint64_t)sent;
        }
    }
    lq_buf_clear(out);
    client->out_done = 0;
    return LQ_OK;
}

// Reads what is there. *ended when the other side has closed.
static int receive(struct lq_client *client, bool *ended, struct lq_error *err)
{
    struct lq_buf *in = &client->in;
    *ended = false;
    if (client->in_done > 0) {
        memmove(in->data, in->data + client->in_done, in->len - client->in_done);
        in->len -= client->in_done;
        client->in_done = 0;
    }
    for (;;) {
        if (lq_buf_reserve(in, in->len + READ_SIZE) != LQ_OK)
            return lq_fail(err, LQ_ERR_TOO_LARGE, "reply over %d bytes", MESSAGE_MAX);
        ssize_t got = recv(client->fd, in->data + in->len, READ_SIZE, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return LQ_OK;
        if (got < 0)
            return lq_fail(err, LQ_ERR_IO, "cannot read from the server: %s", strerror(errno));
        if (got == 0) {
            *ended = true;
            return LQ_OK;
        }
        in->len += (size_t)got;
        client->bytes += (uint64_t)got;
        if (got < READ_SIZE)
            return LQ_OK;
    }
}

int lq_client_pump(struct lq_client *client, short events, struct lq_error *err)
{
    int status = LQ_OK;
    bool ended = false;
    if (events & POLLOUT)
        status = flush(client, err);
    if (status == LQ_OK && events & (POLLIN | POLLHUP | POLLERR))
        status = receive(client, &ended, err);
    if (status != LQ_OK)
        return status;
    status = client->target->way == LQ_CLIENT_HTTP ? lq_client_read_http(client, ended, err)
                                                   : lq_client_read_ws(client, err);
    if (status == LQ_OK && ended && client->target->way != LQ_CLIENT_HTTP)
        return lq_fail(err, LQ_ERR_IO, "the server closed the connection");
    return status == LQ_OK ? flush(client, err) : status;
}

short lq_client_events(const struct lq_client *client)
{
    return (short)(POLLIN | (client->out.len > client->out_done ? POLLOUT : 0));
}

// Blocks until `done` says so, or the time is over.
static int pump_until(struct lq_client *client, bool (*done)(const struct lq_client *),
                      struct lq_error *err)
{
    uint64_t end = lq_clock_us() + LQ_CLIENT_TIMEOUT_MS * 1000ull;
    while (!done(client)) {
        struct pollfd wait = {client->fd, lq_client_events(client), 0};
        int ready = poll(&wait, 1, 200);
        if (ready > 0) {
            int status = lq_client_pump(client, wait.revents, err);
            if (status != LQ_OK)
                return status;
        }
        if (client->fd < 0 && !done(client))
            return lq_fail(err, LQ_ERR_IO, "the server closed the connection");
        if (lq_clock_us() > end)
            return lq_fail(err, LQ_ERR_TIMEOUT, "no answer from the server within %d s",
                           LQ_CLIENT_TIMEOUT_MS / 1000);
    }
    return LQ_OK;
}

static int shake_hands(struct lq_client *client, struct lq_error *err)
{
    const struct lq_client_target *target = client->target;
    bool own = target->way == LQ_CLIENT_WS;
    int status = lq_buf_printf(&client->out,
                               "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Key: " LQ_WS_KEY "\r\n"
                               "Sec-WebSocket-Version: 13\r\n%s\r\n",
                               target->path, client->host,
                               own ? "Sec-WebSocket-Protocol: lacquer.v1\r\n" : "");
    if (status == LQ_OK)
        status = flush(client, err);
    return status == LQ_OK ? pump_until(client, lq_client_is_ready, err) : status;
}

static int dial(struct lq_client *client, struct lq_error *err)
{
    client->fd = connect_to(&client->target->url, err);
    if (client->fd < 0)
        return client->fd = -1, err ? err->status : LQ_ERR_IO;
    lq_buf_clear(&client->in);
    client->in_done = client->out_done = 0;
    client->head = (struct lq_http_head){0};
    return LQ_OK;
}

int lq_client_open(struct lq_client *client, const struct lq_client_target *target,
                   struct lq_error *err)
{
    *client = (struct lq_client){.target = target, .fd = -1};
    bool v6 = strchr(target->url.host, ':');
    snprintf(client->host, sizeof client->host, v6 ? "[%s]:%d" : "%s:%d", target->url.host,
             target->url.port);
    lq_buf_init(&client->in, MESSAGE_MAX);
    lq_buf_init(&client->out, 2 * (size_t)MESSAGE_MAX);
    lq_buf_init(&client->message, MESSAGE_MAX);
    if (getrandom(&client->mask, sizeof client->mask, 0) != sizeof client->mask || !client->mask)
        client->mask = (uint32_t)lq_clock_us() | 1;
    int status = dial(client, err);
    if (status == LQ_OK && target->way != LQ_CLIENT_HTTP)
        status = shake_hands(client, err);
    if (status != LQ_OK)
        lq_client_close(client);
    return status;
}

void lq_client_close(struct lq_client *client)
{
    if (!client->target)
        return;
    if (client->fd >= 0)
        close(client->fd);
    lq_buf_release(&client->in);
    lq_buf_release(&client->out);
    lq_buf_release(&client->message);
    *client = (struct lq_client){.fd = -1};
}

bool lq_client_is_quiet(const struct lq_client *client, uint64_t now_us)
{
    return now_us < client->quiet_until_us;
}

int lq_client_in_flight_max(const struct lq_client *client)
{
    return client->target->way == LQ_CLIENT_HTTP ? 1 : LQ_CLIENT_IN_FLIGHT_MAX;
}

// A new mask for each message (xorshift32).
static uint32_t next_mask(struct lq_client *client)
{
    client->mask ^= client->mask << 13;
    client->mask ^= client->mask >> 17;
    client->mask ^= client->mask << 5;
    return client->mask;
}

int lq_client_say(struct lq_client *client, enum lq_ws_opcode opcode, const void *bytes, size_t len)
{
    return lq_ws_append(&client->out, opcode, next_mask(client), bytes, len, NULL, 0);
}

static int queue_http(struct lq_client *client, const struct lq_client_frame *frame)
{
    static const char before[] = "{\"image\":\"data:image/jpeg;base64,", after[] = "\"}";
    struct lq_buf *out = &client->out;
    size_t body = sizeof before - 1 + frame->base64.len + sizeof after - 1;
    int status = lq_buf_printf(out,
                               "POST %s HTTP/1.1\r\nHost: %s\r\n"
                               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                               client->target->path, client->host, body, before);
    if (status == LQ_OK)
        status = lq_buf_append(out, frame->base64.data, frame->base64.len);
    return status == LQ_OK ? lq_buf_append(out, after, sizeof after - 1) : status;
}

static int queue_ws(struct lq_client *client, const struct lq_client_frame *frame)
{
    uint8_t header[FRAME_HEADER] = {1, client->target->nails, FRAME_HEADER, 0};
    for (int i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(client->id >> (8 * i));
    uint64_t now = lq_clock_us();
    for (int i = 0; i < 8; i++)
        header[8 + i] = (uint8_t)(now >> (8 * i));
    return lq_ws_append(&client->out, LQ_WS_BINARY, next_mask(client), header, sizeof header,
                        frame->jpeg.data, frame->jpeg.len);
}

static int queue_socketio(struct lq_client *client, const struct lq_client_frame *frame)
{
    char event[128];
    int len = snprintf(event, sizeof event,
                       "451-[\"frame\",{\"image\":{\"_placeholder\":true,\"num\":0},\"id\":%u}]",
                       client->id);
    int status = lq_client_say(client, LQ_WS_TEXT, event, (size_t)len);
    if (status == LQ_OK)
        status = lq_client_say(client, LQ_WS_BINARY, frame->jpeg.data, frame->jpeg.len);
    return status;
}

int lq_client_send(struct lq_client *client, const struct lq_client_frame *frame,
                   struct lq_error *err)
{
    static int (*const queue[])(struct lq_client *, const struct lq_client_frame *) = {
        [LQ_CLIENT_HTTP] = queue_http,
        [LQ_CLIENT_WS] = queue_ws,
        [LQ_CLIENT_SOCKETIO] = queue_socketio,
    };
    uint64_t now = lq_clock_us();
    // A server that closes after each reply is dialled anew; the time it takes is the frame's.
    int status = client->fd < 0 ? dial(client, err) : LQ_OK;
    if (status != LQ_OK)
        return status;
    client->id++;
    client->flight[client->in_flight].id = client->id;
    client->flight[client->in_flight++].sent_us = now;
    status = queue[client->target->way](client, frame);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot hold the frames that wait to be sent");
    return flush(client, err);
}

static int get(struct lq_client *client, struct lq_error *err)
{
    int status = lq_buf_printf(&client->out,
                               "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                               client->target->path, client->host);
    if (status == LQ_OK)
        status = flush(client, err);
    return status == LQ_OK ? pump_until(client, lq_client_has_head, err) : status;
}

int lq_client_get(const struct lq_url *url, const char *path, int *status, struct lq_error *err)
{
    const struct lq_client_target target = {.url = *url, .way = LQ_CLIENT_HTTP, .path = path};
    struct lq_client client;
    int result = lq_client_open(&client, &target, err);
    if (result != LQ_OK)
        return result;
    result = get(&client, err);
    *status = client.head.status;
    lq_client_close(&client);
    return result;
}
