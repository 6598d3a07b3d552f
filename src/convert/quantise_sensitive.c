#include "convert/quantise_sensitive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/quantise_keep.h"
#include "convert/quantise_own.h"
#include "convert/quantise_try.h"

// Number of layers measured alone in one round; each needs its own model.
enum { AT_ONCE = 12 };

struct choice {
    int *order;     // layers, worst first
    bool *may;      // per layer: int8 unless it is moved to float here
    int count;      // of `order`
};

static bool is_good(const struct quantise_job *job, double iou)
{
    return iou >= job->options->iou_min;
}

// Sets the first `kept` layers of the order to float, and all others to int8.
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

// ---- by the painted masks

// Measures the outputs' noise with only this layer in int8.
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

// Measures the next few layers, ranked by their own noise, of those that may be left in float.
// *done: how many.
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
        lq_quantise_progress(job, "layers", ++*done, ranked < AT_ONCE ? ranked : AT_ONCE);
    }
    return status;
}

static int try_kept(struct quantise_job *job, const struct choice *choice, int kept, double *iou,
                    struct lq_error *err)
{
    set_kept(job, choice, kept);
    return lq_quantise_painted(job, iou, err);
}

// Finds the fewest layers of the order that must be in float (by bisection); all of them, if even
// that is not enough.
static int find_fewest(struct quantise_job *job, const struct choice *choice, struct lq_error *err)
{
    int few = 0, enough = choice->count; // `few` do not suffice; `enough` do
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
    // Measure more layers while all of those measured so far fit into the limit.
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

// ---- both ways

static int keep(struct quantise_job *job, struct choice *choice, struct lq_error *err)
{
    for (int i = 0; i < job->plan.layer_count; i++)
        choice->may[i] = job->plan.layers[i].quantised;
    int status = lq_quantise_painted(job, &job->iou, err);
    if (status != LQ_OK || is_good(job, job->iou))
        return status;
    lq_quantise_progress(job, "rounding of each layer", 0, 1);
    status = lq_quantise_own(job, LQ_QUANTISE_CHECKED_ALONE, err);
    lq_quantise_progress(job, "rounding of each layer", 1, 1);
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
