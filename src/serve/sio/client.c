#include "serve/sio/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/clock.h"
#include "serve/live/reply.h"
#include "serve/sio/payload.h"

enum { SID_BYTES = 15 };

static void make_sid(char sid[LQ_SIO_SID_SIZE])
{
    uint8_t bytes[SID_BYTES];
    struct lq_buf text;
    lq_buf_init(&text, 4096);
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes ||
        lq_base64_encode(bytes, sizeof bytes, &text) != LQ_OK)
        abort(); // without secret names users could take over each other's sessions
    memcpy(sid, text.data, text.len);
    sid[text.len] = 0;
    lq_buf_release(&text);
    // Replace letters that a URL does not allow.
    for (char *c = sid; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

void lq_sio_count_ping(struct lq_sio *sio)
{
    const uint64_t ms = 1000, now_us = lq_clock_us();
    bool asks = sio->version == 3; // the client sends pings, and nothing else meanwhile
    sio->ping_at_us = now_us + LQ_SIO_PING_INTERVAL_MS * ms;
    sio->pong_by_us = asks ? sio->ping_at_us + LQ_SIO_PING_TIMEOUT_MS * ms : 0;
}

bool lq_sio_has_news(struct lq_sio *sio)
{
    return !lq_outbox_empty(&sio->outbox) || lq_reply_waits(sio->session);
}

void lq_sio_flush(struct lq_sio *sio)
{
    if (!lq_sio_has_news(sio))
        return;
    if (sio->on_socket)
        lq_ws_wake(sio->link->ws);
    else if (sio->poll)
        lq_web_wake(sio->poll);
}

static void on_ready(struct lq_session *session)
{
    lq_sio_flush(session->owner);
}

int lq_sio_version(const struct lq_http_request *http)
{
    char version[4] = "";
    if (!lq_http_query(http, "EIO", version, sizeof version))
        return 0;
    return strcmp(version, "4") == 0 ? 4 : strcmp(version, "3") == 0 ? 3 : 0;
}

struct lq_sio *lq_sio_new(struct lq_sio_clients *all, const struct lq_http_request *http,
                          struct lq_error *why)
{
    struct lq_sio *sio = calloc(1, sizeof *sio);
    if (!sio) {
        lq_fail(why, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    sio->session = lq_admission_admit(all->admission, http, LQ_VIA_SIO, sio, on_ready, why);
    if (!sio->session) {
        free(sio);
        return NULL;
    }
    sio->all = all;
    make_sid(sio->sid);
    make_sid(sio->space_sid);
    sio->version = lq_sio_version(http);
    lq_outbox_init(&sio->outbox, sio->session->holder);
    lq_sio_count_ping(sio);
    sio->next = all->first;
    all->first = sio;
    return sio;
}

void lq_sio_end_poll(struct lq_sio *sio, const char *packet)
{
    struct lq_web_request *request = sio->poll;
    sio->poll = NULL;
    request->state = NULL;
    lq_buf_clear(&request->text);
    (void)!lq_sio_payload_add(&request->text, sio->version, packet, strlen(packet));
    lq_web_respond_text(request, 200, "text/plain; charset=UTF-8");
}

void lq_sio_end(struct lq_sio *sio)
{
    for (struct lq_sio **each = &sio->all->first; *each; each = &(*each)->next)
        if (*each == sio) {
            *each = sio->next;
            break;
        }
    if (sio->link) {
        sio->link->sio = NULL;
        lq_ws_detach(sio->link->ws); // the session's slots are freed
        // A stop sends a close message first, so that the last reply is read; other clients broke
        // the rules.
        if (sio->session->revoked)
            lq_ws_close(sio->link->ws, lq_status_ws_close(LQ_ERR_AUTH), LQ_TOKEN_GONE);
        else if (sio->all->admission->drain_from_us)
            lq_ws_close(sio->link->ws, 1001, NULL);
        else
            lq_ws_kill(sio->link->ws);
    }
    if (sio->poll)
        lq_sio_end_poll(sio, "1");
    lq_admission_dismiss(sio->all->admission, LQ_VIA_SIO, sio->session);
    lq_outbox_release(&sio->outbox);
    free(sio);
}

struct lq_sio *lq_sio_find(const struct lq_sio_clients *all, const char *sid)
{
    for (struct lq_sio *sio = all->first; sio; sio = sio->next)
        if (strcmp(sio->sid, sid) == 0)
            return sio;
    return NULL;
}

void lq_sio_send_rate(struct lq_sio *sio, bool requested)
{
    static const char *const names[] = LQ_CLIENT_RATE_NAMES;
    char fields[LQ_CLIENT_RATE_TEXT];
    if (!lq_client_rate_update(&sio->rate, &sio->all->admission->load, requested, fields))
        return;
    (void)!lq_outbox_printf(&sio->outbox, "42[\"%s\",{%s}]", names[sio->rate.name], fields);
    lq_sio_flush(sio);
}

int lq_sio_print_open(const struct lq_sio *sio, bool upgrade, char *text, size_t size)
{
    return snprintf(text, size,
                    "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%d,\"pingTimeout\":%d,"
                    "\"maxPayload\":%d}",
                    sio->sid, upgrade ? "\"websocket\"" : "", LQ_SIO_PING_INTERVAL_MS,
                    LQ_SIO_PING_TIMEOUT_MS, LQ_MESSAGE_BYTES_MAX);
}
