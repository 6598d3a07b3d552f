// Signals, which the loop reads like any socket: the end, and certificate and tokens read again.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "serve/server.h"

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

int lq_signals_watch(struct lq_server *server, struct lq_error *err)
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

void lq_signals_read(struct lq_server *server)
{
    struct signalfd_siginfo info;
    if (read(server->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        lq_server_reload(server);
    else
        lq_drain_start(server, info.ssi_signo == SIGTERM);
}
