#include "serve/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "serve/answer.h"
#include "serve/tls.h"
#include "serve/work.h"

// ---- connections -------------------------------------------------------------------------------

void lq_conn_set(struct lq_conn *conn, const struct lq_conn_ops *ops, void *state)
{
    if (conn->link) {
        *conn->link = conn->next;
        if (conn->next)
            conn->next->link = conn->link;
        conn->link = NULL;
    }
    conn->ops = ops;
    conn->state = state;
    if (!ops)
        return;
    conn->next = conn->server->conns;
    conn->link = &conn->server->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    conn->server->conns = conn;
}

void lq_conn_set_flushing(struct lq_conn *conn, bool flushing)
{
    conn->server->flushing += flushing - conn->flushing;
    conn->flushing = flushing;
}

struct lq_session *lq_server_admit(struct lq_server *server, enum lq_transport via, void *owner,
                                   void (*ready)(struct lq_session *session))
{
    // While stopping, requests on connections that are open already are still answered.
    if ((server->drain_from_us && via != LQ_VIA_HTTP) ||
        server->session_count >= server->options->sessions_max)
        return NULL;
    struct lq_session *session = lq_session_open(server->workers, owner, ready);
    if (!session)
        return NULL;
    server->session_count++;
    atomic_fetch_add_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
    return session;
}

bool lq_server_is_busy(const struct lq_server *server, int limit_ms)
{
    uint64_t wait_us = lq_load_expected_us(&server->load, lq_workers_waiting(server->workers));
    return wait_us > lq_load_limit_us(&server->load, limit_ms);
}

// Whether a live session's frame is taken: it is in and may stay, or may come in.
static bool may_post(struct lq_server *server, struct lq_session *session)
{
    uint64_t now_us = lq_clock_us();
    if (lq_session_recent(session, now_us, LQ_LOAD_RECENT_S * UINT64_C(1000000))) {
        session->has_posted = !lq_load_sheds(&server->load, now_us - session->entered_us);
        return session->has_posted;
    }
    session->entered_us = now_us;
    return lq_load_lets_in(&server->load, lq_workers_waiting(server->workers));
}

void lq_server_post(struct lq_server *server, struct lq_session *session)
{
    struct lq_slot *slot = lq_session_fill(session);
    if (slot->ask.live && !lq_server_takes_frames(server)) {
        lq_count(&server->metrics.dropped[LQ_DROP_STOPPING], 1);
        lq_session_drop(session);
        return;
    }
    if (!slot->ask.live || may_post(server, session)) {
        slot->stale_us = lq_load_limit_us(&server->load, LQ_LOAD_STALE_MS);
        lq_session_post(session);
        return;
    }
    static const struct lq_ask_picture unread = {0};
    lq_fail(&slot->error, LQ_ERR_BUSY, "the server is busy; try again in %d s", LQ_LOAD_RETRY_S);
    slot->status = LQ_ERR_BUSY;
    lq_metrics_count_error(&server->metrics, LQ_ERR_BUSY);
    lq_answer_write_error(slot, &unread);
    lq_session_answer(session);
}

void lq_server_dismiss(struct lq_server *server, enum lq_transport via, struct lq_session *session)
{
    if (!session)
        return;
    if (lq_session_busy(session))
        lq_count(&server->metrics.dropped[LQ_DROP_GONE], 1);
    lq_count(&server->metrics.dropped[LQ_DROP_REPLACED], session->replaced);
    lq_session_close(session);
    server->session_count--;
    atomic_fetch_sub_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
}

void lq_server_count_in(struct lq_server *server, enum lq_transport via, size_t bytes)
{
    lq_count(&server->metrics.frames_in[via], 1);
    lq_count(&server->metrics.bytes_in, bytes);
}

