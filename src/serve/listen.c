#include "serve/listen.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/ssl.h>

#include "base/log.h"
#include "net/tls.h"
#include "serve/guard/certificate.h"

enum {
    OWN_FILES = 128,   // what an engine, its cache and the loop itself open
    ADMIN_CALLERS_MAX = 64,
};

// Room for every session and a few more connections; some systems allow only 1024 by default.
// Returns how many connections there is room for.
static int limit_files(const struct lq_serve_options *options)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)options->sessions_max * 4 + 512;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return options->sessions_max;
    bool less = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < want;
    limit.rlim_cur = less ? limit.rlim_max : want;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 2 * OWN_FILES ? (int)limit.rlim_cur - OWN_FILES
                                          : (int)limit.rlim_cur / 2 + 1;
}

// ---- who may connect ---------------------------------------------------------------------------

// Who holds connections without saying anything takes no session, so these have a limit of their
// own. A proxy's are those of all its clients.
static bool on_accept(void *context, const struct lq_net_address *client)
{
    struct lq_server *server = ((struct lq_entry *)context)->server;
    const struct lq_serve_options *options = server->options;
    struct lq_address address = lq_address_of(client);
    bool proxy = lq_client_is_trusted(options->trusted_proxies, options->trusted_proxy_count,
                                      client);
    bool taken = proxy ? lq_peers_take_any(&server->callers, &address)
                       : lq_peers_take(&server->callers, &address);
    if (!taken)
        lq_metrics_count_error(&server->metrics, LQ_ERR_RATE);
    return taken;
}

static void on_ended(void *context, const struct lq_net_address *client, enum lq_net_end end)
{
    struct lq_server *server = ((struct lq_entry *)context)->server;
    struct lq_address address = lq_address_of(client);
    (void)end;
    lq_peers_give(&server->callers, &address);
}

static bool on_admin_accept(void *context, const struct lq_net_address *client)
{
    struct lq_server *server = ((struct lq_entry *)context)->server;
    (void)client;
    if (server->admin_callers == ADMIN_CALLERS_MAX)
        return false;
    server->admin_callers++;
    return true;
}

static void on_admin_ended(void *context, const struct lq_net_address *client, enum lq_net_end end)
{
    (void)client;
    (void)end;
    ((struct lq_entry *)context)->server->admin_callers--;
}

// ---- listeners ---------------------------------------------------------------------------------

static int open_tls(struct lq_server *server, struct lq_error *err)
{
    struct lq_tls_pair pair = {0};
    int status = lq_tls_pair_get(&pair, server->options, err);
    if (status != LQ_OK)
        return status;
    server->ssl = lq_tls_context_new();
    status = server->ssl ? lq_tls_pair_use(&pair, server->ssl, err)
                         : lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_tls_pair_release(&pair);
    return status;
}

static int open_for_clients(struct lq_server *server, struct lq_error *err)
{
    const struct lq_serve_options *options = server->options;
    const struct lq_listener_options wanted = {
        .host = options->host,
        .port = options->port,
        .tls = server->ssl,
        .proxies = options->proxy_protocol ? options->trusted_proxies : NULL,
        .proxy_count = options->proxy_protocol ? (size_t)options->trusted_proxy_count : 0,
        .handler = &lq_http_handler,
        .context = &server->entry,
        .accept = on_accept,
        .ended = on_ended,
    };
    return lq_listener_open(server->net, &server->listener, &wanted, err);
}

static int open_for_operators(struct lq_server *server, struct lq_error *err)
{
    const struct lq_listener_options wanted = {
        .host = server->options->admin_host,
        .port = server->options->admin_port,
        .handler = &lq_http_handler,
        .context = &server->admin_entry,
        .accept = on_admin_accept,
        .ended = on_admin_ended,
    };
    return lq_listener_open(server->net, &server->admin_listener, &wanted, err);
}

int lq_listen_open(struct lq_server *server, struct lq_error *err)
{
    server->entry = (struct lq_entry){server, false};
    server->admin_entry = (struct lq_entry){server, true};
    if (!lq_peers_init(&server->callers, limit_files(server->options),
                       server->options->address_sessions_max * LQ_SESSION_CONNECTIONS_MAX))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_net_new(&server->net, err);
    if (status == LQ_OK && server->tls)
        status = open_tls(server, err);
    if (status == LQ_OK)
        status = open_for_clients(server, err);
    if (status == LQ_OK && server->options->admin_port >= 0)
        status = open_for_operators(server, err);
    return status;
}

void lq_listen_print(const struct lq_server *server)
{
    const struct lq_serve_options *options = server->options;
    const char *scheme = server->tls ? "https" : "http";
    bool everywhere = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0;
    bool local = everywhere || strcmp(options->host, "127.0.0.1") == 0;
    bool v6 = !local && strchr(options->host, ':');
    int port = lq_listener_port(server->listener);
    char lan[64];
    printf("listening on %s://%s%s%s:%d", scheme, v6 ? "[" : "",
           local ? "localhost" : options->host, v6 ? "]" : "", port);
    if (everywhere && lq_tls_lan_address(lan, sizeof lan))
        printf(" and %s://%s:%d", scheme, lan, port);
    printf("\n");
    if (server->admin_listener) {
        v6 = strchr(options->admin_host, ':') != NULL;
        printf("admin on http://%s%s%s:%d\n", v6 ? "[" : "", options->admin_host, v6 ? "]" : "",
               lq_listener_port(server->admin_listener));
    }
    fflush(stdout);
    if (everywhere && !server->tls)
        lq_log_info("browsers give other devices no camera without HTTPS: see --tls-self-signed");
}
