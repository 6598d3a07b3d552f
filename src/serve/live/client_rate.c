#include "serve/live/client_rate.h"

#include <stdio.h>

int lq_keep_pace_hear(struct lq_keep_pace *keep, const json_t *said, bool *begins,
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
        lq_pace_network_heard(&keep->network, ms);
    return LQ_OK;
}

bool lq_keep_pace_tell(struct lq_keep_pace *keep, const struct lq_load *load, bool asked,
                       char text[LQ_KEEP_PACE_TEXT])
{
    struct lq_pace pace = lq_pace_of(load->fps > 0 ? load->fps : LQ_PACE_FPS_MAX, &keep->network);
    if (!keep->on || (!asked && !lq_pace_differs(&pace, &keep->told)))
        return false;
    keep->told = pace;
    snprintf(text, LQ_KEEP_PACE_TEXT, "\"fps\":%d,\"width\":%d,\"jpeg\":%d,\"why\":\"%s\"",
             pace.fps, pace.width, pace.jpeg, pace.why);
    return true;
}

int lq_keep_pace_jpeg(const struct lq_keep_pace *keep, int quality)
{
    return keep->on && keep->told.jpeg < quality ? keep->told.jpeg : quality;
}
