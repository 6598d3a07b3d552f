#include "serve/server.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/answer.h"
#include "serve/listen.h"
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

// The client's trace (base/trace.h): of one picture over HTTP, of a whole film over a socket.
static void read_trace(struct lq_trace *trace, struct lws *wsi)
{
    static const char name[] = "traceparent:";
    char text[256];
    if (lws_hdr_custom_copy(wsi, text, sizeof text, name, sizeof name - 1) > 0)
        lq_trace_parse(trace, text);
}

struct lq_session *lq_server_admit(struct lq_server *server, struct lws *wsi, enum lq_transport via,
                                   void *owner, void (*ready)(struct lq_session *session),
                                   struct lq_error *why)
{
    const struct lq_serve_options *options = server->options;
    struct lq_address address = lq_address_of(lws_get_socket_fd(lws_get_network_wsi(wsi)));
    // While stopping, requests on connections that are open already are still answered.
    if ((server->drain_from_us && via != LQ_VIA_HTTP) ||
        server->session_count >= options->sessions_max ||
        server->held_bytes > options->frame_bytes_max) {
        lq_fail(why, LQ_ERR_BUSY, "the server is full; try again soon");
        return NULL;
    }
    if (!lq_peers_take(&server->peers, &address)) {
        lq_fail(why, LQ_ERR_RATE, "this address has %d sessions already",
                options->address_sessions_max);
        return NULL;
    }
    struct lq_session *session = lq_session_open(server->workers, owner, ready);
    // A request over HTTP is a single picture; everything else is a film.
    if (session && via != LQ_VIA_HTTP && !lq_session_track(session)) {
        lq_session_close(session);
        session = NULL;
    }
    if (!session) {
        lq_peers_give(&server->peers, &address);
        lq_fail(why, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    session->address = address;
    read_trace(&session->trace, wsi);
    server->session_count++;
    session->next = server->sessions;
    session->link = &server->sessions;
    if (session->next)
        session->next->link = &session->next;
    server->sessions = session;
    atomic_fetch_add_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
    return session;
}

bool lq_server_is_busy(const struct lq_server *server, int limit_ms)
{
    uint64_t wait_us = lq_load_expected_us(&server->load, lq_workers_waiting(server->workers));
    return wait_us > lq_load_limit_us(&server->load, limit_ms);
}

static void count_replaced(struct lq_server *server, struct lq_session *session)
{
    lq_count(&server->metrics.dropped[LQ_DROP_REPLACED],
             session->replaced - session->replaced_counted);
    session->replaced_counted = session->replaced;
}

// Why a live frame is not worked on, told to its client; OK: it is.
static int refuse(struct lq_server *server, struct lq_session *session, struct lq_error *why)
{
    uint64_t now_us = lq_clock_us();
    int fps_max = server->options->fps_max;
    if (!lq_session_pace(session, now_us, fps_max)) {
        lq_count(&server->metrics.dropped[LQ_DROP_RATE], 1);
        return lq_fail(why, LQ_ERR_RATE, "more than %d frames a second", fps_max);
    }
    if (!lq_load_takes(&server->load, &session->guest, now_us,
                       lq_workers_waiting(server->workers))) {
        lq_count(&server->metrics.dropped[LQ_DROP_BUSY], 1);
        return lq_fail(why, LQ_ERR_BUSY, "the server is busy; try again in %d s", LQ_LOAD_RETRY_S);
    }
    return LQ_OK;
}

void lq_server_post(struct lq_server *server, struct lq_session *session)
{
    static const struct lq_ask_picture unread = {0};
    struct lq_slot *slot = lq_session_fill(session);
    if (slot->ask.live && !lq_server_takes_frames(server)) {
        lq_count(&server->metrics.dropped[LQ_DROP_STOPPING], 1);
        lq_session_drop(session);
        return;
    }
    if (slot->ask.live)
        slot->status = refuse(server, session, &slot->error);
    else
        lq_load_came(&server->load, &session->guest);
    if (slot->status == LQ_OK) {
        slot->stale_us = lq_load_stale_us(&server->load);
        lq_session_post(session);
    } else {
        lq_metrics_count_error(&server->metrics, slot->status);
        lq_answer_write_error(slot, &unread);
        lq_session_answer(session);
    }
    count_replaced(server, session);
}

void lq_server_dismiss(struct lq_server *server, enum lq_transport via, struct lq_session *session)
{
    if (!session)
        return;
    if (lq_session_busy(session))
        lq_count(&server->metrics.dropped[LQ_DROP_GONE], 1);
    count_replaced(server, session);
    lq_peers_give(&server->peers, &session->address);
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    lq_session_close(session);
    server->session_count--;
    atomic_fetch_sub_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
}

bool lq_server_hold(struct lq_server *server, struct lq_session *session, size_t bytes)
{
    size_t max = server->options->frame_bytes_max;
    server->held_bytes += bytes;
    return server->held_bytes <= max ||
           (session && lq_session_bytes(session) <= max / (size_t)server->session_count);
}

// What clients hold is only known by looking: buffers grow and shrink in the workers' hands.
static void weigh_frames(struct lq_server *server)
{
    size_t before = server->held_bytes, held = 0;
    bool too_much = before > server->options->frame_bytes_max;
    for (struct lq_session *each = server->sessions; each; each = each->next) {
        if (too_much)
            lq_session_release_spare(each);
        held += lq_session_bytes(each);
    }
    server->held_bytes = held;
    server->has_spare |= too_much;
}

bool lq_server_is_idle(const struct lq_server *server, struct lq_session *session,
                       uint64_t now_us)
{
    return now_us > session->used_us + (uint64_t)server->options->idle_timeout_s * 1000000 &&
           !lq_session_busy(session);
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

// Whoever renews a certificate or changes a token must not have to stop the server.
static void reload(struct lq_server *server)
{
    const struct lq_serve_options *options = server->options;
    struct lq_error error;
    struct lq_tls_pair pair;
    int status = LQ_OK;
    if (options->tls_cert)
        status = lq_tls_pair_get(&pair, options, &error);
    if (status == LQ_OK && options->tls_cert) {
        status = lq_tls_pair_use(&pair, server->ssl, &error);
        lq_tls_pair_release(&pair);
    }
    if (status == LQ_OK && options->token_file)
        status = lq_tokens_read(&server->tokens, options->token_file, &error);
    if (status == LQ_OK)
        lq_log_info("certificate and tokens were read again");
    else
        lq_log_error("nothing is changed: %s", error.text);
}

static int on_signal(struct lws *wsi)
{
    struct signalfd_siginfo info;
    if (read(server_of(wsi)->signal_fd, &info, sizeof info) != sizeof info)
        return 0;
    if (info.ssi_signo == SIGHUP)
        reload(server_of(wsi));
    else
        lq_drain_start(server_of(wsi), info.ssi_signo == SIGTERM);
    return 0;
}

// Told of each connection that has come; `wsi` is the listener, `fd` the new socket. Nonzero refuses.
// Who holds connections without saying anything takes no session, so these have a limit of their own.
static int on_connection(struct lws *wsi, int fd)
{
    struct lq_server *server = server_of(wsi);
    server->listen_fd = lws_get_socket_fd(wsi);
    if (server->drain_from_us) {
        lq_drain_close_listener(server);
        return -1;
    }
    struct lq_address address = lq_address_of(fd);
    if (!lq_peers_take(&server->callers, &address)) {
        lq_metrics_count_error(&server->metrics, LQ_ERR_RATE);
        return -1;
    }
    lq_peers_give(&server->callers, &address); // counted for good once the library has it
    return 0;
}

// The connection keeps its address, since its socket is gone when it ends.
static void on_connected(struct lws *wsi)
{
    struct lq_address *address = malloc(sizeof *address);
    if (!address)
        return;
    *address = lq_address_of(lws_get_socket_fd(wsi));
    if (lq_peers_take(&server_of(wsi)->callers, address))
        lws_set_opaque_user_data(wsi, address);
    else
        free(address);
}

static void on_disconnected(struct lws *wsi)
{
    struct lq_address *address = lws_get_opaque_user_data(wsi);
    if (!address)
        return;
    lq_peers_give(&server_of(wsi)->callers, address);
    lws_set_opaque_user_data(wsi, NULL);
    free(address);
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
        return on_connection(wsi, (int)(intptr_t)in);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        on_connected(wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        on_disconnected(wsi);
        return 0;
    case LWS_CALLBACK_RAW_RX_FILE:
        return on_signal(wsi);
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        server_of(wsi)->ssl = user; // the moment that a listening socket's TLS context is made
        return 0;
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
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return len == 1 ? -1 : 0; // half a close code: libwebsockets would send it back
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

bool lq_server_is_stalled(const struct lq_server *server)
{
    return atomic_load_explicit(&server->metrics.stalled, memory_order_relaxed) >=
           server->options->workers;
}

// A thread that hangs in a library cannot be ended; it can be told, so that the service manager or
// balancer that asks /healthz starts the server anew.
static void watch_workers(struct lq_server *server, uint64_t now_us)
{
    int stalled = lq_workers_stalled(server->workers, now_us, LQ_STALL_S * UINT64_C(1000000));
    int before = atomic_exchange_explicit(&server->metrics.stalled, stalled, memory_order_relaxed);
    if (stalled > before)
        lq_log_error("%d of %d workers have been at one frame for %d s", stalled,
                     server->options->workers, LQ_STALL_S);
    else if (stalled == 0 && before > 0)
        lq_log_info("all workers go on");
}

static void on_tick(lws_sorted_usec_list_t *sul)
{
    struct lq_server *server = lws_container_of(sul, struct lq_server, tick);
    uint64_t now_us = lq_clock_us();
    lq_load_tick(&server->load, now_us); // before the connections, which tell their clients of it
    for (struct lq_conn *conn = server->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->ops->tick)
            conn->ops->tick(conn, now_us);
    }
    watch_workers(server, now_us);
    lq_sio_tick(server, now_us);
    weigh_frames(server);
    // What was freed lies scattered in the heap; the system gets it back only when told to.
    if (server->has_spare)
        malloc_trim(0);
    server->has_spare = false;
    lws_sul_schedule(server->context, 0, sul, on_tick, LWS_US_PER_SEC);
}

static void wake(void *context)
{
    struct lq_server *server = context;
    lws_cancel_service(server->context);
}

// A terminal that closes sends SIGHUP too, so it means "read again" only where there is what to read.
static sigset_t watched_signals(const struct lq_serve_options *options)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (options->tls_cert || options->token_file)
        sigaddset(&set, SIGHUP);
    return set;
}

void lq_serve_block_signals(const struct lq_serve_options *options)
{
    sigset_t set = watched_signals(options);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int watch_signals(struct lq_server *server, struct lq_error *err)
{
    sigset_t set = watched_signals(server->options);
    lws_sock_file_fd_type fd = {.filefd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    struct lws *wsi = fd.filefd < 0 ? NULL
                                    : lws_adopt_descriptor_vhost(server->vhost,
                                                                 LWS_ADOPT_RAW_FILE_DESC, fd,
                                                                 "http", NULL);
    if (!wsi)
        return lq_fail(err, LQ_ERR_IO, "cannot watch for signals: %s", strerror(errno));
    server->signal_fd = fd.filefd;
    return LQ_OK;
}

int lq_server_open(struct lq_server **out, const struct lq_serve_options *options,
                   struct lq_error *err)
{
    struct lq_server *server = calloc(1, sizeof *server);
    *out = NULL;
    if (!server ||
        !lq_peers_init(&server->peers, options->sessions_max, options->address_sessions_max)) {
        free(server);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    }
    server->options = options;
    server->tls = options->tls_cert || options->tls_self_signed;
    server->started_us = lq_clock_us();
    server->listen_fd = -1;
    server->load.workers = options->workers;
    server->load.limit_ms = options->wait_ms_max;
    int status = options->token_file
                     ? lq_tokens_read(&server->tokens, options->token_file, err)
                     : LQ_OK;
    if (status == LQ_OK)
        status = lq_listen_context(server, err);
    if (status == LQ_OK)
        status = lq_listen_open(server, protocols, err);
    if (status == LQ_OK)
        status = watch_signals(server, err);
    if (status == LQ_OK)
        *out = server;
    else
        lq_server_close(server);
    return status;
}

static void serve_until_stopped(struct lq_server *server)
{
    while (!server->stop && lws_service(server->context, 0) >= 0) {
        if (lq_drain_is_over(server))
            server->stop = true;
    }
}

int lq_server_run(struct lq_server *server, const struct lq_model *model, struct lq_error *err)
{
    struct lq_work_context shared = {model, &server->metrics, &server->load,
                                     (uint32_t)server->options->max_age_ms,
                                     server->options->carry};
    struct lq_work work = lq_work_with(&shared);
    server->model = model;
    int status =
        lq_workers_start(&server->workers, &work, server->options->workers, wake, server, err);
    if (status != LQ_OK)
        return status;
    malloc_trim(0); // what compiling the model left behind
    lws_sul_schedule(server->context, 0, &server->tick, on_tick, LWS_US_PER_SEC);
    lq_listen_print(server);
    serve_until_stopped(server);
    watch_workers(server, lq_clock_us());
    if (atomic_load_explicit(&server->metrics.stalled, memory_order_relaxed) > 0) {
        lq_log_error("stopped without waiting for the workers that hang");
        _exit(1); // what they use must not be freed under them
    }
    lq_workers_stop(server->workers); // from here on nobody wakes the loop
    return LQ_OK;
}

void lq_server_close(struct lq_server *server)
{
    if (!server)
        return;
    lws_sul_cancel(&server->tick);
    lws_sul_cancel(&server->drain_timer);
    lq_sio_close_all(server);
    if (server->context)
        lws_context_destroy(server->context);
    lq_workers_free(server->workers);
    lq_peers_release(&server->peers);
    lq_peers_release(&server->callers);
    free(server);
}
