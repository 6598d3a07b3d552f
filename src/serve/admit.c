// Who is let in, which frames are taken, and what they all hold.
#include "base/clock.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/server.h"
#include "serve/work.h"

// The client's trace (base/trace.h): of one picture over HTTP, of a whole film over a socket.
static void read_trace(struct lq_trace *trace, struct lws *wsi)
{
    static const char name[] = "traceparent:";
    char text[256];
    if (lws_hdr_custom_copy(wsi, text, sizeof text, name, sizeof name - 1) > 0)
        lq_trace_parse(trace, text);
}

struct lq_session *lq_server_admit(struct lq_server *server, struct lws *wsi, enum lq_transport via,
                                   void *owner, void (*ready)(struct lq_session *session),
                                   struct lq_error *why)
{
    const struct lq_serve_options *options = server->options;
    struct lq_address address = lq_address_of(lws_get_socket_fd(lws_get_network_wsi(wsi)));
    // While stopping, requests on connections that are open already are still answered.
    if ((server->drain_from_us && via != LQ_VIA_HTTP) ||
        server->session_count >= options->sessions_max ||
        server->held_bytes > options->frame_bytes_max) {
        lq_fail(why, LQ_ERR_BUSY, "the server is full; try again soon");
        return NULL;
    }
    if (!lq_peers_take(&server->peers, &address)) {
        lq_fail(why, LQ_ERR_RATE, "this address has %d sessions already",
                options->address_sessions_max);
        return NULL;
    }
    struct lq_session *session = lq_session_open(server->workers, owner, ready);
    // A request over HTTP is a single picture; everything else is a film.
    if (session && via != LQ_VIA_HTTP && !lq_session_track(session)) {
        lq_session_close(session);
        session = NULL;
    }
    if (!session) {
        lq_peers_give(&server->peers, &address);
        lq_fail(why, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    session->address = address;
    session->has_token = lq_access_whose(server, wsi, session->token);
    read_trace(&session->trace, wsi);
    server->session_count++;
    session->next = server->sessions;
    session->link = &server->sessions;
    if (session->next)
        session->next->link = &session->next;
    server->sessions = session;
    atomic_fetch_add_explicit(&server->metrics.sessions[via], 1, memory_order_relaxed);
    return session;
}

bool lq_server_is_busy(const struct lq_server *server, int limit_ms)
{
    uint64_t wait_us = lq_load_expected_us(&server->load, lq_workers_waiting(server->workers));
    return wait_us > lq_load_limit_us(&server->load, limit_ms);
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
    if (!lq_load_takes(&server->load, &session->guest, now_us,
                       lq_workers_waiting(server->workers))) {
        lq_count(&server->metrics.dropped[LQ_DROP_BUSY], 1);
        return lq_fail(why, LQ_ERR_BUSY, "the server is busy; try again in %d s", LQ_LOAD_RETRY_S);
    }
    return LQ_OK;
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
    if (slot->ask.live)
        slot->status = refuse(server, session, &slot->error);
    else
        lq_load_came(&server->load, &session->guest);
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

bool lq_server_hold(struct lq_server *server, struct lq_session *session, size_t bytes)
{
    size_t max = server->options->frame_bytes_max;
    server->held_bytes += bytes;
    return server->held_bytes <= max ||
           (session && lq_session_bytes(session) <= max / (size_t)server->session_count);
}

// What clients hold is only known by looking: buffers grow and shrink in the workers' hands.
void lq_server_weigh_frames(struct lq_server *server)
{
    size_t before = server->held_bytes, held = 0;
    bool too_much = before > server->options->frame_bytes_max;
    for (struct lq_session *each = server->sessions; each; each = each->next) {
        if (too_much)
            lq_session_release_spare(each);
        held += lq_session_bytes(each);
    }
    server->held_bytes = held;
    server->has_spare |= too_much;
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
