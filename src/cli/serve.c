#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/host.h"
#include "cli/look_options.h"
#include "cli/model_check.h"
#include "cli/model_options.h"
#include "cli/number.h"
#include "cli/sandbox.h"
#include "cli/tune_serve.h"
#include "serve/guard/origin.h"
#include "serve/guard/sandbox.h"
#include "serve/sched/load.h"
#include "serve/serve.h"

// A worker mostly waits for the inference server, which batches simultaneous requests.
enum { REMOTE_WORKERS = 8 };

enum { DEFAULT_PER_ADDRESS = -1 };

struct serve {
    struct lq_cli_model model;
    struct lq_cli_look look; // for the folder of looks
    struct lq_serve_options options;
    const char *user;
    bool no_sandbox;
    int tune_after_s;
    char host[LQ_HOST_SIZE], admin_host[LQ_HOST_SIZE]; // IP addresses of the given host names
};

static void set_log_level(struct argp_state *state, void *input, char *word)
{
    static const char *const names[] = {"error", "warn", "info", "debug", NULL};
    (void)input;
    lq_log_set_level((enum lq_log_level)lq_cli_word(state, "log-level", word, names));
}

static void set_log_format(struct argp_state *state, void *input, char *word)
{
    (void)input;
    if (strcmp(word, "json") != 0 && strcmp(word, "text") != 0)
        argp_error(state, "--log-format takes text or json");
    lq_log_set_format(strcmp(word, "json") == 0 ? LQ_LOG_JSON : LQ_LOG_TEXT);
}

static void set_host(struct argp_state *state, void *input, char *name)
{
    struct serve *serve = input;
    serve->options.host = lq_cli_host(state, "host", name, serve->host);
}

static void set_admin_host(struct argp_state *state, void *input, char *name)
{
    struct serve *serve = input;
    serve->options.admin_host = lq_cli_host(state, "admin-host", name, serve->admin_host);
}

static void set_frame_memory(struct argp_state *state, void *input, char *text)
{
    ((struct serve *)input)->options.frame_bytes_max =
        (size_t)lq_cli_integer(state, "max-frame-memory", text, 1, 1000000) << 20;
}

static void add_origin(struct argp_state *state, void *input, char *origin)
{
    struct lq_serve_options *serve = &((struct serve *)input)->options;
    if (serve->allow_origin_count == LQ_ALLOW_ORIGINS_MAX)
        argp_error(state, "--allow-origin may be given %d times", LQ_ALLOW_ORIGINS_MAX);
    struct lq_error error;
    if (lq_origin_clean(origin, &error) != LQ_OK)
        argp_error(state, "--allow-origin: %s", error.text);
    serve->allow_origins[serve->allow_origin_count++] = origin;
}

// Adds a source to the Content-Security-Policy, in which ';' and ',' would end the directive.
static void add_ancestor(struct argp_state *state, void *input, char *origin)
{
    struct lq_serve_options *serve = &((struct serve *)input)->options;
    struct lq_error error;
    size_t len = 0;
    if (serve->frame_ancestor_count == LQ_ALLOW_ORIGINS_MAX)
        argp_error(state, "--frame-ancestors may be given %d times", LQ_ALLOW_ORIGINS_MAX);
    if (lq_origin_clean(origin, &error) != LQ_OK)
        argp_error(state, "--frame-ancestors: %s", error.text);
    if (strpbrk(origin, ";, '\""))
        argp_error(state, "--frame-ancestors: '%s' is no origin", origin);
    serve->frame_ancestors[serve->frame_ancestor_count++] = origin;
    for (int i = 0; i < serve->frame_ancestor_count; i++)
        len += strlen(serve->frame_ancestors[i]) + 1;
    if (len > LQ_FRAME_ANCESTORS_CHARS_MAX)
        argp_error(state, "--frame-ancestors take %d characters together",
                   LQ_FRAME_ANCESTORS_CHARS_MAX);
}

// Sets a header's value. No browser needs a longer one, and proxies may not forward it.
static void set_csp(struct argp_state *state, void *input, char *policy)
{
    for (const char *c = policy; *c; c++)
        if (*c < ' ' || *c > '~')
            argp_error(state, "--csp takes one line of ASCII text");
    if (strlen(policy) > LQ_CSP_CHARS_MAX)
        argp_error(state, "--csp takes %d characters at most", LQ_CSP_CHARS_MAX);
    ((struct serve *)input)->options.csp = policy;
}

