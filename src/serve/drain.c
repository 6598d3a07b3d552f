// Stopping the server: the steps between the signal and the end, chosen so that load balancer and
// clients notice nothing worse than a close with code 1001.
//
//   SIGTERM      /readyz returns 503; everything continues for --drain-delay seconds
//   then         the listener is closed; live clients are informed
//   +300 ms      clients that have sent nothing for this long and have all their replies are
//                closed: frames sent before they knew of the stop have arrived by then
//   +1 s         new frames are dropped, so that clients that never pause finish too
//   +5 s         clients that do not read their replies are closed; counted from when the last
//                picture in flight was finished and bytes were last sent or received. While there
//                is progress, the server waits, for at most LQ_DRAIN_WORK_S
#include "serve/drain.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/sio/clients.h"

enum { DRAIN_TICK_MS = 20, DRAIN_MS = 5000 };

static bool passed_ms(const struct lq_drain *drain, uint64_t ms)
{
    uint64_t from_us = drain->admission->drain_from_us;
    return from_us && lq_clock_us() >= from_us + ms * 1000;
}

// Whether there is progress: a worker processes a picture, or bytes are received or sent.
static bool moves(struct lq_drain *drain, uint64_t now_us)
{
    struct lq_workers *workers = drain->admission->workers;
    const struct lq_net *net = drain->listeners->net;
    uint64_t bytes = lq_net_bytes_in(net) + lq_net_bytes_out(net);
    uint64_t limit_us = LQ_STALL_S * UINT64_C(1000000);
    bool moved = bytes != drain->moved_bytes;
    drain->moved_bytes = bytes;
    return moved ||
           lq_workers_state(workers).working > lq_workers_stalled(workers, now_us, limit_us).count;
}

bool lq_drain_is_over(struct lq_drain *drain)
{
    uint64_t now_us = lq_clock_us();
    if (!passed_ms(drain, LQ_DRAIN_QUIET_MS))
        return false;
    if (drain->admission->session_count == 0 && !drain->web->requests &&
        drain->listeners->connections.total == 0)
        return true;
    if (moves(drain, now_us))
        drain->moved_us = now_us;
    return passed_ms(drain, LQ_DRAIN_WORK_S * UINT64_C(1000)) ||
           (passed_ms(drain, DRAIN_MS) && now_us >= drain->moved_us + DRAIN_MS * 1000);
}

static void set_timer(struct lq_drain *drain, void (*due)(struct lq_timer *, uint64_t), uint64_t ms)
{
    drain->timer.due = due;
    if (!lq_timer_set(lq_net_loop(drain->listeners->net), &drain->timer,
                      lq_clock_us() + ms * 1000))
        drain->stop = true;
}

static struct lq_drain *drain_of(struct lq_timer *timer)
{
    return (struct lq_drain *)((char *)timer - offsetof(struct lq_drain, timer));
}

static void on_drain_tick(struct lq_timer *timer, uint64_t now_us)
{
    struct lq_drain *drain = drain_of(timer);
    lq_live_end_done(drain->live);
    lq_sio_tick(drain->sio, now_us);
    set_timer(drain, on_drain_tick, DRAIN_TICK_MS);
}

static void begin(struct lq_drain *drain)
{
    struct lq_admission *admission = drain->admission;
    lq_log_info("stopping: finishing %d session(s)", admission->session_count);
    admission->drain_from_us = drain->moved_us = lq_clock_us();
    // The system then refuses new connections, so a balancer uses other servers.
    lq_listener_close(drain->listeners->listener);
    lq_net_drain(drain->listeners->net);
    lq_live_drain(drain->live);
    set_timer(drain, on_drain_tick, DRAIN_TICK_MS);
}

static void on_delay_over(struct lq_timer *timer, uint64_t now_us)
{
    (void)now_us;
    begin(drain_of(timer));
}

void lq_drain_start(struct lq_drain *drain, int delay_s)
{
    if (drain->web->stopping) {
        drain->stop = true;
        return;
    }
    drain->web->stopping = true;
    if (delay_s == 0) {
        begin(drain);
        return;
    }
    lq_log_info("stopping in %d s: serving on while /readyz says so", delay_s);
    set_timer(drain, on_delay_over, (uint64_t)delay_s * 1000);
}
