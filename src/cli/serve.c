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
#include "cli/sandbox.h"
#include "cli/tune_serve.h"
#include "serve/guard/origin.h"
#include "serve/guard/sandbox.h"
#include "serve/sched/load.h"
#include "serve/serve.h"

enum { OPT_HOST = 0x200, OPT_WORKERS, OPT_TLS_CERT, OPT_TLS_KEY, OPT_SELF_SIGNED, OPT_WEB,
       OPT_LOG_LEVEL, OPT_LOG_FORMAT, OPT_TUNE_AFTER, OPT_DRAIN,
       OPT_QUALITY, OPT_SESSIONS, OPT_WAIT, OPT_ORIGIN,
       OPT_MAX_AGE, OPT_PER_ADDRESS, OPT_FPS, OPT_IDLE, OPT_TOKENS, OPT_USER, OPT_NO_SANDBOX,
       OPT_NO_SMOOTHING, OPT_NO_PROPAGATION, OPT_MEMORY, OPT_CSP, OPT_ADMIN_PORT, OPT_ADMIN_HOST,
       OPT_FRAME_ANCESTORS, OPT_TRUSTED_PROXY, OPT_PROXY_PROTOCOL };
// Most of a frame's time goes by at the inference server; it batches what is asked at once.
enum { REMOTE_WORKERS = 8 };

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Server:", 1},
    {"port", 'p', "N", 0, "Port to listen on (default: PORT of the environment, else 8080; 0: any)",
     1},
    {"host", OPT_HOST, "ADDRESS", 0,
     "Address or host name to listen on (default 127.0.0.1; 0.0.0.0 lets other machines connect)",
     1},
    {"admin-port", OPT_ADMIN_PORT, "N", 0,
     "Second port, for operators only: /metrics, /healthz and /readyz (0: any; by convention 9464; "
     "default: none)",
     1},
    {"admin-host", OPT_ADMIN_HOST, "ADDRESS", 0,
     "Address of the admin port (default 127.0.0.1)", 1},
    {"trusted-proxy", OPT_TRUSTED_PROXY, "CIDR", 0,
     "Trust what proxies in this network (10.0.0.0/8, ::1) say about their clients: "
     "X-Forwarded-For, -Host and -Proto, Forwarded; may be given again",
     1},
    {"proxy-protocol", OPT_PROXY_PROTOCOL, NULL, 0,
     "Expect a PROXY header (version 1 or 2) at the start of each connection from a trusted "
     "proxy", 1},
    {"tls-cert", OPT_TLS_CERT, "FILE", 0, "Serve HTTPS with this PEM certificate (chain)", 1},
    {"tls-key", OPT_TLS_KEY, "FILE", 0, "The certificate's PEM private key", 1},
    {"tls-self-signed", OPT_SELF_SIGNED, NULL, 0,
     "Serve HTTPS with a certificate made at the start (phones allow the camera on HTTPS pages "
     "only)",
     1},
    {"allow-origin", OPT_ORIGIN, "ORIGIN", 0,
     "Let pages from this origin (https://example.org, or * for all) use the server; may be given "
     "again", 1},
    {"token-file", OPT_TOKENS, "FILE", 0,
     "Accept only clients that send one of the tokens in this file, one per line (Authorization: "
     "Bearer); open the page as /?token=… once",
     1},
    {"max-sessions", OPT_SESSIONS, "N", 0, "Most sessions at once (default 512)", 1},
    {"drain-delay", OPT_DRAIN, "SECONDS", 0,
     "After SIGTERM, report not ready at /readyz but keep serving for this long, until balancers "
     "have noticed (default 0)",
     1},
    {"max-wait", OPT_WAIT, "MS", 0,
     "Longest wait of a frame for a worker; from half of it on, new live sessions are refused "
     "(default 60)", 1},
    {"max-sessions-per-address", OPT_PER_ADDRESS, "N", 0,
     "Most sessions from one client address (0: no limit; default 32, no limit on a loopback "
     "--host without --trusted-proxy)",
     1},
    {"max-frame-memory", OPT_MEMORY, "MIB", 0,
     "Memory for all frames and replies together; beyond it the client that holds the most is "
     "disconnected (default 1024, or a quarter of the machine's memory if that is less)",
     1},
    {"max-fps", OPT_FPS, "N", 0, "Most frames a second per session (default 1000)", 1},
    {"idle-timeout", OPT_IDLE, "SECONDS", 0,
     "End a live session that sent no frame for this long (default 600)", 1},
    {"user", OPT_USER, "NAME", 0,
     "Switch to this user after opening the port and reading the key (needs root)", 1},
    {"no-sandbox", OPT_NO_SANDBOX, NULL, 0,
     "Turn the sandbox off. By default the kernel, if it supports Landlock and seccomp, denies "
     "files, network and system calls that the server does not need",
     1},
    {"workers", OPT_WORKERS, "N", 0,
     "Frames processed at once (default: the number of cores; 1 with --tune latency; 8 with Triton "
     "or an NVIDIA GPU)",
     1},
    {"max-age", OPT_MAX_AGE, "MS", 0,
     "Drop a live frame that is older than this and has no reply yet (default 2000)", 1},
    {"jpeg-quality", OPT_QUALITY, "30..95", 0,
     "Quality of replies unless the client sets one (default 85)", 1},
    {"no-smoothing", OPT_NO_SMOOTHING, NULL, 0,
     "Do not smooth the outlines of live nails from frame to frame", 1},
    {"no-propagation", OPT_NO_PROPAGATION, NULL, 0,
     "Run the network on each live frame. By default, while other sessions wait, the server "
     "propagates the nails of the previous frame, moved by the motion since, in up to two of three "
     "frames",
         1},
    {"no-carrying", OPT_NO_PROPAGATION, NULL, OPTION_HIDDEN, "--no-propagation until 1.0", 1},
    {"tune-after", OPT_TUNE_AFTER, "SECONDS", 0,
     "If no result of `lacquer tune` is saved for this machine, tune in the background this long "
     "after the start (default 10)", 1},
    {"web", OPT_WEB, "DIR", 0, "Serve the pages in this folder instead of the built-in one", 1},
    {"frame-ancestors", OPT_FRAME_ANCESTORS, "ORIGIN", 0,
     "Let pages of this origin show the built-in page in an iframe (may be given again; '*': "
     "all)", 1},
    {"csp", OPT_CSP, "POLICY", 0,
     "Send this Content-Security-Policy with every response ('': none; default: a strict one, none "
     "with --web)",
     1},
    {"log-level", OPT_LOG_LEVEL, "error|warn|info|debug", 0,
     "Least severity to log (default info)", 1},
    {"log-format", OPT_LOG_FORMAT, "text|json", 0,
     "Log format: plain lines, or one JSON object per line (default text)", 1},
    {0}};

