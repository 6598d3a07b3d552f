#include "eval/directions.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/parse_json.h"

enum { RIGHT_DEGREES = 30, BACKWARDS_DEGREES = 150, FILE_BYTES_MAX = 16 << 20 };

int lq_directions_open(struct lq_directions *directions, const char *path, struct lq_error *err)
{
    struct lq_buf text;
    json_error_t where = {0};
    *directions = (struct lq_directions){0};
    lq_buf_init(&text, FILE_BYTES_MAX);
    int status = lq_file_read(path, &text, err);
    if (status == LQ_OK) {
        json_t *root = lq_json_parse(text.data, text.len, 0, &where);
        if (json_is_object(root)) {
            directions->root = root;
        } else {
            json_decref(root);
            status = lq_fail(err, LQ_ERR_SYNTAX, "'%s' is no JSON object of pictures: %s", path,
                             where.text);
        }
    }
    lq_buf_release(&text);
    return status;
}

void lq_directions_close(struct lq_directions *directions)
{
    json_decref(directions->root);
    directions->root = NULL;
}

// The nail that covers this point, or NULL.
static const struct lq_nail *nail_at(const struct lq_nails *nails, double x, double y)
{
    const struct lq_nail *nearest = NULL;
    double best = INFINITY;
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        double away = hypot(nail->center_x - x, nail->center_y - y);
        if (away < best && away < 0.5 * fmax(nail->length, nail->width)) {
            best = away;
            nearest = nail;
        }
    }
    return nearest;
}

static void add_nail(struct lq_directions *directions, const json_t *truth,
                     const struct lq_nail *nail)
{
    double angle = json_number_value(json_object_get(truth, "angle")) * 3.14159265358979 / 180;
    double along = nail->axis_x * cos(angle) - nail->axis_y * sin(angle); // y points down
    double off = acos(fmax(-1, fmin(1, along))) * 180 / 3.14159265358979;
    directions->found++;
    directions->axes += off <= RIGHT_DEGREES || off >= 180 - RIGHT_DEGREES;
    if (nail->tip_known) {
        directions->tips++;
        directions->right += off <= RIGHT_DEGREES;
        directions->backwards += off >= BACKWARDS_DEGREES;
    }
    const char *finger = json_string_value(json_object_get(truth, "finger"));
    if (!finger || strcmp(finger, lq_finger_name(LQ_FINGER_UNKNOWN)) == 0)
        return;
    directions->known++;
    if (nail->finger == LQ_FINGER_UNKNOWN)
        return;
    directions->named++;
    directions->named_right += strcmp(lq_finger_name(nail->finger), finger) == 0;
}

void lq_directions_add(struct lq_directions *directions, const char *stem,
                       const struct lq_nails *nails)
{
    const json_t *truths = json_object_get(directions->root, stem), *truth;
    size_t i;
    json_array_foreach(truths, i, truth)
    {
        const struct lq_nail *nail = nail_at(nails, json_number_value(json_object_get(truth, "x")),
                                             json_number_value(json_object_get(truth, "y")));
        directions->nails++;
        if (nail)
            add_nail(directions, truth, nail);
    }
}

static const struct lq_nail *nail_of(const struct lq_nails *nails, int id)
{
    for (int i = 0; i < nails->count; i++)
        if (nails->items[i].id == id)
            return &nails->items[i];
    return NULL;
}

void lq_flips_add(struct lq_flips *flips, const struct lq_nails *nails)
{
    const double least = cos(LQ_FLIP_DEGREES * 3.14159265358979 / 180);
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *now = &nails->items[i], *last = nail_of(&flips->last, now->id);
        if (!last)
            continue;
        double along = now->axis_x * last->axis_x + now->axis_y * last->axis_y;
        flips->pairs++;
        flips->count += (now->tip_known && last->tip_known ? along : fabs(along)) < least;
    }
    flips->last = *nails;
}