void lq_server_count_out(struct lq_server *server, enum lq_transport via,
                         const struct lq_slot *slot)
{
    if (slot->status != LQ_OK)
        return;
    lq_count(&server->metrics.frames_out[via], 1);
    lq_count(&server->metrics.bytes_out, slot->picture.len);
    lq_histogram_add(&server->metrics.served, lq_clock_us() - slot->arrived_us);
}

// ---- callbacks ---------------------------------------------------------------------------------

static struct lq_server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

// A connection's struct is zeroed by libwebsockets each time it changes protocol.
static struct lq_conn *conn_of(struct lws *wsi, void *user)
{
    struct lq_conn *conn = user;
    if (conn && !conn->wsi) {
        conn->wsi = wsi;
        conn->server = server_of(wsi);
    }
    return conn;
}

static int on_signal(struct lws *wsi)
{
    struct signalfd_siginfo info;
    int fd = (int)(intptr_t)lws_get_opaque_user_data(wsi);
    if (read(fd, &info, sizeof info) == sizeof info)
        lq_drain_start(server_of(wsi), info.ssi_signo == SIGTERM);
    return 0;
}

// Told of each connection before it is accepted; `wsi` is the listener. Nonzero refuses.
static int on_connection(struct lws *wsi)
{
    struct lq_server *server = server_of(wsi);
    server->listen_fd = lws_get_socket_fd(wsi);
    if (!server->drain_from_us)
        return 0;
    lq_drain_close_listener(server);
    return -1;
}

static void on_closed(struct lq_conn *conn)
{
    if (conn && conn->flushing)
        lq_conn_set_flushing(conn, false);
    if (conn && conn->ops) {
        const struct lq_conn_ops *ops = conn->ops;
        ops->closed(conn);
        lq_conn_set(conn, NULL, NULL);
    }
}

static int on_http_event(struct lq_conn *conn, enum lws_callback_reasons reason, const void *in,
                         size_t len)
{
    // Either comes only after everything that was kept has gone out.
    if (reason == LWS_CALLBACK_HTTP || reason == LWS_CALLBACK_HTTP_WRITEABLE)
        lq_conn_set_flushing(conn, false);
    if (reason == LWS_CALLBACK_HTTP)
        return lq_http_start(conn);
    if (!conn->ops)
        return 0;
    if (reason == LWS_CALLBACK_HTTP_BODY)
        return conn->ops->body(conn, in, len);
    if (reason == LWS_CALLBACK_HTTP_BODY_COMPLETION)
        return conn->ops->body_done(conn);
    return conn->ops->writable(conn);
}

static int on_socket_event(struct lq_conn *conn, enum lws_callback_reasons reason, const void *in,
                           size_t len)
{
    if (!conn->ops)
        return -1;
    if (reason == LWS_CALLBACK_ESTABLISHED)
        return conn->ops->established(conn);
    if (reason == LWS_CALLBACK_RECEIVE)
        return conn->ops->receive(conn, in, len);
    return conn->ops->writable(conn);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        // Told to every protocol of every vhost; once is enough.
        if (server_of(wsi)->workers && lws_get_protocol(wsi)->id == 0)
            lq_workers_collect(server_of(wsi)->workers);
        return 0;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return on_connection(wsi);
    case LWS_CALLBACK_RAW_RX_FILE:
        return on_signal(wsi);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return user ? lq_upgrade(conn_of(wsi, user), lws_get_protocol(wsi)->id == 1) : -1;
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return user ? on_http_event(conn_of(wsi, user), reason, in, len) : 0;
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return user ? on_socket_event(conn_of(wsi, user), reason, in, len) : -1;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        on_closed(user);
        return 0;
    default:
        return 0;
    }
}

// Protocol 0 takes HTTP and sockets without a subprotocol. One write is one send of up to 1 MiB.
static const struct lws_protocols protocols[] = {
    {"http", on_event, sizeof(struct lq_conn), 32 * 1024, 0, NULL, 1024 * 1024},
    {"lacquer.v1", on_event, sizeof(struct lq_conn), 32 * 1024, 1, NULL, 1024 * 1024},
    {0}};

