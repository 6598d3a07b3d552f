// Stopping: what happens between a signal and the end, so that a balancer in front and the clients
// notice nothing worse than a close with code 1001.
//
//   SIGTERM      /readyz says 503; all goes on as before for --drain-delay seconds
//   then         the listener is closed; live clients are told
//   +300 ms      who has sent nothing for so long and has its replies is closed: what it sent before
//                it could hear of the stop has come
//   +1 s         frames that come now are dropped, so that who never pauses is done with, too
//   +5 s         the end for whoever does not read its replies; counted from the moment when the
//                last picture that was under way is finished. As long as work gets on it is waited
//                for, for LQ_DRAIN_WORK_S at most
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/server.h"

enum { DRAIN_TICK_MS = 20 };

static bool passed_ms(const struct lq_server *server, uint64_t ms)
{
    return server->drain_from_us && lq_clock_us() >= server->drain_from_us + ms * 1000;
}

bool lq_server_takes_frames(const struct lq_server *server)
{
    return !passed_ms(server, LQ_DRAIN_TAKE_MS);
}

bool lq_server_done_with(const struct lq_server *server, struct lq_session *session)
{
    bool quiet = lq_clock_us() >= session->used_us + LQ_DRAIN_QUIET_MS * 1000;
    return passed_ms(server, LQ_DRAIN_QUIET_MS) && (quiet || !lq_server_takes_frames(server)) &&
           !lq_session_busy(session);
}

// Whether a picture waits or is worked on by a worker that gets on.
static bool is_working(const struct lq_server *server, uint64_t now_us)
{
    struct lq_workers_state state = lq_workers_state(server->workers);
    uint64_t limit_us = LQ_STALL_S * UINT64_C(1000000);
    return state.working > lq_workers_stalled(server->workers, now_us, limit_us).count;
}

bool lq_drain_is_over(struct lq_server *server)
{
    uint64_t now_us = lq_clock_us();
    if (passed_ms(server, LQ_DRAIN_WORK_S * UINT64_C(1000)))
        return true;
    if (server->drain_from_us && is_working(server, now_us))
        server->drain_worked_us = now_us;
    if (passed_ms(server, LQ_DRAIN_MS) && now_us >= server->drain_worked_us + LQ_DRAIN_MS * 1000)
        return true;
    return passed_ms(server, LQ_DRAIN_QUIET_MS) && server->session_count == 0 && !server->conns &&
           server->flushing == 0;
}

// libwebsockets 4.1 closes a listener only together with its connections. So another descriptor
// takes its number: one that never becomes readable and that the library closes at the end.
void lq_drain_close_listener(struct lq_server *server)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    if (server->listen_fd < 0 ||
        getsockopt(server->listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens)
        return;
    int silent = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (silent < 0 || dup3(silent, server->listen_fd, O_CLOEXEC) < 0)
        lq_log_warn("cannot close the listening socket: turning connections away one by one");
    if (silent >= 0)
        close(silent);
    server->listen_fd = -1;
}

static void on_drain_tick(lws_sorted_usec_list_t *sul)
{
    struct lq_server *server = lws_container_of(sul, struct lq_server, drain_timer);
    for (struct lq_conn *conn = server->conns; conn; conn = conn->next)
        if (conn->ops->drain)
            lws_callback_on_writable(conn->wsi);
    lq_sio_tick(server, lq_clock_us());
    lws_sul_schedule(server->context, 0, sul, on_drain_tick, DRAIN_TICK_MS * LWS_US_PER_MS);
}

static void drain(struct lq_server *server)
{
    lq_log_info("stopping: finishing %d session(s)", server->session_count);
    server->drain_from_us = lq_clock_us();
    lq_drain_close_listener(server);
    for (struct lq_conn *conn = server->conns, *next; conn; conn = next) {
        next = conn->next;
        if (conn->ops->drain)
            conn->ops->drain(conn);
    }
    lws_sul_schedule(server->context, 0, &server->drain_timer, on_drain_tick,
                     DRAIN_TICK_MS * LWS_US_PER_MS);
}

static void on_delay_over(lws_sorted_usec_list_t *sul)
{
    drain(lws_container_of(sul, struct lq_server, drain_timer));
}

void lq_drain_start(struct lq_server *server, bool wait)
{
    if (server->told_to_stop) {
        server->stop = true;
        return;
    }
    server->told_to_stop = true;
    int delay_s = wait ? server->options->drain_delay_s : 0;
    if (delay_s == 0) {
        drain(server);
        return;
    }
    lq_log_info("stopping in %d s: serving on while /readyz says so", delay_s);
    lws_sul_schedule(server->context, 0, &server->drain_timer, on_delay_over,
                     delay_s * LWS_US_PER_SEC);
}
