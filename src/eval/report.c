#include "eval/report.h"

#include <math.h>
#include <stdio.h>

#include <jansson.h>

static json_t *rounded(double value)
{
    return isfinite(value) ? json_real(round(value * 1e6) / 1e6) : json_null();
}

static json_t *tally_json(const struct lq_tally *tally)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:i, s:i, s:i}", "images", tally->images, "iou",
                     rounded(lq_tally_iou(tally)), "mean_iou", rounded(lq_tally_mean_iou(tally)),
                     "boundary_f", rounded(lq_tally_boundary_f(tally)), "found", tally->found,
                     "missed", tally->missed, "false", tally->false_);
}

// {"tone": {"light": {…}, …}, …}, without classes to which no picture belongs.
static json_t *groups_json(const struct lq_eval_figures *figures)
{
    json_t *groups = json_object();
    for (int t = 0; t < LQ_TRAIT_COUNT; t++) {
        json_t *classes = json_object();
        for (int c = 0; c < LQ_TRAIT_CLASSES_MAX; c++)
            if (figures->by[t][c].images > 0)
                json_object_set_new(classes, lq_trait_class(t, c), tally_json(&figures->by[t][c]));
        json_object_set_new(groups, lq_trait_name(t), classes);
    }
    return groups;
}

static json_t *directions_json(const struct lq_directions *d)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "nails", d->nails, "found",
                     d->found, "axes", d->axes, "told", d->tips, "right", d->right, "backwards",
                     d->backwards, "fingers", d->known, "named", d->named, "named_right",
                     d->named_right);
}

void lq_eval_print_json(const struct lq_eval_figures *figures, const struct lq_model_info *info)
{
    json_t *report = tally_json(&figures->all);
    json_object_set_new(report, "false_paint", rounded(lq_tally_false_paint(&figures->all)));
    json_object_set_new(report, "ms_median", rounded(figures->ms_median));
    if (figures->sequence) {
        json_object_set_new(report, "flicker", rounded(lq_flicker_mean(&figures->flicker)));
        json_object_set_new(report, "flicker_floor", rounded(lq_flicker_floor(&figures->flicker)));
        json_object_set_new(report, "lag_frames", rounded(lq_flicker_lag(&figures->flicker)));
        json_object_set_new(report, "flips", json_integer(figures->flips.count));
        json_object_set_new(report, "flips_of", json_integer(figures->flips.pairs));
    }
    if (figures->directions.root)
        json_object_set_new(report, "directions", directions_json(&figures->directions));
    json_object_set_new(report, "masks", json_string(figures->raw ? "network" : "painted"));
    json_object_set_new(report, "model", json_string(info->name));
    json_object_set_new(report, "engine", json_string(info->engine));
    json_object_set_new(report, "by", groups_json(figures));
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
    printf("\n");
    json_decref(report);
}

static void print_group(const char *trait, const char *class, const struct lq_tally *tally)
{
    printf("%-6s %-13s %8d  %.4f  %.4f  %.4f  %5d / %d\n", trait, class, tally->images,
           lq_tally_iou(tally), lq_tally_mean_iou(tally), lq_tally_boundary_f(tally), tally->found,
           tally->missed);
}

static void print_groups(const struct lq_eval_figures *figures)
{
    printf("\n%-20s pictures  IoU     mean    bound.  found / missed\n", "");
    for (int t = 0; t < LQ_TRAIT_COUNT; t++) {
        const char *name = lq_trait_name(t);
        for (int c = 0; c < LQ_TRAIT_CLASSES_MAX; c++) {
            if (figures->by[t][c].images == 0)
                continue;
            print_group(name, lq_trait_class(t, c), &figures->by[t][c]);
            name = "";
        }
    }
}

static void print_directions(const struct lq_directions *d)
{
    double found = d->found > 0 ? d->found : 1, tips = d->tips > 0 ? d->tips : 1;
    double known = d->known > 0 ? d->known : 1, named = d->named > 0 ? d->named : 1;
    printf("nails with direction %d, %d of them found\n", d->nails, d->found);
    printf("axis within 30 deg.  %.1f %% of those found\n", 100 * d->axes / found);
    printf("tip estimated        %.1f %%; right %.1f %%, backwards %.1f %% of these\n",
           100 * d->tips / found, 100 * d->right / tips, 100 * d->backwards / tips);
    printf("finger named         %.1f %%; right %.1f %% of these\n", 100 * d->named / known,
           100 * d->named_right / named);
}

void lq_eval_print_table(const struct lq_eval_figures *figures)
{
    const struct lq_tally *m = &figures->all;
    printf("masks                %s\n", figures->raw ? "the network's own" : "as painted");
    printf("pictures             %d (%d without nails)\n", m->images, m->blank_images);
    if (m->images > m->blank_images) {
        printf("IoU, all pixels      %.4f\n", lq_tally_iou(m));
        printf("IoU, mean            %.4f\n", lq_tally_mean_iou(m));
        printf("boundary F at 2 px   %.4f\n", lq_tally_boundary_f(m));
        printf("nails found/missed   %d / %d\n", m->found, m->missed);
    }
    printf("false nails          %d\n", m->false_);
    if (m->blank_images)
        printf("false paint          %.4f %% of pixels\n", 100 * lq_tally_false_paint(m));
    if (figures->sequence)
        printf("flicker              %.4f of a nail's area a frame (drawn masks: %.4f)\n"
               "lag                  %.2f frames\n"
               "flips over %d deg.   %d of %d nails in successive frames\n",
               lq_flicker_mean(&figures->flicker), lq_flicker_floor(&figures->flicker),
               lq_flicker_lag(&figures->flicker), LQ_FLIP_DEGREES, figures->flips.count,
               figures->flips.pairs);
    if (figures->directions.root)
        print_directions(&figures->directions);
    printf("%s  %.2f ms (median)\n", figures->raw ? "prepare+infer      " : "prepare+infer+nails",
           figures->ms_median);
    if (m->images > m->blank_images)
        print_groups(figures);
}