// ---- start and stop ----------------------------------------------------------------------------

// What libwebsockets has to say; its warnings are about clients, so they are for debugging only.
static void log_library(int level, const char *line)
{
    size_t len = strcspn(line, "\n");
    lq_log(level == LLL_ERR ? LQ_LOG_WARN : LQ_LOG_DEBUG, "libwebsockets: %.*s", (int)len, line);
}

static void on_tick(lws_sorted_usec_list_t *sul)
{
    struct lq_server *server = lws_container_of(sul, struct lq_server, tick);
    uint64_t now_us = lq_clock_us();
    for (struct lq_conn *conn = server->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->ops->tick)
            conn->ops->tick(conn, now_us);
    }
    lq_load_tick(&server->load);
    lq_sio_tick(server, now_us);
    lws_sul_schedule(server->context, 0, sul, on_tick, LWS_US_PER_SEC);
}

static void wake(void *context)
{
    struct lq_server *server = context;
    lws_cancel_service(server->context);
}

// Room for every session and a few more connections; some systems allow only 1024 by default, and
// libwebsockets reserves tables for as many as are allowed, which may be a million.
static void limit_files(const struct lq_serve_options *options)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)options->sessions_max * 4 + 512;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < want ? limit.rlim_max : want;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int create_context(struct lq_server *server, struct lq_error *err)
{
    lws_set_log_level(LLL_ERR | (lq_log_level() == LQ_LOG_DEBUG ? LLL_WARN | LLL_NOTICE : 0),
                      log_library);
    limit_files(server->options);
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   (server->tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .gid = -1,
        .uid = -1,
        .user = server,
        .server_string = "lacquer",
        .pt_serv_buf_size = 64 * 1024,
        .max_http_header_data = 16 * 1024,
        .timeout_secs = 20,
    };
    server->context = lws_create_context(&info);
    if (!server->context)
        return lq_fail(err, LQ_ERR_IO, "cannot start the event loop");
    return LQ_OK;
}

// libwebsockets does not say why it could not listen; trying it ourselves does.
static int explain_listen(const struct lq_serve_options *options, struct lq_error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
    struct sockaddr_in6 address6 = {.sin6_family = AF_INET6,
                                    .sin6_port = htons((uint16_t)options->port)};
    bool v6 = strchr(options->host, ':') != NULL;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, options->host,
                  v6 ? (void *)&address6.sin6_addr : (void *)&address.sin_addr) != 1)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot listen on '%s': not an IP address",
                       options->host);
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int failed = v6 ? bind(fd, (struct sockaddr *)&address6, sizeof address6)
                    : bind(fd, (struct sockaddr *)&address, sizeof address);
    if (failed == 0)
        failed = listen(fd, 1);
    int saved = errno;
    if (fd >= 0)
        close(fd);
    if (!failed)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_IO, "cannot listen on %s port %d: %s%s", options->host,
                   options->port, strerror(saved),
                   saved == EADDRINUSE ? "; choose another with --port" : "");
}

