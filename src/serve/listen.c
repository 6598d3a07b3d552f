#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "serve/tls.h"

// What libwebsockets has to say; its warnings are about clients, so they are for debugging only. What
// it says again and again, such as that it has no descriptor for another connection, is said once a
// second: a client must not be able to fill the disk with it.
static void log_library(int level, const char *line)
{
    static uint64_t said_us; // the loop's thread alone comes here
    uint64_t now_us = lq_clock_us();
    size_t len = strcspn(line, "\n");
    bool often = said_us && now_us < said_us + 1000000;
    if (level == LLL_ERR && !often)
        said_us = now_us;
    lq_log(level == LLL_ERR && !often ? LQ_LOG_WARN : LQ_LOG_DEBUG, "libwebsockets: %.*s", (int)len,
           line);
}

enum { OWN_FILES = 128 }; // what an engine, its cache and the loop itself open

// Room for every session and a few more connections; some systems allow only 1024 by default, and
// libwebsockets reserves tables for as many as are allowed, which may be a million. Returns how many
// connections there is room for: the library goes round and round over one that it has no
// descriptor for.
static int limit_files(const struct lq_serve_options *options)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)options->sessions_max * 4 + 512;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return options->sessions_max;
    limit.rlim_cur = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < want ? limit.rlim_max : want;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 2 * OWN_FILES ? (int)limit.rlim_cur - OWN_FILES
                                          : (int)limit.rlim_cur / 2 + 1;
}

int lq_listen_context(struct lq_server *server, struct lq_error *err)
{
    lws_set_log_level(LLL_ERR | (lq_log_level() == LQ_LOG_DEBUG ? LLL_WARN | LLL_NOTICE : 0),
                      log_library);
    if (!lq_peers_init(&server->callers, limit_files(server->options),
                       server->options->address_sessions_max * LQ_SESSION_CONNECTIONS_MAX))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   (server->tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .gid = -1,
        .uid = -1,
        .user = server,
        .server_string = "lacquer",
        .pt_serv_buf_size = 64 * 1024,
        .max_http_header_data = LQ_HEADER_BYTES_MAX,
        .timeout_secs = LQ_HANDSHAKE_S,
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

int lq_listen_open(struct lq_server *server, const struct lws_protocols *protocols,
                   struct lq_error *err)
{
    // The server pings itself (lq_conn_tick_ping); the library's ping comes only just before the end.
    static const lws_retry_bo_t ping = {.secs_since_valid_ping = LQ_PONG_S - 1,
                                        .secs_since_valid_hangup = LQ_PONG_S};
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
        .keepalive_timeout = LQ_KEEPALIVE_S,
        .timeout_secs = LQ_HANDSHAKE_S,
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
    status = server->vhost ? LQ_OK
                           : lq_fail(err, LQ_ERR_IO, "cannot listen on %s port %d%s",
                                     options->host, options->port,
                                     server->tls ? " with this certificate and key" : "");
    // libwebsockets takes the first certificate only; a chain needs all of them.
    if (status == LQ_OK && server->tls)
        status = lq_tls_pair_use(&pair, server->ssl, err);
    lq_tls_pair_release(&pair);
    if (status != LQ_OK)
        return status;
    server->port = lws_get_vhost_listen_port(server->vhost);
    return LQ_OK;
}

void lq_listen_print(const struct lq_server *server)
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
