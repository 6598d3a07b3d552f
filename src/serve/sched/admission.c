#include "serve/sched/admission.h"

#include "base/clock.h"
#include "serve/guard/client.h"

enum { IDLE_TRIM_S = 5 }; // after this time without frames a session releases its buffers

// ---- its life ----------------------------------------------------------------------------------

static bool open_account(struct lq_admission *admission)
{
    const struct lq_address nobody = {{0}};
    admission->account = lq_account_new(admission->options->frame_bytes_max);
    struct lq_holder *holder =
        admission->account ? lq_holder_open(admission->account, &nobody) : NULL;
    lq_charge_begin(&admission->queued, holder);
    lq_holder_release(holder);
    return holder != NULL;
}

bool lq_admission_init(struct lq_admission *admission, const struct lq_serve_options *options,
                       const struct lq_access *access, struct lq_serve_metrics *metrics)
{
    *admission = (struct lq_admission){.options = options, .access = access, .metrics = metrics};
    admission->load.workers = options->workers;
    admission->load.limit_ms = options->wait_ms_max;
    lq_cost_init(&admission->cost);
    return open_account(admission) &&
           lq_address_limits_init(&admission->addresses, options->sessions_max,
                                  options->address_sessions_max);
}

void lq_admission_release(struct lq_admission *admission)
{
    lq_charge_end(&admission->queued);
    lq_account_free(admission->account);
    lq_cost_release(&admission->cost);
    lq_address_limits_release(&admission->addresses);
}

// ---- sessions ----------------------------------------------------------------------------------

// Reads the client's trace (base/trace.h): of one picture over HTTP, of a whole stream over a
// socket.
static void read_trace(struct lq_trace *trace, const struct lq_http_request *http)
{
    const char *text = lq_http_header(http, "traceparent");
    if (text)
        lq_trace_parse(trace, text);
}

// Opens a session with all that it owns; NULL: out of memory.
static struct lq_session *open_session(struct lq_admission *admission,
                                       const struct lq_address *address, bool stream, void *owner,
                                       void (*ready)(struct lq_session *session))
{
    struct lq_holder *holder = lq_holder_open(admission->account, address);
    struct lq_session *session =
        holder ? lq_session_open(admission->workers, address, holder, owner, ready) : NULL;
    if (!session)
        lq_holder_release(holder);
    else if (stream && !lq_session_track(session)) {
        lq_session_close(session);
        session = NULL;
    }
    return session;
}

