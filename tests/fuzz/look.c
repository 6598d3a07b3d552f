// A look in JSON, as in requests and files.
#include <math.h>

#include "base/parse_json.h"
#include "fuzz/fuzz.h"
#include "paint/look_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct lq_catalogue *catalogue;
    struct lq_look look = lq_look_default();
    struct lq_error error;
    if (!catalogue && lq_catalogue_open(&catalogue, NULL, &error) != LQ_OK)
        return 0;
    json_error_t where;
    json_t *json = lq_json_parse(bytes, len, JSON_DECODE_ANY, &where);
    if (json && lq_look_read_any(&look, json, catalogue, &error) == LQ_OK)
        json_decref(lq_look_write(&look));
    json_decref(json);
    for (int i = LQ_FINGER_UNKNOWN; i < LQ_FINGER_COUNT; i++) {
        const struct lq_polish *polish = lq_look_polish(&look, (enum lq_finger)i);
        FUZZ_CHECK((unsigned)polish->finish < LQ_FINISH_COUNT);
        FUZZ_CHECK(polish->coats >= 1 && polish->coats <= LQ_COATS_MAX);
        FUZZ_CHECK(polish->effect.color_count <= LQ_EFFECT_COLORS_MAX);
        for (int k = 0; k < LQ_EFFECT_COUNT; k++)
            FUZZ_CHECK(polish->effect.number[k] >= 0 && polish->effect.number[k] <= 1);
        FUZZ_CHECK(fabsf(polish->effect.angle) <= 90);
    }
    return 0;
}