enum { DEFAULT_PER_ADDRESS = -1 };

struct arguments {
    struct lq_cli_model model;
    struct lq_cli_look look; // where looks are found
    struct lq_serve_options serve;
    const char *user;
    bool no_sandbox;
    int tune_after_s;
    char host[LQ_HOST_SIZE], admin_host[LQ_HOST_SIZE]; // what names of hosts stand for
};

static void set_log_level(struct argp_state *state, const char *text)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < (int)LQ_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            lq_log_set_level((enum lq_log_level)i);
            return;
        }
    argp_error(state, "--log-level does not know '%s'", text);
}

static void set_log_format(struct argp_state *state, const char *text)
{
    if (strcmp(text, "json") != 0 && strcmp(text, "text") != 0)
        argp_error(state, "--log-format takes text or json");
    lq_log_set_format(strcmp(text, "json") == 0 ? LQ_LOG_JSON : LQ_LOG_TEXT);
}

static void add_origin(struct argp_state *state, struct lq_serve_options *serve, char *origin)
{
    if (serve->allow_origin_count == LQ_ALLOW_ORIGINS_MAX)
        argp_error(state, "--allow-origin may be given %d times", LQ_ALLOW_ORIGINS_MAX);
    struct lq_error error;
    if (lq_origin_clean(origin, &error) != LQ_OK)
        argp_error(state, "--allow-origin: %s", error.text);
    serve->allow_origins[serve->allow_origin_count++] = origin;
}

