// Stopping: what happens between a signal and the end, so that a balancer in front and the clients
// notice nothing worse than a close with code 1001.
//
//   SIGTERM      /readyz says 503; all goes on as before for --drain-delay seconds
//   then         the listener is closed; live clients are told
//   +300 ms      who has sent nothing for so long and has its replies is closed: what it sent
//                before it could hear of the stop has come
//   +1 s         frames that come now are dropped, so that who never pauses is done with, too
//   +5 s         the end for whoever does not read its replies; counted from the moment when the
//                last picture that was under way was finished and bytes last came or went. What
//                gets on is waited for, for LQ_DRAIN_WORK_S at most
#include <stddef.h>

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

// Whether something goes on: a worker gets on with a picture, or bytes come or go.
static bool moves(struct lq_server *server, uint64_t now_us)
{
    struct lq_workers_state state = lq_workers_state(server->workers);
    uint64_t bytes = lq_net_bytes_in(server->net) + lq_net_bytes_out(server->net);
    uint64_t limit_us = LQ_STALL_S * UINT64_C(1000000);
    bool moved = bytes != server->moved_bytes;
    server->moved_bytes = bytes;
    return moved ||
           state.working > lq_workers_stalled(server->workers, now_us, limit_us).count;
}

bool lq_drain_is_over(struct lq_server *server)
{
    uint64_t now_us = lq_clock_us();
    if (!passed_ms(server, LQ_DRAIN_QUIET_MS))
        return false;
    if (server->session_count == 0 && !server->requests && server->callers.total == 0)
        return true;
    if (moves(server, now_us))
        server->moved_us = now_us;
    return passed_ms(server, LQ_DRAIN_WORK_S * UINT64_C(1000)) ||
           (passed_ms(server, LQ_DRAIN_MS) && now_us >= server->moved_us + LQ_DRAIN_MS * 1000);
}

static void set_timer(struct lq_server *server, void (*due)(struct lq_timer *, uint64_t),
                      uint64_t ms)
{
    server->drain_timer.due = due;
    if (!lq_timer_set(lq_net_loop(server->net), &server->drain_timer, lq_clock_us() + ms * 1000))
        server->stop = true;
}

static struct lq_server *server_of(struct lq_timer *timer)
{
    return (struct lq_server *)((char *)timer - offsetof(struct lq_server, drain_timer));
}

static void on_drain_tick(struct lq_timer *timer, uint64_t now_us)
{
    struct lq_server *server = server_of(timer);
    lq_live_end_done(server);
    lq_sio_tick(server, now_us);
    set_timer(server, on_drain_tick, DRAIN_TICK_MS);
}

static void drain(struct lq_server *server)
{
    lq_log_info("stopping: finishing %d session(s)", server->session_count);
    server->drain_from_us = server->moved_us = lq_clock_us();
    lq_listener_close(server->listener); // new connections are refused by the system: a balancer
                                         // goes elsewhere
    lq_net_drain(server->net);
    lq_live_drain(server);
    set_timer(server, on_drain_tick, DRAIN_TICK_MS);
}

static void on_delay_over(struct lq_timer *timer, uint64_t now_us)
{
    (void)now_us;
    drain(server_of(timer));
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
    set_timer(server, on_delay_over, (uint64_t)delay_s * 1000);
}
