#include "paint/catalogue_json.h"

#include <math.h>
#include <stdio.h>

#include "base/base64.h"
#include "paint/look_json.h"

static json_t *finishes_json(void)
{
    json_t *list = json_array();
    for (int i = 0; i < LQ_FINISH_COUNT; i++) {
        enum lq_finish finish = (enum lq_finish)i;
        struct lq_polish polish = lq_look_default().polish;
        lq_polish_set_finish(&polish, finish);
        json_t *numbers = json_object();
        for (int k = 0; k < LQ_EFFECT_COUNT; k++)
            if (lq_finish_reads(finish, (enum lq_effect_number)k))
                json_object_set_new(numbers, lq_effect_name((enum lq_effect_number)k),
                                    json_real(round(100 * (double)polish.effect.number[k]) / 100));
        json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:b}", "name",
                                              lq_finish_name(finish), "numbers", numbers, "angle",
                                              (int)lq_finish_reads_angle(finish), "colors",
                                              (int)lq_finish_reads_colors(finish)));
    }
    return list;
}

static void add_text(json_t *object, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(object, key, json_string(text));
}

static json_t *shade_json(const struct lq_shade_name *shade)
{
    char color[8];
    json_t *lab = json_array();
    snprintf(color, sizeof color, "#%02x%02x%02x", shade->color[0], shade->color[1],
             shade->color[2]);
    for (int k = 0; k < 3; k++)
        json_array_append_new(lab, json_real(round(100.0 * (double)shade->lab[k]) / 100));
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", shade->name, "title",
                               shade->title, "family", shade->family, "color", color, "lab", lab);
    const struct lq_offer *offer = &shade->offer;
    add_text(object, "sku", offer->sku);
    add_text(object, "gtin", offer->gtin);
    add_text(object, "brand", offer->brand);
    add_text(object, "price", offer->price);
    add_text(object, "currency", offer->currency);
    add_text(object, "url", offer->url);
    if (offer->stock >= 0)
        json_object_set_new(object, "stock", json_integer(offer->stock));
    return object;
}

json_t *lq_shades_write(const struct lq_shade_name *shades, int count)
{
    json_t *list = json_array();
    for (int i = 0; list && i < count; i++)
        if (json_array_append_new(list, shade_json(&shades[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *shades_json(const struct lq_catalogue *catalogue)
{
    int count;
    const struct lq_shade_name *shades = lq_catalogue_shades(catalogue, &count);
    return lq_shades_write(shades, count);
}

static json_t *looks_json(const struct lq_catalogue *catalogue)
{
    int count;
    const struct lq_named_look *looks = lq_catalogue_looks(catalogue, &count);
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", looks[i].name, "title",
                                              looks[i].title, "look",
                                              lq_look_write(&looks[i].look)));
    return list;
}

static json_t *data_url(const uint8_t *bytes, size_t len)
{
    struct lq_buf text;
    lq_buf_init(&text, 2 * LQ_PATTERN_BYTES_MAX);
    json_t *url = NULL;
    if (lq_buf_printf(&text, "data:image/png;base64,") == LQ_OK &&
        lq_base64_encode(bytes, len, &text) == LQ_OK)
        url = json_stringn((const char *)text.data, text.len);
    lq_buf_release(&text);
    return url;
}

static json_t *patterns_json(const struct lq_catalogue *catalogue)
{
    int count;
    const struct lq_pattern *const *patterns = lq_catalogue_patterns(catalogue, &count);
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:o}", "name", patterns[i]->name, "width",
                            patterns[i]->levels[0].width, "height", patterns[i]->levels[0].height,
                            "image", data_url(patterns[i]->file, patterns[i]->file_len)));
    return list;
}

json_t *lq_catalogue_write(const struct lq_catalogue *catalogue)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "finishes", finishes_json(), "shades",
                     shades_json(catalogue), "looks", looks_json(catalogue), "patterns",
                     patterns_json(catalogue));
}
