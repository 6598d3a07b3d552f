// What libwebsockets tells, handed to the connection that it is about.
#include <stdlib.h>

#include "serve/server.h"
#include "serve/work.h"

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
        lq_signals_read(server_of(wsi));
        return 0;
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
const struct lws_protocols lq_protocols[] = {
    {"http", on_event, sizeof(struct lq_conn), 32 * 1024, 0, NULL, 1024 * 1024},
    {"lacquer.v1", on_event, sizeof(struct lq_conn), 32 * 1024, 1, NULL, 1024 * 1024},
    {0}};