// A word of a Content-Security-Policy, in which ';' and ',' would begin something else.
static void add_ancestor(struct argp_state *state, struct lq_serve_options *serve, char *origin)
{
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

// A header's value. More than this no browser needs, and no proxy may pass on.
static void set_csp(struct argp_state *state, struct lq_serve_options *serve, const char *policy)
{
    for (const char *c = policy; *c; c++)
        if (*c < ' ' || *c > '~')
            argp_error(state, "--csp takes one line of ASCII text");
    if (strlen(policy) > LQ_CSP_CHARS_MAX)
        argp_error(state, "--csp takes %d characters at most", LQ_CSP_CHARS_MAX);
    serve->csp = policy;
}

static void add_proxy(struct argp_state *state, struct lq_serve_options *serve, const char *text)
{
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

static size_t default_frame_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    size_t quarter = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : LQ_FRAMES_BYTES_MAX;
    return quarter < LQ_FRAMES_BYTES_MAX ? quarter : LQ_FRAMES_BYTES_MAX;
}

static void check(struct argp_state *state, struct arguments *arguments)
{
    struct lq_serve_options *serve = &arguments->serve;
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
    // On loopback stands a proxy, or oneself; either may have many sessions.
    bool loopback = strncmp(serve->host, "127.", 4) == 0 || strcmp(serve->host, "::1") == 0;
    bool alike = loopback && serve->trusted_proxy_count == 0;
    if (serve->address_sessions_max == DEFAULT_PER_ADDRESS)
        serve->address_sessions_max = alike ? 0 : LQ_ADDRESS_SESSIONS_MAX;
    if (!serve->frame_bytes_max)
        serve->frame_bytes_max = default_frame_bytes();
    const struct lq_model_options *model = &arguments->model.options;
    bool remote = (model->engine && strcmp(model->engine, "triton") == 0) ||
                  lq_cli_model_on_nvidia(&arguments->model);
    if (serve->workers == 0)
        serve->workers = remote ? REMOTE_WORKERS
                         : model->tune != LQ_TUNE_LATENCY ? lq_cpu_count() : 1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct lq_serve_options *serve = &arguments->serve;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->model;
        state->child_inputs[1] = &arguments->look;
        return 0;
    case 'p':
        serve->port = (int)lq_cli_integer(state, "port", arg, 0, 65535);
        return 0;
    case OPT_HOST:
        serve->host = lq_cli_host(state, "host", arg, arguments->host);
        return 0;
    case OPT_ADMIN_PORT:
        serve->admin_port = (int)lq_cli_integer(state, "admin-port", arg, 0, 65535);
        return 0;
    case OPT_ADMIN_HOST:
        serve->admin_host = lq_cli_host(state, "admin-host", arg, arguments->admin_host);
        return 0;
    case OPT_TRUSTED_PROXY:
        add_proxy(state, serve, arg);
        return 0;
    case OPT_PROXY_PROTOCOL:
        serve->proxy_protocol = true;
        return 0;
    case OPT_TLS_CERT:
        serve->tls_cert = arg;
        return 0;
    case OPT_TLS_KEY:
        serve->tls_key = arg;
        return 0;
    case OPT_SELF_SIGNED:
        serve->tls_self_signed = true;
        return 0;
    case OPT_ORIGIN:
        add_origin(state, serve, arg);
        return 0;
    case OPT_NO_SMOOTHING:
        serve->smooth = false;
        return 0;
    case OPT_NO_PROPAGATION:
        serve->propagate = false;
        return 0;
    case OPT_SESSIONS:
        serve->sessions_max = (int)lq_cli_integer(state, "max-sessions", arg, 1, 10000);
        return 0;
    case OPT_DRAIN:
        serve->drain_delay_s = (int)lq_cli_integer(state, "drain-delay", arg, 0, 600);
        return 0;
    case OPT_WAIT:
        serve->wait_ms_max = (int)lq_cli_integer(state, "max-wait", arg, 1, 60000);
        return 0;
    case OPT_PER_ADDRESS:
        serve->address_sessions_max =
            (int)lq_cli_integer(state, "max-sessions-per-address", arg, 0, 10000);
        return 0;
    case OPT_MEMORY:
        serve->frame_bytes_max =
            (size_t)lq_cli_integer(state, "max-frame-memory", arg, 1, 1000000) << 20;
        return 0;
    case OPT_FPS:
        serve->fps_max = (int)lq_cli_integer(state, "max-fps", arg, 1, 100000);
        return 0;
    case OPT_IDLE:
        serve->idle_timeout_s = (int)lq_cli_integer(state, "idle-timeout", arg, 1, 1000000);
        return 0;
    case OPT_TOKENS:
        serve->token_file = arg;
        return 0;
    case OPT_USER:
        arguments->user = arg;
        return 0;
    case OPT_NO_SANDBOX:
        arguments->no_sandbox = true;
        return 0;
    case OPT_WORKERS:
        serve->workers = (int)lq_cli_integer(state, "workers", arg, 1, 256);
        return 0;
    case OPT_MAX_AGE:
        serve->max_age_ms = (int)lq_cli_integer(state, "max-age", arg, 1, 60000);
        return 0;
    case OPT_QUALITY:
        serve->jpeg_quality = (int)lq_cli_integer(state, "jpeg-quality", arg, 30, 95);
        return 0;
    case OPT_TUNE_AFTER:
        arguments->tune_after_s = (int)lq_cli_integer(state, "tune-after", arg, 0, 86400);
        return 0;
    case OPT_WEB:
        serve->web_dir = arg;
        return 0;
    case OPT_FRAME_ANCESTORS:
        add_ancestor(state, serve, arg);
        return 0;
    case OPT_CSP:
        set_csp(state, serve, arg);
        return 0;
    case OPT_LOG_LEVEL:
        set_log_level(state, arg);
        return 0;
    case OPT_LOG_FORMAT:
        set_log_format(state, arg);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not an option", arg);
        return 0;
    case ARGP_KEY_END:
        check(state, arguments);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&lq_cli_model_argp, 0, NULL, 0},
                                             {&lq_cli_looks_argp, 0, NULL, 0},
                                             {0}};

