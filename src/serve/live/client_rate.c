#include "serve/live/client_rate.h"

#include <stdio.h>

int lq_client_rate_receive(struct lq_client_rate *keep, const json_t *said, bool *begins,
                      struct lq_error *err)
{
    const json_t *on = json_object_get(said, "on");
    const json_t *network = json_object_get(said, "network_ms");
    double ms = json_number_value(network);
    *begins = false;
    if ((on && !json_is_boolean(on)) ||
        (network && (!json_is_number(network) || !(ms >= 0 && ms <= 60000))))
        return lq_fail(err, LQ_ERR_FIELD,
                       "on must be true or false, and network_ms a number from 0 to 60000");
    bool was_on = keep->on;
    keep->on = !on || json_is_true(on);
    *begins = keep->on && !was_on;
    if (network && keep->on)
        lq_rate_network_report(&keep->network, ms);
    return LQ_OK;
}

bool lq_client_rate_update(struct lq_client_rate *keep, const struct lq_load *load, bool requested,
                       char text[LQ_CLIENT_RATE_TEXT])
{
    struct lq_rate rate = lq_rate_of(load->fps > 0 ? load->fps : LQ_RATE_FPS_MAX, &keep->network);
    if (!keep->on || (!requested && !lq_rate_differs(&rate, &keep->sent)))
        return false;
    keep->sent = rate;
    snprintf(text, LQ_CLIENT_RATE_TEXT, "\"fps\":%d,\"width\":%d,\"jpeg\":%d,\"why\":\"%s\"",
             rate.fps, rate.width, rate.jpeg, rate.why);
    return true;
}

int lq_client_rate_jpeg(const struct lq_client_rate *keep, int quality)
{
    return keep->on && keep->sent.jpeg < quality ? keep->sent.jpeg : quality;
}
