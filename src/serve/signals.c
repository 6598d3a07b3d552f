// Signals, which the loop reads like any socket: the end, and certificate and tokens read again.
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "serve/server.h"

// A terminal that closes sends SIGHUP too, so it means "read again" only where there is what to
// read.
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

static void on_signal(struct lq_watch *watch, uint32_t events)
{
    struct lq_server *server =
        (struct lq_server *)((char *)watch - offsetof(struct lq_server, signals));
    struct signalfd_siginfo info;
    (void)events;
    while (read(watch->fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGHUP)
            lq_server_reload(server);
        else
            lq_drain_start(server, info.ssi_signo == SIGTERM);
}

int lq_signals_watch(struct lq_server *server, struct lq_error *err)
{
    sigset_t set = watched_signals(server->options);
    server->signals = (struct lq_watch){.ready = on_signal,
                                        .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    if (server->signals.fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot watch for signals: %s", strerror(errno));
    return lq_watch_start(lq_net_loop(server->net), &server->signals, EPOLLIN, err);
}
