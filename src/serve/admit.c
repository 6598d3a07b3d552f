// Who is let in, which frames are taken, and what they all hold.
#include "base/clock.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/server.h"
#include "serve/work.h"

// The client's trace (base/trace.h): of one picture over HTTP, of a whole video over a socket.
static void read_trace(struct lq_trace *trace, const struct lq_http *http)
{
    const char *text = lq_http_header(http, "traceparent");
    if (text)
        lq_trace_parse(trace, text);
}

// A session and what it holds; NULL: no memory.
static struct lq_session *open_session(struct lq_server *server, const struct lq_address *address,
                                       bool film, void *owner,
                                       void (*ready)(struct lq_session *session))
{
    struct lq_holder *holder = lq_holder_open(server->account, address);
    struct lq_session *session =
        holder ? lq_session_open(server->workers, address, holder, owner, ready) : NULL;
    if (!session)
        lq_holder_release(holder);
    else if (film && !lq_session_track(session)) {
        lq_session_close(session);
        session = NULL;
    }
    return session;
}

struct lq_session *lq_server_admit(struct lq_server *server, const struct lq_http *http,
                                   enum lq_transport via, void *owner,
                                   void (*ready)(struct lq_session *session),
                                   struct lq_error *why)
{
    const struct lq_serve_options *options = server->options;
    struct lq_client client;
    lq_client_of(&client, options, http);
    struct lq_address address = lq_address_of(&client.address);
    // While stopping, requests on connections that are open already are still answered.
    if ((server->drain_from_us && via != LQ_VIA_HTTP) ||
        server->session_count >= options->sessions_max ||
        !lq_account_has_room(server->account, &address)) {
        lq_fail(why, LQ_ERR_BUSY, "the server is full; try again soon");
        return NULL;
    }
    if (!lq_peers_take(&server->peers, &address)) {
        lq_fail(why, LQ_ERR_RATE, "this address has %d sessions already",
                options->address_sessions_max);
        return NULL;
    }
    // A request over HTTP is a single picture; everything else is a video.
    struct lq_session *session = open_session(server, &address, via != LQ_VIA_HTTP, owner, ready);
    if (!session) {
        lq_peers_give(&server->peers, &address);
        lq_fail(why, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    read_trace(&session->trace, http);
    session->has_token = lq_access_whose(server, http, session->token);
    server->session_count++;
    session->next = server->sessions;
    session->link = &server->sessions;
    if (session->next)
        session->next->link = &session->next;
    server->sessions = session;
    atomic_fetch_add_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
    return session;
}

// Seconds until a wait of so much longer than the limit will be over, within reason.
static int retry_after(uint64_t over_us)
{
    uint64_t seconds = (over_us + 999999) / 1000000;
    return seconds < LQ_LOAD_RETRY_S ? LQ_LOAD_RETRY_S
                                     : (int)(seconds > LQ_WORK_S ? LQ_WORK_S : seconds);
}

int lq_server_check_still(const struct lq_server *server, struct lq_session *session,
                          const struct lq_still *still, int *retry_s, struct lq_error *why)
{
    struct lq_session_stills stills = lq_session_stills(session, still->kind, still->cost_us);
    int limit_ms = server->options->wait_ms_max;
    if (limit_ms < LQ_LOAD_HTTP_WAIT_MS)
        limit_ms = LQ_LOAD_HTTP_WAIT_MS;
    uint64_t limit_us = (uint64_t)limit_ms * 1000;
    if (limit_us < still->cost_us * LQ_LOAD_AHEAD)
        limit_us = still->cost_us * LQ_LOAD_AHEAD;
    bool waits_long = stills.expected_us > limit_us;
    // Where any number of sessions may come from one address, it is not one client.
    bool too_many = server->options->address_sessions_max && stills.count >= LQ_ADDRESS_STILLS_MAX;
    *retry_s = waits_long ? retry_after(stills.expected_us - limit_us)
               : too_many ? LQ_LOAD_RETRY_S : 0;
    if (too_many)
        return lq_fail(why, LQ_ERR_RATE,
                       "%d pictures of this address wait already; try again in %d s", stills.count,
                       *retry_s);
    if (waits_long)
        return lq_fail(why, LQ_ERR_BUSY, "the server is busy; try again in %d s", *retry_s);
    return LQ_OK;
}

static void count_replaced(struct lq_server *server, struct lq_session *session)
{
    lq_count(&server->metrics.dropped[LQ_DROP_REPLACED],
             session->replaced - session->replaced_counted);
    session->replaced_counted = session->replaced;
}

// Why a live frame is not worked on, told to its client; OK: it is.
static int refuse(struct lq_server *server, struct lq_session *session, struct lq_error *why)
{
    uint64_t now_us = lq_clock_us();
    int fps_max = server->options->fps_max;
    if (!lq_session_pace(session, now_us, fps_max)) {
        lq_count(&server->metrics.dropped[LQ_DROP_RATE], 1);
        return lq_fail(why, LQ_ERR_RATE, "more than %d frames a second", fps_max);
    }
    bool was_in = lq_load_is_in(&session->guest, now_us);
    const struct lq_load_share share = {lq_peers_live(&server->peers, &session->address),
                                        server->peers.live_most};
    if (!lq_load_takes(&server->load, &session->guest, &share, now_us,
                       lq_workers_waiting(server->workers))) {
        lq_count(&server->metrics.dropped[LQ_DROP_BUSY], 1);
        return lq_fail(why, LQ_ERR_BUSY, "the server is busy; try again in %d s", LQ_LOAD_RETRY_S);
    }
    if (!was_in) {
        lq_peers_add_live(&server->peers, &session->address);
        lq_workers_set_live(server->workers, true);
    }
    return LQ_OK;
}

void lq_server_count_live(struct lq_server *server, uint64_t now_us)
{
    lq_peers_forget_live(&server->peers);
    for (const struct lq_session *each = server->sessions; each; each = each->next)
        if (lq_load_is_in(&each->guest, now_us))
            lq_peers_add_live(&server->peers, &each->address);
    lq_workers_set_live(server->workers, server->peers.live_most > 0);
}

void lq_server_post(struct lq_server *server, struct lq_session *session)
{
    static const struct lq_ask_picture unread = {0};
    struct lq_slot *slot = lq_session_fill(session);
    if (slot->ask.live && !lq_server_takes_frames(server)) {
        lq_count(&server->metrics.dropped[LQ_DROP_STOPPING], 1);
        lq_session_drop(session);
        return;
    }
    struct lq_cost_peek peek = lq_cost_peek(slot);
    slot->pixels = peek.pixels;
    slot->turn_kind = lq_cost_kind(&peek, slot->ask.live);
    slot->cost_us = slot->turn_kind == LQ_TURN_LIVE ? 0 : lq_cost_us(&server->cost, &peek);
    const struct lq_still still = {slot->turn_kind, slot->cost_us};
    slot->status = slot->ask.live ? refuse(server, session, &slot->error)
                                  : lq_server_check_still(server, session, &still,
                                                          &slot->retry_s, &slot->error);
    if (slot->status == LQ_OK) {
        slot->stale_us = lq_load_stale_us(&server->load);
        lq_session_post(session);
    } else {
        lq_metrics_count_error(&server->metrics, slot->status);
        lq_answer_write_error(slot, &unread);
        lq_session_answer(session);
    }
    count_replaced(server, session);
}

void lq_server_dismiss(struct lq_server *server, enum lq_transport via, struct lq_session *session)
{
    if (!session)
        return;
    if (lq_session_busy(session))
        lq_count(&server->metrics.dropped[LQ_DROP_GONE], 1);
    count_replaced(server, session);
    lq_peers_give(&server->peers, &session->address);
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    lq_session_close(session);
    server->session_count--;
    atomic_fetch_sub_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
}

void lq_server_weigh_frames(struct lq_server *server)
{
    // What waits in sockets' queues belongs to nobody in particular; it is bounded for each of
    // them.
    lq_charge_set(&server->queued, lq_net_buffered(server->net));
    struct lq_account_state now = lq_account_state(server->account);
    if (now.held <= now.max)
        return;
    for (struct lq_session *each = server->sessions; each; each = each->next)
        lq_session_release_spare(each);
    server->has_spare = true;
}

bool lq_server_is_idle(const struct lq_server *server, struct lq_session *session,
                       uint64_t now_us)
{
    return now_us > session->used_us + (uint64_t)server->options->idle_timeout_s * 1000000 &&
           !lq_session_busy(session);
}

void lq_server_count_in(struct lq_server *server, enum lq_transport via, size_t bytes)
{
    lq_count(&server->metrics.frames_in[via], 1);
    lq_count(&server->metrics.bytes_in, bytes);
}

void lq_server_count_out(struct lq_server *server, enum lq_transport via,
                         const struct lq_slot *slot)
{
    if (slot->status != LQ_OK)
        return;
    lq_count(&server->metrics.frames_out[via], 1);
    lq_count(&server->metrics.bytes_out, slot->picture.len);
    lq_histogram_add(&server->metrics.served, lq_clock_us() - slot->arrived_us);
}
