#include "serve/sio/clients.h"

#include "base/clock.h"

bool lq_sio_is_known(const void *clients, const struct lq_http_request *http)
{
    char sid[LQ_SIO_SID_SIZE];
    return lq_http_query(http, "sid", sid, sizeof sid) && lq_sio_find(clients, sid);
}

void lq_sio_end_revoked(struct lq_sio_clients *all)
{
    for (struct lq_sio *each = all->first, *next; each; each = next) {
        next = each->next;
        if (each->session->revoked) {
            lq_metrics_count_error(all->metrics, LQ_ERR_AUTH);
            lq_sio_end(each);
        }
    }
}

static bool is_over(struct lq_sio *sio, uint64_t now_us)
{
    if (lq_admission_done_with(sio->all->admission, sio->session) && lq_outbox_empty(&sio->outbox))
        return true;
    if (sio->pong_by_us)
        return now_us > sio->pong_by_us;
    if (now_us < sio->ping_at_us)
        return false;
    sio->pong_by_us = now_us + LQ_SIO_PING_TIMEOUT_MS * UINT64_C(1000);
    if (lq_outbox_printf(&sio->outbox, "2") != LQ_OK)
        return true;
    lq_sio_flush(sio);
    return false;
}

void lq_sio_tick(struct lq_sio_clients *all, uint64_t now_us)
{
    for (struct lq_sio *sio = all->first, *next; sio; sio = next) {
        next = sio->next;
        if (is_over(sio, now_us) || lq_admission_is_idle(all->admission, sio->session, now_us)) {
            lq_sio_end(sio);
            continue;
        }
        lq_admission_trim(all->admission, sio->session, now_us);
        lq_sio_send_rate(sio, false);
    }
}

void lq_sio_close_all(struct lq_sio_clients *all)
{
    while (all->first)
        lq_sio_end(all->first);
}