static void add_proxy(struct argp_state *state, void *input, char *text)
{
    struct lq_serve_options *serve = &((struct serve *)input)->options;
    struct lq_error error;
    if (serve->trusted_proxy_count == LQ_TRUSTED_PROXIES_MAX)
        argp_error(state, "--trusted-proxy may be given %d times", LQ_TRUSTED_PROXIES_MAX);
    struct lq_net_block *block = &serve->trusted_proxies[serve->trusted_proxy_count++];
    if (lq_net_block_parse(block, text, &error) != LQ_OK)
        argp_error(state, "--trusted-proxy: %s", error.text);
}

static void check_web(struct argp_state *state, const char *folder)
{
    struct stat info;
    if (stat(folder, &info) == 0 && !S_ISDIR(info.st_mode))
        argp_error(state, "--web: '%s' is not a folder", folder);
    else if (access(folder, R_OK | X_OK) != 0)
        argp_error(state, "--web: cannot read the folder '%s': %s", folder, strerror(errno));
}

static const struct lq_cli_option options[] = {
    {NULL, NULL, "Server:", 1},
    {"port", "N", "Port to listen on (default: PORT of the environment, else 8080; 0: any)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.port, 0, 65535), .letter = 'p'},
    {"host", "ADDRESS",
     "Address or host name to listen on (default 127.0.0.1; 0.0.0.0 lets other machines connect)",
     1, LQ_CLI_TAKE_CALL(set_host)},
    {"admin-port", "N",
     "Second port, for operators only: /metrics, /healthz and /readyz (0: any; by convention 9464; "
     "default: none)", 1, LQ_CLI_TAKE_INTEGER(struct serve, options.admin_port, 0, 65535)},
    {"admin-host", "ADDRESS", "Address of the admin port (default 127.0.0.1)", 1,
     LQ_CLI_TAKE_CALL(set_admin_host)},
    {"trusted-proxy", "CIDR",
     "Trust what proxies in this network (10.0.0.0/8, ::1) say about their clients: "
     "X-Forwarded-For, -Host and -Proto, Forwarded; may be given again", 1,
     LQ_CLI_TAKE_CALL(add_proxy)},
    {"proxy-protocol", NULL,
     "Expect a PROXY header (version 1 or 2) at the start of each connection from a trusted "
     "proxy", 1, LQ_CLI_TAKE_ON(struct serve, options.proxy_protocol)},
    {"tls-cert", "FILE", "Serve HTTPS with this PEM certificate (chain)", 1,
     LQ_CLI_TAKE_TEXT(struct serve, options.tls_cert)},
    {"tls-key", "FILE", "The certificate's PEM private key", 1,
     LQ_CLI_TAKE_TEXT(struct serve, options.tls_key)},
    {"tls-self-signed", NULL,
     "Serve HTTPS with a certificate made at the start (phones allow the camera on HTTPS pages "
     "only)", 1, LQ_CLI_TAKE_ON(struct serve, options.tls_self_signed)},
    {"allow-origin", "ORIGIN",
     "Let pages from this origin (https://example.org, or * for all) use the server; may be given "
     "again", 1, LQ_CLI_TAKE_CALL(add_origin)},
    {"token-file", "FILE",
     "Accept only clients that send one of the tokens in this file, one per line (Authorization: "
     "Bearer); open the page as /?token=… once", 1,
     LQ_CLI_TAKE_TEXT(struct serve, options.token_file)},
    {"max-sessions", "N", "Most sessions at once (default 512)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.sessions_max, 1, 10000)},
    {"drain-delay", "SECONDS",
     "After SIGTERM, report not ready at /readyz but keep serving for this long, until balancers "
     "have noticed (default 0)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.drain_delay_s, 0, 600)},
    {"max-wait", "MS",
     "Longest wait of a frame for a worker; from half of it on, new live sessions are refused "
     "(default 60)", 1, LQ_CLI_TAKE_INTEGER(struct serve, options.wait_ms_max, 1, 60000)},
    {"max-sessions-per-address", "N",
     "Most sessions from one client address (0: no limit; default 32, no limit on a loopback "
     "--host without --trusted-proxy)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.address_sessions_max, 0, 10000)},
    {"max-frame-memory", "MIB",
     "Memory for all frames and replies together; beyond it the client that holds the most is "
     "disconnected (default 1024, or a quarter of the machine's memory if that is less)", 1,
     LQ_CLI_TAKE_CALL(set_frame_memory)},
    {"max-fps", "N", "Most frames a second per session (default 1000)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.fps_max, 1, 100000)},
    {"idle-timeout", "SECONDS",
     "End a live session that sent no frame for this long (default 600)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.idle_timeout_s, 1, 1000000)},
    {"user", "NAME",
     "Switch to this user after opening the port and reading the key (needs root)", 1,
     LQ_CLI_TAKE_TEXT(struct serve, user)},
    {"no-sandbox", NULL,
     "Turn the sandbox off. By default the kernel, if it supports Landlock and seccomp, denies "
     "files, network and system calls that the server does not need", 1,
     LQ_CLI_TAKE_ON(struct serve, no_sandbox)},
    {"workers", "N",
     "Frames processed at once (default: the number of cores; 1 with --tune latency; 8 with Triton "
     "or an NVIDIA GPU)", 1, LQ_CLI_TAKE_INTEGER(struct serve, options.workers, 1, 256)},
    {"max-age", "MS",
     "Drop a live frame that is older than this and has no reply yet (default 2000)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.max_age_ms, 1, 60000)},
    {"jpeg-quality", "30..95", "Quality of replies unless the client sets one (default 85)", 1,
     LQ_CLI_TAKE_INTEGER(struct serve, options.jpeg_quality, 30, 95)},
    {"no-smoothing", NULL, "Do not smooth the outlines of live nails from frame to frame", 1,
     LQ_CLI_TAKE_OFF(struct serve, options.smooth)},
    {"no-propagation", NULL,
     "Run the network on each live frame. By default, while other sessions wait, the server "
     "propagates the nails of the previous frame, moved by the motion since, in up to two of three "
     "frames", 1, LQ_CLI_TAKE_OFF(struct serve, options.propagate)},
    {"no-carrying", NULL, "--no-propagation until 1.0", 1,
     LQ_CLI_TAKE_OFF(struct serve, options.propagate), .flags = OPTION_HIDDEN},
    {"tune-after", "SECONDS",
     "If no result of `lacquer tune` is saved for this machine, tune in the background this long "
     "after the start (default 10)", 1, LQ_CLI_TAKE_INTEGER(struct serve, tune_after_s, 0, 86400)},
    {"web", "DIR", "Serve the pages in this folder instead of the built-in one", 1,
     LQ_CLI_TAKE_TEXT(struct serve, options.web_dir)},
    {"frame-ancestors", "ORIGIN",
     "Let pages of this origin show the built-in page in an iframe (may be given again; '*': "
     "all)", 1, LQ_CLI_TAKE_CALL(add_ancestor)},
    {"csp", "POLICY",
     "Send this Content-Security-Policy with every response ('': none; default: a strict one, none "
     "with --web)", 1, LQ_CLI_TAKE_CALL(set_csp)},
    {"log-level", "error|warn|info|debug", "Least severity to log (default info)", 1,
     LQ_CLI_TAKE_CALL(set_log_level)},
    {"log-format", "text|json",
     "Log format: plain lines, or one JSON object per line (default text)", 1,
     LQ_CLI_TAKE_CALL(set_log_format)},
    {0}};

static size_t default_frame_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    size_t quarter = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : LQ_FRAMES_BYTES_MAX;
    return quarter < LQ_FRAMES_BYTES_MAX ? quarter : LQ_FRAMES_BYTES_MAX;
}

static void check(struct argp_state *state, void *input)
{
    struct serve *given = input;
    struct lq_serve_options *serve = &given->options;
    if (!serve->tls_cert != !serve->tls_key)
        argp_error(state, "--tls-cert and --tls-key belong together");
    if (serve->tls_cert && serve->tls_self_signed)
        argp_error(state, "--tls-self-signed makes its own certificate: leave --tls-cert out");
    if (serve->web_dir)
        check_web(state, serve->web_dir);
    if (serve->admin_host && serve->admin_port < 0)
        argp_error(state, "--admin-host needs --admin-port");
    if (!serve->admin_host)
        serve->admin_host = "127.0.0.1";
    if (serve->proxy_protocol && serve->trusted_proxy_count == 0)
        argp_error(state, "--proxy-protocol needs --trusted-proxy, the proxies whose header is "
                          "trusted");
    // A client on loopback is a proxy or the user's own; either may have many sessions.
    bool loopback = strncmp(serve->host, "127.", 4) == 0 || strcmp(serve->host, "::1") == 0;
    bool alike = loopback && serve->trusted_proxy_count == 0;
    if (serve->address_sessions_max == DEFAULT_PER_ADDRESS)
        serve->address_sessions_max = alike ? 0 : LQ_ADDRESS_SESSIONS_MAX;
    if (!serve->frame_bytes_max)
        serve->frame_bytes_max = default_frame_bytes();
    const struct lq_model_options *model = &given->model.options;
    bool remote = (model->engine && strcmp(model->engine, "triton") == 0) ||
                  lq_cli_model_on_nvidia(&given->model);
    if (serve->workers == 0)
        serve->workers = remote ? REMOTE_WORKERS
                         : model->tune != LQ_TUNE_LATENCY ? lq_cpu_count() : 1;
}

static int give_up_rights(void *context, struct lq_error *err)
{
    struct serve *serve = context;
    int status = serve->user ? lq_sandbox_user(serve->user, err) : LQ_OK;
    if (status != LQ_OK || serve->no_sandbox)
        return status;
    lq_sandbox_memory();
    return lq_cli_sandbox(&serve->model, &serve->options, err);
}

static int take_port_of_environment(struct lq_serve_options *chosen, struct lq_error *err)
{
    const char *port = getenv("PORT");
    long number = 0;
    if (!port || !*port)
        return LQ_OK;
    if (!lq_cli_read_integer(port, 0, 65535, &number))
        return lq_fail(err, LQ_ERR_ARGUMENT, "PORT in the environment is not a port, a whole "
                       "number from 0 to 65535: '%.40s'", port);
    chosen->port = (int)number;
    return LQ_OK;
}

static int run(struct serve *serve, struct lq_error *err)
{
    struct lq_server *server = NULL;
    struct lq_model *model = NULL;
    struct lq_tune_beside beside; // forked before the port is open, so it does not inherit it
    lq_tune_beside_fork(&beside, &serve->model, give_up_rights, serve);
    // Opening the port and the key may need privileges, which must be dropped before a foreign
    // model is read.
    int status = lq_server_open(&server, &serve->options, err);
    // Try a foreign model first in a separate process, as confined as this one will be.
    if (status == LQ_OK)
        status = lq_cli_model_check(&serve->model, give_up_rights, serve, err);
    if (status == LQ_OK)
        status = give_up_rights(serve, err);
    bool tuned = status == LQ_OK && lq_tune_take(&serve->model);
    if (status == LQ_OK)
        status = lq_cli_model_open(&serve->model, &model, err);
    if (tuned)
        lq_tune_beside_end(&beside);
    else if (status == LQ_OK)
        lq_tune_beside_watch(&beside, &serve->model, server, serve->tune_after_s);
    if (status == LQ_OK)
        status = lq_server_run(server, model, err);
    lq_tune_beside_end(&beside);
    lq_server_close(server);
    lq_tune_beside_release(&beside);
    lq_model_leave(model);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct serve serve = {.tune_after_s = 10,
                          .options = {.host = "127.0.0.1",
                                      .port = 8080,
                                      .admin_port = -1,
                                      .jpeg_quality = 85,
                                      .max_age_ms = 2000,
                                      .smooth = true,
                                      .propagate = true,
                                      .sessions_max = LQ_SESSIONS_MAX,
                                      .wait_ms_max = LQ_LOAD_WAIT_MS,
                                      .address_sessions_max = DEFAULT_PER_ADDRESS,
                                      .fps_max = LQ_FRAMES_PER_S_MAX,
                                      .idle_timeout_s = LQ_IDLE_S}};
    struct lq_error error;
    lq_cli_model_init(&serve.model);
    serve.model.options.tune = LQ_TUNE_BOTH;
    lq_cli_look_init(&serve.look);
    if (take_port_of_environment(&serve.options, &error) != LQ_OK)
        return lq_cli_error(&error);
    lq_cli_parse(&lq_serve_command.line, argc, argv, &serve);
    serve.options.catalogue = serve.look.catalogue;
    lq_serve_block_signals(&serve.options);
    int status = run(&serve, &error);
    lq_cli_look_release(&serve.look);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&error);
}

static const struct lq_cli_part parts[] = {
    {&lq_cli_model_spec, offsetof(struct serve, model)},
    {&lq_cli_looks_spec, offsetof(struct serve, look)},
    {0}};

const struct lq_command lq_serve_command = {
    "serve", "serve the live page and the API", run_command,
    {.options = options, .parts = parts, .check = check,
     .doc = "Serves the live page, the HTTP API, WebSocket and Socket.IO from one port.\v"
            "Stops on SIGINT or SIGTERM after finishing the frames it is working on. SIGHUP reads "
            "the certificate, its key and the tokens again."}};
