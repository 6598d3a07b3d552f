#include "serve/listen.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/ssl.h>

#include "base/log.h"
#include "net/tls.h"
#include "serve/guard/certificate.h"
#include "serve/guard/client.h"
#include "serve/sched/metrics.h"

enum {
    OWN_FILES = 128,   // opened by an engine, its cache and the loop itself
    ADMIN_CONNECTIONS_MAX = 64,
};

// Raises the limit of open files to allow every session and a few more connections; some systems
// allow only 1024 by default. Returns how many connections are possible.
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

// Connections on which nothing is sent do not count as sessions, so they have their own limit. A
// proxy's connections are those of all its clients.
static bool on_accept(void *context, const struct lq_net_address *client)
{
    struct lq_listeners *listeners = ((struct lq_entry *)context)->listeners;
    const struct lq_serve_options *options = listeners->options;
    struct lq_address address = lq_address_of(client);
    bool proxy = lq_client_is_trusted(options->trusted_proxies, options->trusted_proxy_count,
                                      client);
    bool taken = proxy ? lq_address_limits_admit_any(&listeners->connections, &address)
                       : lq_address_limits_admit(&listeners->connections, &address);
    if (!taken)
        lq_metrics_count_error(listeners->metrics, LQ_ERR_RATE);
    return taken;
}

static void on_ended(void *context, const struct lq_net_address *client, enum lq_net_end end)
{
    struct lq_listeners *listeners = ((struct lq_entry *)context)->listeners;
    struct lq_address address = lq_address_of(client);
    (void)end;
    lq_address_limits_leave(&listeners->connections, &address);
}

static bool on_admin_accept(void *context, const struct lq_net_address *client)
{
    struct lq_listeners *listeners = ((struct lq_entry *)context)->listeners;
    (void)client;
    if (listeners->admin_connections == ADMIN_CONNECTIONS_MAX)
        return false;
    listeners->admin_connections++;
    return true;
}

static void on_admin_ended(void *context, const struct lq_net_address *client, enum lq_net_end end)
{
    (void)client;
    (void)end;
    ((struct lq_entry *)context)->listeners->admin_connections--;
}

static bool has_tls(const struct lq_serve_options *options)
{
    return options->tls_cert || options->tls_self_signed;
}

// ---- listeners ---------------------------------------------------------------------------------

static int open_tls(struct lq_listeners *listeners, struct lq_error *err)
{
    struct lq_tls_pair pair = {0};
    int status = lq_tls_pair_get(&pair, listeners->options, err);
    if (status != LQ_OK)
        return status;
    listeners->ssl = lq_tls_context_new();
    status = listeners->ssl ? lq_tls_pair_use(&pair, listeners->ssl, err)
                         : lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_tls_pair_release(&pair);
    return status;
}

static int open_for_clients(struct lq_listeners *listeners, struct lq_error *err)
{
    const struct lq_serve_options *options = listeners->options;
    const struct lq_listener_options wanted = {
        .host = options->host,
        .port = options->port,
        .tls = listeners->ssl,
        .proxies = options->proxy_protocol ? options->trusted_proxies : NULL,
        .proxy_count = options->proxy_protocol ? (size_t)options->trusted_proxy_count : 0,
        .handler = &lq_web_handler,
        .context = &listeners->entry,
        .accept = on_accept,
        .ended = on_ended,
    };
    return lq_listener_open(listeners->net, &listeners->listener, &wanted, err);
}

static int open_for_operators(struct lq_listeners *listeners, struct lq_error *err)
{
    const struct lq_listener_options wanted = {
        .host = listeners->options->admin_host,
        .port = listeners->options->admin_port,
        .handler = &lq_web_handler,
        .context = &listeners->admin_entry,
        .accept = on_admin_accept,
        .ended = on_admin_ended,
    };
    return lq_listener_open(listeners->net, &listeners->admin_listener, &wanted, err);
}

int lq_listeners_open(struct lq_listeners *listeners, struct lq_web *web, struct lq_error *err)
{
    listeners->entry = (struct lq_entry){{web, false}, listeners};
    listeners->admin_entry = (struct lq_entry){{web, true}, listeners};
    if (!lq_address_limits_init(&listeners->connections, limit_files(listeners->options),
                       listeners->options->address_sessions_max * LQ_SESSION_CONNECTIONS_MAX))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_net_new(&listeners->net, err);
    if (status == LQ_OK && has_tls(listeners->options))
        status = open_tls(listeners, err);
    if (status == LQ_OK)
        status = open_for_clients(listeners, err);
    if (status == LQ_OK && listeners->options->admin_port >= 0)
        status = open_for_operators(listeners, err);
    return status;
}

void lq_listeners_close(struct lq_listeners *listeners)
{
    lq_net_free(listeners->net);
    SSL_CTX_free(listeners->ssl);
    lq_address_limits_release(&listeners->connections);
    listeners->net = NULL;
}

void lq_listeners_print(const struct lq_listeners *listeners)
{
    const struct lq_serve_options *options = listeners->options;
    const char *scheme = has_tls(listeners->options) ? "https" : "http";
    bool everywhere = strcmp(options->host, "0.0.0.0") == 0 || strcmp(options->host, "::") == 0;
    bool local = everywhere || strcmp(options->host, "127.0.0.1") == 0;
    bool v6 = !local && strchr(options->host, ':');
    int port = lq_listener_port(listeners->listener);
    char lan[64];
    printf("listening on %s://%s%s%s:%d", scheme, v6 ? "[" : "",
           local ? "localhost" : options->host, v6 ? "]" : "", port);
    if (everywhere && lq_tls_lan_address(lan, sizeof lan))
        printf(" and %s://%s:%d", scheme, lan, port);
    printf("\n");
    if (listeners->admin_listener) {
        v6 = strchr(options->admin_host, ':') != NULL;
        printf("admin on http://%s%s%s:%d\n", v6 ? "[" : "", options->admin_host, v6 ? "]" : "",
               lq_listener_port(listeners->admin_listener));
    }
    fflush(stdout);
    if (everywhere && !has_tls(listeners->options))
        lq_log_info("browsers on other devices allow the camera only over HTTPS: see "
                    "--tls-self-signed");
}