static int create_vhost(struct lq_server *server, struct lq_error *err)
{
    static const lws_retry_bo_t ping = {.secs_since_valid_ping = 20, .secs_since_valid_hangup = 45};
    const struct lq_serve_options *options = server->options;
    // Asked first, so that a taken port is told as such.
    int status = explain_listen(options, err);
    if (status != LQ_OK)
        return status;
    bool everywhere = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0;
    struct lws_context_creation_info info = {
        .port = options->port,
        .iface = everywhere ? NULL : options->host,
        .protocols = protocols,
        .vhost_name = "lacquer",
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (strchr(options->host, ':') ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
        .keepalive_timeout = 20,
        .timeout_secs = 20,
        .ka_time = 60,
        .ka_probes = 3,
        .ka_interval = 10,
        .retry_and_idle_policy = &ping,
        .alpn = "http/1.1",
    };
    struct lq_tls_pair pair = {0};
    if (server->tls) {
        status = lq_tls_pair_get(&pair, options, err);
        if (status != LQ_OK)
            return status;
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.server_ssl_cert_mem = pair.cert.data;
        info.server_ssl_cert_mem_len = (unsigned)pair.cert.len;
        info.server_ssl_private_key_mem = pair.key.data;
        info.server_ssl_private_key_mem_len = (unsigned)pair.key.len;
    }
    server->vhost = lws_create_vhost(server->context, &info);
    lq_tls_pair_release(&pair);
    if (!server->vhost)
        return lq_fail(err, LQ_ERR_IO, "cannot listen on %s port %d%s", options->host,
                       options->port, server->tls ? " with this certificate and key" : "");
    server->port = lws_get_vhost_listen_port(server->vhost);
    return LQ_OK;
}

static int watch_signals(struct lq_server *server, struct lq_error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    lws_sock_file_fd_type fd = {.filefd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    struct lws *wsi = fd.filefd < 0 ? NULL
                                    : lws_adopt_descriptor_vhost(server->vhost,
                                                                 LWS_ADOPT_RAW_FILE_DESC, fd,
                                                                 "http", NULL);
    if (!wsi)
        return lq_fail(err, LQ_ERR_IO, "cannot watch for signals: %s", strerror(errno));
    lws_set_opaque_user_data(wsi, (void *)(intptr_t)fd.filefd);
    return LQ_OK;
}

static void print_address(const struct lq_server *server)
{
    const struct lq_serve_options *options = server->options;
    const char *scheme = server->tls ? "https" : "http";
    bool everywhere = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0;
    bool local = everywhere || strcmp(options->host, "127.0.0.1") == 0;
    bool v6 = !local && strchr(options->host, ':');
    char lan[64];
    printf("listening on %s://%s%s%s:%d", scheme, v6 ? "[" : "",
           local ? "localhost" : options->host, v6 ? "]" : "", server->port);
    if (everywhere && lq_tls_lan_address(lan, sizeof lan))
        printf(" and %s://%s:%d", scheme, lan, server->port);
    printf("\n");
    fflush(stdout);
    if (everywhere && !server->tls)
        lq_log_info("browsers give other devices no camera without HTTPS: see --tls-self-signed");
}

void lq_serve_block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void run(struct lq_server *server)
{
    while (!server->stop && lws_service(server->context, 0) >= 0) {
        if (lq_drain_is_over(server))
            server->stop = true;
    }
}

int lq_serve(const struct lq_serve_options *options, const struct lq_model *model,
             struct lq_error *err)
{
    struct lq_server *server = calloc(1, sizeof *server);
    if (!server)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    server->options = options;
    server->model = model;
    server->tls = options->tls_cert || options->tls_self_signed;
    server->started_us = lq_clock_us();
    server->listen_fd = -1;
    server->load.workers = options->workers;
    server->load.limit_ms = options->wait_ms_max;
    struct lq_work_context shared = {model, &server->metrics, &server->load,
                                      (uint32_t)options->max_age_ms};
    struct lq_work work = lq_work_with(&shared);
    int status = create_context(server, err);
    if (status == LQ_OK)
        status = create_vhost(server, err);
    if (status == LQ_OK)
        status = watch_signals(server, err);
    if (status == LQ_OK)
        status = lq_workers_start(&server->workers, &work, options->workers, wake, server, err);
    if (status == LQ_OK) {
        lws_sul_schedule(server->context, 0, &server->tick, on_tick, LWS_US_PER_SEC);
        print_address(server);
        run(server);
        lq_workers_stop(server->workers); // from here on nobody wakes the loop
    }
    lws_sul_cancel(&server->tick);
    lws_sul_cancel(&server->drain_timer);
    lq_sio_close_all(server);
    if (server->context)
        lws_context_destroy(server->context);
    lq_workers_free(server->workers);
    free(server);
    return status;
}
