#include "frame/report.h"

#include <math.h>

// Rounds numbers so that 0.1 is not printed as 0.10000000149011612.
static json_t *rounded(double value, double steps)
{
    return json_real(isfinite(value) ? round(value * steps) / steps : 0);
}

static json_t *nail_json(const struct lq_nail *nail, bool geometry)
{
    json_t *object = json_pack("{s:i, s:o, s:[i,i,i,i], s:I}", "id", nail->id, "confidence",
                               rounded(nail->confidence, 1e3), "box", nail->crop.x, nail->crop.y,
                               nail->crop.width, nail->crop.height, "area",
                               (json_int_t)nail->area);
    if (!object)
        return NULL;
    json_object_set_new(object, "finger", json_string(lq_finger_name(nail->finger)));
    json_object_set_new(object, "tip_known", json_boolean(nail->tip_known));
    if (!geometry)
        return object;
    json_object_set_new(object, "center", json_pack("[o,o]", rounded(nail->center_x, 10),
                                                    rounded(nail->center_y, 10)));
    json_object_set_new(object, "axis", json_pack("[o,o]", rounded(nail->axis_x, 1e3),
                                                  rounded(nail->axis_y, 1e3)));
    json_object_set_new(object, "length", rounded(nail->length, 10));
    json_object_set_new(object, "width", rounded(nail->width, 10));
    json_object_set_new(object, "curvature", rounded(nail->curvature, 1e3));
    return object;
}

json_t *lq_report_nails(const struct lq_nails *nails, bool geometry)
{
    json_t *array = json_array();
    for (int i = 0; array && nails && i < nails->count; i++)
        json_array_append_new(array, nail_json(&nails->items[i], geometry));
    return array;
}

json_t *lq_report_ms(const struct lq_job *job)
{
    json_t *object = json_object();
    for (int i = 0; object && i < LQ_STAGE_COUNT; i++)
        if (job->paint || (i != LQ_STAGE_PAINT && i != LQ_STAGE_ENCODE))
            json_object_set_new(object, lq_stage_name((enum lq_stage)i),
                                rounded(job->stage_us[i] / 1e3, 1e3));
    if (object)
        json_object_set_new(object, "total", rounded(job->total_us / 1e3, 1e3));
    return object;
}
