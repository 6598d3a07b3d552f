// Listening sockets: opening, accepting, and pausing when no file descriptors are left.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/limits.h"
#include "net/conn.h"

enum {
    ACCEPTS_MAX = 64,  // before connections are served
    RETRY_US = 100000, // after the process ran out of descriptors
    BACKLOG = 1024,
};

static void set_defaults(struct lq_net_limits *limits)
{
    static const struct lq_net_limits defaults = {
        .handshake_ms = LQ_HANDSHAKE_S * 1000, .keepalive_ms = LQ_KEEPALIVE_S * 1000,
        .body_ms = LQ_BODY_S * 1000,           .stall_ms = LQ_SLOW_READER_S * 1000,
        .linger_ms = 2000,                     .ping_ms = 20000,
        .pong_ms = LQ_PONG_S * 1000,           .close_ms = 2000,
        .head_bytes = LQ_HEADER_BYTES_MAX,     .discard_bytes = 64 * 1024 * 1024,
        .queue_bytes = LQ_OUTBOX_BYTES_MAX,
    };
#define DEFAULT(name) limits->name = limits->name ? limits->name : defaults.name
    DEFAULT(handshake_ms);
    DEFAULT(keepalive_ms);
    DEFAULT(body_ms);
    DEFAULT(stall_ms);
    DEFAULT(linger_ms);
    DEFAULT(ping_ms);
    DEFAULT(pong_ms);
    DEFAULT(close_ms);
    DEFAULT(head_bytes);
    DEFAULT(discard_bytes);
    DEFAULT(queue_bytes);
#undef DEFAULT
    if (limits->head_bytes > LQ_HTTP_HEAD_BYTES_MAX)
        limits->head_bytes = LQ_HTTP_HEAD_BYTES_MAX;
}

// ---- accepting ---------------------------------------------------------------------------------

// Returns false if no connection is waiting, or none can be accepted now.
static bool accept_one(struct lq_listener *listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } from = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof from;
    struct lq_error error;
    int fd = accept4(listener->watch.fd, &from.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        struct lq_net_address peer = lq_net_address_from(&from.any);
        (void)!lq_conn_open(listener, fd, &peer, &error);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        lq_timer_set(listener->net->loop, &listener->retry,
                     lq_loop_now_us(listener->net->loop) + RETRY_US);
        return false;
    }
    return errno != EAGAIN && errno != EINVAL && errno != EBADF; // else this client has left
}

static void accept_some(struct lq_listener *listener)
{
    int left = ACCEPTS_MAX;
    while (listener->watch.fd >= 0 && left > 0 && accept_one(listener))
        left--;
    if (listener->watch.fd >= 0 && left == 0)
        lq_loop_job_add(listener->net->loop, &listener->job);
}

static void on_ready(struct lq_watch *watch, uint32_t events)
{
    (void)events;
    accept_some((struct lq_listener *)((char *)watch - offsetof(struct lq_listener, watch)));
}

static void on_job(struct lq_loop_job *job)
{
    accept_some((struct lq_listener *)((char *)job - offsetof(struct lq_listener, job)));
}

static void on_retry(struct lq_timer *timer, uint64_t now_us)
{
    (void)now_us;
    accept_some((struct lq_listener *)((char *)timer - offsetof(struct lq_listener, retry)));
}

// ---- opening -----------------------------------------------------------------------------------

// Binds and listens; returns -1 with errno set on failure.
static int listen_at(const struct lq_net_address *address, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool is_v6 = address->family == 6;
    memcpy(&v4.sin_addr, address->bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, address->bytes, sizeof v6.sin6_addr);
    const struct sockaddr *at = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    int one = 1, fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, at, is_v6 ? sizeof v6 : sizeof v4) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } at = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof at;
    getsockname(fd, &at.any, &len);
    return lq_net_address_from(&at.any).port;
}

static int start(struct lq_listener *listener, struct lq_error *err)
{
    const struct lq_listener_options *options = &listener->options;
    struct lq_net_address address;
    if (!lq_net_address_parse(&address, options->host))
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot listen on '%s': not an IP address",
                       options->host);
    listener->watch.fd = listen_at(&address, options->port);
    if (listener->watch.fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot listen on %s port %d: %s%s", options->host,
                       options->port, strerror(errno),
                       errno == EADDRINUSE ? "; choose another with --port" : "");
    listener->port = port_of(listener->watch.fd);
    return lq_watch_start(listener->net->loop, &listener->watch, EPOLLIN, err);
}

static void release(struct lq_garbage *garbage)
{
    struct lq_listener *listener = (struct lq_listener *)garbage;
    SSL_CTX_free(listener->tls);
    free(listener->proxies);
    free(listener);
}

static void remove_listener(struct lq_listener *listener)
{
    *listener->link = listener->next;
    if (listener->next)
        listener->next->link = listener->link;
    lq_loop_free_later(listener->net->loop, &listener->garbage);
}

// A connection has ended.
static void on_lost(struct lq_listener *listener)
{
    listener->conn_count--;
    if (listener->watch.fd < 0 && listener->conn_count == 0)
        remove_listener(listener);
}

static struct lq_listener *listener_new(struct lq_net *net,
                                        const struct lq_listener_options *options)
{
    struct lq_listener *listener = calloc(1, sizeof *listener);
    size_t count = options->proxy_count;
    struct lq_net_block *proxies = calloc(count + 1, sizeof *proxies);
    if (!listener || !proxies) {
        free(listener);
        free(proxies);
        return NULL;
    }
    if (count > 0)
        memcpy(proxies, options->proxies, count * sizeof *proxies);
    *listener = (struct lq_listener){
        .garbage.release = release, .net = net, .options = *options, .proxies = proxies,
        .protocol = &lq_http_protocol, .lost = on_lost,
        .watch = {.ready = on_ready, .fd = -1, .stopped = true}, .job.run = on_job,
        .retry.due = on_retry, .next = net->listeners, .link = &net->listeners,
    };
    lq_listener_set_tls(listener, options->tls);
    set_defaults(&listener->options.limits);
    if (listener->next)
        listener->next->link = &listener->next;
    net->listeners = listener;
    return listener;
}

int lq_listener_open(struct lq_net *net, struct lq_listener **out,
                     const struct lq_listener_options *options, struct lq_error *err)
{
    struct lq_listener *listener = listener_new(net, options);
    *out = NULL;
    if (!listener)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = start(listener, err);
    if (status == LQ_OK)
        *out = listener;
    else
        lq_listener_close(listener);
    return status;
}

int lq_listener_port(const struct lq_listener *listener)
{
    return listener->port;
}

void lq_listener_set_tls(struct lq_listener *listener, struct ssl_ctx_st *tls)
{
    if (tls)
        SSL_CTX_up_ref(tls);
    SSL_CTX_free(listener->tls);
    listener->tls = tls;
}

int lq_listener_adopt(struct lq_listener *listener, int fd, struct lq_error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } from = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof from;
    getpeername(fd, &from.any, &len);
    struct lq_net_address peer = lq_net_address_from(&from.any);
    return lq_conn_open(listener, fd, &peer, err);
}

// ---- closing -----------------------------------------------------------------------------------

void lq_listener_close(struct lq_listener *listener)
{
    struct lq_loop *loop = listener->net->loop;
    bool was_open = listener->watch.fd >= 0;
    lq_watch_stop(loop, &listener->watch);
    lq_loop_job_stop(loop, &listener->job);
    lq_timer_stop(loop, &listener->retry);
    if (was_open)
        close(listener->watch.fd);
    listener->watch.fd = -1;
    if (listener->conn_count == 0)
        remove_listener(listener);
}
