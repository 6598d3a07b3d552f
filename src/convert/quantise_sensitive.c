#include "convert/quantise_sensitive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/quantise_keep.h"
#include "convert/quantise_own.h"
#include "convert/quantise_try.h"

// Layers measured alone at a time: each takes a model of its own.
enum { AT_ONCE = 12 };

struct choice {
    int *order;     // the worst first
    bool *may;      // by layer: it is int8 unless it is left in float here
    int count;      // of `order`
};

static bool is_good(const struct quantise_job *job, double iou)
{
    return iou >= job->options->iou_min;
}

// The first `kept` of the order in float, and all others in int8.
static void set_kept(struct quantise_job *job, const struct choice *choice, int kept)
{
    for (int i = 0; i < job->plan.layer_count; i++)
        job->plan.layers[i].quantised = choice->may[i];
    for (int i = 0; i < kept; i++)
        job->plan.layers[choice->order[i]].quantised = false;
}

// ---- by each layer's own noise

static int keep_coarse(struct quantise_job *job, struct choice *choice, struct lq_error *err)
{
    choice->count = lq_plan_rank(&job->plan, LQ_NOISE_OWN, job->options->own_max,
                                 job->options->float_max, choice->order);
    set_kept(job, choice, choice->count);
    return choice->count ? lq_quantise_measure(job, &job->way, LQ_QUANTISE_CHECKED, &job->noise,
                                               err)
                         : LQ_OK;
}

// ---- by what is painted

// The outputs' noise when this is the only layer in int8.
static int measure_alone(struct quantise_job *job, const struct choice *choice, int layer,
                         struct lq_error *err)
{
    for (int i = 0; i < job->plan.layer_count; i++)
        job->plan.layers[i].quantised = i == layer;
    int status = lq_quantise_measure(job, &job->way, LQ_QUANTISE_CHECKED_ALONE,
                                     &job->plan.layers[layer].alone, err);
    set_kept(job, choice, 0);
    return status;
}

// The next few by their own noise, of those that may be left in float at all. *done: how many.
static int measure_next(struct quantise_job *job, const struct choice *choice, int *done,
                        struct lq_error *err)
{
    double room = job->options->float_max * lq_plan_work(&job->plan);
    int ranked = lq_plan_rank(&job->plan, LQ_NOISE_OWN, 0, HUGE_VAL, choice->order);
    int status = LQ_OK;
    for (int i = *done = 0; i < ranked && *done < AT_ONCE && status == LQ_OK; i++) {
        const struct lq_layer *layer = &job->plan.layers[choice->order[i]];
        if (!isnan(layer->alone) || lq_layer_work(layer) > room)
            continue;
        status = measure_alone(job, choice, choice->order[i], err);
        lq_quantise_tell(job, "layers", ++*done, ranked < AT_ONCE ? ranked : AT_ONCE);
    }
    return status;
}

static int try_kept(struct quantise_job *job, const struct choice *choice, int kept, double *iou,
                    struct lq_error *err)
{
    set_kept(job, choice, kept);
    return lq_quantise_painted(job, iou, err);
}

// All of the order in float if that is too little or just enough, else the fewest that suffice.
static int find_fewest(struct quantise_job *job, const struct choice *choice, struct lq_error *err)
{
    int few = 0, enough = choice->count; // of which one is known not to suffice, the other to
    int status = try_kept(job, choice, enough, &job->iou, err);
    while (status == LQ_OK && is_good(job, job->iou) && enough - few > 1) {
        int half = (few + enough) / 2;
        double iou = NAN;
        status = try_kept(job, choice, half, &iou, err);
        if (!is_good(job, iou)) {
            few = half;
            continue;
        }
        enough = half;
        job->iou = iou;
    }
    set_kept(job, choice, enough);
    return status;
}

static int keep_for_masks(struct quantise_job *job, struct choice *choice, struct lq_error *err)
{
    int known = 0, more, status;
    // While all of those that were measured fit in, others may be worth it too.
    do {
        set_kept(job, choice, 0);
        status = measure_next(job, choice, &more, err);
        known += more;
        choice->count = lq_plan_rank(&job->plan, LQ_NOISE_ALONE, 0, job->options->float_max,
                                     choice->order);
        if (status == LQ_OK && choice->count > 0)
            status = find_fewest(job, choice, err);
    } while (status == LQ_OK && !is_good(job, job->iou) && choice->count == known &&
             more == AT_ONCE);
    return status == LQ_OK ? lq_quantise_measure(job, &job->way, LQ_QUANTISE_CHECKED, &job->noise,
                                                 err)
                           : status;
}

// ---- either

static int keep(struct quantise_job *job, struct choice *choice, struct lq_error *err)
{
    for (int i = 0; i < job->plan.layer_count; i++)
        choice->may[i] = job->plan.layers[i].quantised;
    int status = lq_quantise_painted(job, &job->iou, err);
    if (status != LQ_OK || is_good(job, job->iou))
        return status;
    lq_quantise_tell(job, "rounding of each layer", 0, 1);
    status = lq_quantise_own(job, LQ_QUANTISE_CHECKED_ALONE, err);
    lq_quantise_tell(job, "rounding of each layer", 1, 1);
    if (status != LQ_OK)
        return status;
    return isnan(job->iou) ? keep_coarse(job, choice, err) : keep_for_masks(job, choice, err);
}

int lq_quantise_keep(struct quantise_job *job, struct lq_error *err)
{
    size_t layers = (size_t)job->plan.layer_count + 1;
    struct choice choice = {calloc(layers, sizeof(int)), calloc(layers, sizeof(bool)), 0};
    int status = choice.order && choice.may
                     ? keep(job, &choice, err)
                     : lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", job->name);
    free(choice.order);
    free(choice.may);
    return status;
}
