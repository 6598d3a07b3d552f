#include "convert/quantise_keep.h"

// In a nanosecond a core does about 80 multiplications, or moves 10 bytes from and to memory.
static const double WORK_A_NUMBER = 24;
// Every operator has some cost, however small it is.
static const double SHARE_MIN = 0.002;

double lq_layer_work(const struct lq_layer *layer)
{
    return layer->macs + WORK_A_NUMBER * (layer->taken + layer->made);
}

double lq_plan_work(const struct lq_plan *plan)
{
    double total = 0;
    for (int i = 0; i < plan->layer_count; i++)
        total += lq_layer_work(&plan->layers[i]);
    return total > 0 ? total : 1;
}

double lq_plan_float_share(const struct lq_plan *plan)
{
    double kept = 0;
    for (int i = 0; i < plan->layer_count; i++)
        if (!plan->layers[i].quantised && !plan->layers[i].named)
            kept += lq_layer_work(&plan->layers[i]);
    return kept / lq_plan_work(plan);
}

static double noise_of(const struct lq_layer *layer, enum lq_noise_kind kind)
{
    return kind == LQ_NOISE_OWN ? layer->own : layer->alone;
}

static bool is_ranked(const int *order, int count, int layer)
{
    for (int i = 0; i < count; i++)
        if (order[i] == layer)
            return true;
    return false;
}

int lq_plan_rank(const struct lq_plan *plan, enum lq_noise_kind kind, double least,
                 double share_max, int *order)
{
    double total = lq_plan_work(plan), room = share_max - lq_plan_float_share(plan);
    for (int count = 0;; count++) {
        int worst = -1;
        double most = 0;
        for (int i = 0; i < plan->layer_count; i++) {
            const struct lq_layer *layer = &plan->layers[i];
            double noise = noise_of(layer, kind), share = lq_layer_work(layer) / total;
            double cost = noise / (share + SHARE_MIN);
            if (!layer->quantised || !(noise > least) || share > room || !(cost > most) ||
                is_ranked(order, count, i))
                continue;
            most = cost;
            worst = i;
        }
        if (worst < 0)
            return count;
        order[count] = worst;
        room -= lq_layer_work(&plan->layers[worst]) / total;
    }
}