const struct argp lq_serve_argp = {
    options, parse, NULL,
    "Serves the live page, the HTTP API, WebSocket and Socket.IO from one port.\v"
    "Stops on SIGINT or SIGTERM after finishing the frames it is working on. SIGHUP reads the "
    "certificate, its key and the tokens again.",
    children, NULL, NULL};

static int give_up_rights(void *context, struct lq_error *err)
{
    struct arguments *arguments = context;
    int status = arguments->user ? lq_sandbox_user(arguments->user, err) : LQ_OK;
    if (status != LQ_OK || arguments->no_sandbox)
        return status;
    lq_sandbox_memory();
    return lq_cli_sandbox(&arguments->model, &arguments->serve, err);
}

int lq_cli_serve(int argc, char **argv)
{
    struct arguments arguments = {.tune_after_s = 10,
                                  .serve = {.host = "127.0.0.1",
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
    struct lq_server *server = NULL;
    struct lq_model *model = NULL;
    struct lq_error error;
    lq_cli_model_init(&arguments.model);
    arguments.model.options.tune = LQ_TUNE_BOTH;
    lq_cli_look_init(&arguments.look);
    const char *port = getenv("PORT");
    long number = 0;
    if (port && *port && !lq_cli_read_integer(port, 0, 65535, &number)) {
        lq_fail(&error, LQ_ERR_ARGUMENT, "PORT in the environment is not a port, a whole number "
                "from 0 to 65535: '%.40s'", port);
        return lq_cli_error(&error);
    }
    if (port && *port)
        arguments.serve.port = (int)number;
    argp_parse(&lq_serve_argp, argc, argv, 0, NULL, &arguments);
    arguments.serve.catalogue = arguments.look.catalogue;
    lq_serve_block_signals(&arguments.serve);
    struct lq_tune_beside beside; // before there is a port that it would hold
    lq_tune_beside_fork(&beside, &arguments.model, give_up_rights, &arguments);
    // The port and the key may need rights that whoever reads a stranger's model must not have.
    int status = lq_server_open(&server, &arguments.serve, &error);
    // A stranger's model first in a process of its own, as confined as this one will be.
    if (status == LQ_OK)
        status = lq_cli_model_check(&arguments.model, give_up_rights, &arguments, &error);
    if (status == LQ_OK)
        status = give_up_rights(&arguments, &error);
    bool tuned = status == LQ_OK && lq_tune_take(&arguments.model);
    if (status == LQ_OK)
        status = lq_cli_model_open(&arguments.model, &model, &error);
    if (tuned)
        lq_tune_beside_end(&beside);
    else if (status == LQ_OK)
        lq_tune_beside_watch(&beside, &arguments.model, server, arguments.tune_after_s);
    if (status == LQ_OK)
        status = lq_server_run(server, model, &error);
    lq_tune_beside_end(&beside);
    lq_server_close(server);
    lq_tune_beside_release(&beside);
    lq_model_close(model);
    lq_cli_look_release(&arguments.look);
    return status == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&error);
}
