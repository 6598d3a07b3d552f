#include "serve/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "serve/serve.h"

// A closing terminal also sends SIGHUP, so it means "reload" only if there is something to reload.
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
    // A service has no terminal that could close, so SIGHUP with nothing to reload must not end it.
    if (!sigismember(&set, SIGHUP) && !isatty(STDIN_FILENO))
        signal(SIGHUP, SIG_IGN);
}

static void on_signal(struct lq_watch *watch, uint32_t events)
{
    struct lq_signals *signals =
        (struct lq_signals *)((char *)watch - offsetof(struct lq_signals, watch));
    struct signalfd_siginfo info;
    int delay_s = signals->drain->listeners->options->drain_delay_s;
    (void)events;
    while (read(watch->fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGHUP)
            lq_reload(signals->reload);
        else
            lq_drain_start(signals->drain, info.ssi_signo == SIGTERM ? delay_s : 0);
}

int lq_signals_watch(struct lq_signals *signals, struct lq_error *err)
{
    const struct lq_listeners *listeners = signals->drain->listeners;
    sigset_t set = watched_signals(listeners->options);
    signals->watch = (struct lq_watch){.ready = on_signal,
                                       .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    if (signals->watch.fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot watch for signals: %s", strerror(errno));
    return lq_watch_start(lq_net_loop(listeners->net), &signals->watch, EPOLLIN, err);
}

void lq_signals_close(struct lq_signals *signals)
{
    if (signals->watch.fd < 0)
        return;
    lq_watch_stop(lq_net_loop(signals->drain->listeners->net), &signals->watch);
    close(signals->watch.fd);
    signals->watch.fd = -1;
}