struct lq_session *lq_admission_admit(struct lq_admission *admission,
                                      const struct lq_http_request *http, enum lq_transport via,
                                      void *owner, void (*ready)(struct lq_session *session),
                                      struct lq_error *why)
{
    const struct lq_serve_options *options = admission->options;
    struct lq_client_info client;
    lq_client_of(&client, options, http);
    struct lq_address address = lq_address_of(&client.address);
    // During a stop, requests on connections that are already open are still answered.
    if ((admission->drain_from_us && via != LQ_VIA_HTTP) ||
        admission->session_count >= options->sessions_max ||
        !lq_account_has_room(admission->account, &address)) {
        lq_fail(why, LQ_ERR_BUSY, "the server is full; try again soon");
        return NULL;
    }
    if (!lq_address_limits_admit(&admission->addresses, &address)) {
        lq_fail(why, LQ_ERR_RATE, "this address has %d sessions already",
                options->address_sessions_max);
        return NULL;
    }
    // A request over HTTP is a single picture; everything else is a stream.
    struct lq_session *session = open_session(admission, &address, via != LQ_VIA_HTTP, owner,
                                              ready);
    if (!session) {
        lq_address_limits_leave(&admission->addresses, &address);
        lq_fail(why, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    read_trace(&session->trace, http);
    session->has_token = lq_access_whose(admission->access, http, session->token);
    admission->session_count++;
    session->next = admission->sessions;
    session->link = &admission->sessions;
    if (session->next)
        session->next->link = &session->next;
    admission->sessions = session;
    atomic_fetch_add_explicit(&admission->metrics->sessions[via], 1, memory_order_relaxed);
    return session;
}

// Seconds until a wait that exceeds the limit by this much will be over, within reasonable bounds.
static int retry_after(uint64_t over_us)
{
    uint64_t seconds = (over_us + 999999) / 1000000;
    return seconds < LQ_LOAD_RETRY_S ? LQ_LOAD_RETRY_S
                                     : (int)(seconds > LQ_WORK_S ? LQ_WORK_S : seconds);
}

int lq_admission_check_still(const struct lq_admission *admission, struct lq_session *session,
                          const struct lq_still *still, int *retry_s, struct lq_error *why)
{
    struct lq_session_stills stills = lq_session_stills(session, still->kind, still->cost_us);
    int limit_ms = admission->options->wait_ms_max;
    if (limit_ms < LQ_LOAD_HTTP_WAIT_MS)
        limit_ms = LQ_LOAD_HTTP_WAIT_MS;
    uint64_t limit_us = (uint64_t)limit_ms * 1000;
    if (limit_us < still->cost_us * LQ_LOAD_AHEAD)
        limit_us = still->cost_us * LQ_LOAD_AHEAD;
    bool waits_long = stills.expected_us > limit_us;
    // If an address may have any number of sessions, it does not stand for one client.
    bool too_many = admission->options->address_sessions_max > 0 &&
                    stills.count >= LQ_ADDRESS_STILLS_MAX;
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

static void count_replaced(struct lq_admission *admission, struct lq_session *session)
{
    lq_count(&admission->metrics->dropped[LQ_DROP_REPLACED],
             session->replaced - session->replaced_counted);
    session->replaced_counted = session->replaced;
}

// Returns the status with which a live frame is refused; OK: it is accepted.
static int refuse(struct lq_admission *admission, struct lq_session *session, struct lq_error *why)
{
    uint64_t now_us = lq_clock_us();
    int fps_max = admission->options->fps_max;
    if (!lq_session_check_rate(session, now_us, fps_max)) {
        lq_count(&admission->metrics->dropped[LQ_DROP_RATE], 1);
        return lq_fail(why, LQ_ERR_RATE, "more than %d frames a second", fps_max);
    }
    bool was_in = lq_load_is_in(&session->load_client, now_us);
    const struct lq_load_share share = {lq_address_limits_live(&admission->addresses,
                                                               &session->address),
                                        admission->addresses.live_most};
    if (!lq_load_admit(&admission->load, &session->load_client, &share, now_us,
                       lq_workers_waiting(admission->workers))) {
        lq_count(&admission->metrics->dropped[LQ_DROP_BUSY], 1);
        return lq_fail(why, LQ_ERR_BUSY, "the server is busy; try again in %d s", LQ_LOAD_RETRY_S);
    }
    if (!was_in) {
        lq_address_limits_add_live(&admission->addresses, &session->address);
        lq_workers_set_live(admission->workers, true);
    }
    return LQ_OK;
}

void lq_admission_count_live(struct lq_admission *admission, uint64_t now_us)
{
    lq_address_limits_reset_live(&admission->addresses);
    for (const struct lq_session *each = admission->sessions; each; each = each->next)
        if (lq_load_is_in(&each->load_client, now_us))
            lq_address_limits_add_live(&admission->addresses, &each->address);
    lq_workers_set_live(admission->workers, admission->addresses.live_most > 0);
}

void lq_admission_post(struct lq_admission *admission, struct lq_session *session)
{
    struct lq_frame_slot *slot = lq_session_fill(session);
    if (slot->request.live && !lq_admission_takes_frames(admission)) {
        lq_count(&admission->metrics->dropped[LQ_DROP_STOPPING], 1);
        lq_session_drop(session);
        return;
    }
    struct lq_cost_peek peek = lq_cost_peek(slot);
    slot->pixels = peek.pixels;
    slot->turn_kind = lq_cost_kind(&peek, slot->request.live);
    slot->cost_us = slot->turn_kind == LQ_TURN_LIVE ? 0 : lq_cost_us(&admission->cost, &peek);
    const struct lq_still still = {slot->turn_kind, slot->cost_us};
    slot->status = slot->request.live ? refuse(admission, session, &slot->error)
                                  : lq_admission_check_still(admission, session, &still,
                                                          &slot->retry_s, &slot->error);
    if (slot->status == LQ_OK) {
        slot->stale_us = lq_load_stale_us(&admission->load);
        lq_session_post(session);
    } else {
        lq_metrics_count_error(admission->metrics, slot->status);
        lq_session_refuse(session);
    }
    count_replaced(admission, session);
}

void lq_admission_dismiss(struct lq_admission *admission, enum lq_transport via,
                          struct lq_session *session)
{
    if (!session)
        return;
    if (lq_session_busy(session))
        lq_count(&admission->metrics->dropped[LQ_DROP_GONE], 1);
    count_replaced(admission, session);
    lq_address_limits_leave(&admission->addresses, &session->address);
    *session->link = session->next;
    if (session->next)
        session->next->link = session->link;
    lq_session_close(session);
    admission->session_count--;
    atomic_fetch_sub_explicit(&admission->metrics->sessions[via], 1, memory_order_relaxed);
}

void lq_admission_weigh(struct lq_admission *admission, size_t buffered)
{
    // Data in sockets' queues is charged to no single client; it is bounded for each socket.
    lq_charge_set(&admission->queued, buffered);
    struct lq_account_state now = lq_account_state(admission->account);
    if (now.held <= now.max)
        return;
    for (struct lq_session *each = admission->sessions; each; each = each->next)
        lq_session_release_unused(each);
    admission->has_unused = true;
}

void lq_admission_trim(struct lq_admission *admission, struct lq_session *session, uint64_t now_us)
{
    admission->has_unused |= lq_session_trim(session, now_us, IDLE_TRIM_S * UINT64_C(1000000));
}

static bool passed_ms(const struct lq_admission *admission, uint64_t ms)
{
    return admission->drain_from_us && lq_clock_us() >= admission->drain_from_us + ms * 1000;
}

bool lq_admission_takes_frames(const struct lq_admission *admission)
{
    return !passed_ms(admission, LQ_DRAIN_TAKE_MS);
}

bool lq_admission_done_with(const struct lq_admission *admission, struct lq_session *session)
{
    bool quiet = lq_clock_us() >= session->used_us + LQ_DRAIN_QUIET_MS * 1000;
    return passed_ms(admission, LQ_DRAIN_QUIET_MS) &&
           (quiet || !lq_admission_takes_frames(admission)) && !lq_session_busy(session);
}

bool lq_admission_is_idle(const struct lq_admission *admission, struct lq_session *session,
                       uint64_t now_us)
{
    return now_us > session->used_us + (uint64_t)admission->options->idle_timeout_s * 1000000 &&
           !lq_session_busy(session);
}

void lq_admission_count_in(struct lq_admission *admission, enum lq_transport via, size_t bytes)
{
    lq_count(&admission->metrics->frames_in[via], 1);
    lq_count(&admission->metrics->bytes_in, bytes);
}

void lq_admission_count_out(struct lq_admission *admission, enum lq_transport via,
                         const struct lq_frame_slot *slot)
{
    if (slot->status != LQ_OK)
        return;
    lq_count(&admission->metrics->frames_out[via], 1);
    lq_count(&admission->metrics->bytes_out, slot->picture.len);
    lq_histogram_add(&admission->metrics->served, lq_clock_us() - slot->arrived_us);
}
