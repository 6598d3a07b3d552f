#include "convert/quantise_scales.h"

#include <stdlib.h>

static int root_of(const int *group, int source)
{
    while (group[source] != source)
        source = group[source];
    return source;
}

static void join_sources(struct lq_scales *scales, const struct lq_plan *plan)
{
    for (int i = 0; i < plan->source_count; i++)
        scales->group[i] = i;
    for (int i = 0; i < plan->layer_count; i++) {
        const struct lq_layer *layer = &plan->layers[i];
        for (int k = 0; layer->quantised && k < layer->source_count; k++) {
            int a = root_of(scales->group, layer->sources[0]);
            int b = root_of(scales->group, layer->sources[k]);
            scales->group[a > b ? a : b] = a > b ? b : a;
            scales->active[layer->sources[k]] = true;
        }
    }
    for (int i = 0; i < plan->source_count; i++)
        scales->group[i] = root_of(scales->group, i);
}

static float scale_of(const struct lq_scales *scales, const struct lq_plan *plan, int group,
                      enum lq_range_rule rule, struct lq_range_histogram *all)
{
    *all = (struct lq_range_histogram){0};
    for (int i = 0; i < plan->source_count; i++)
        if (scales->active[i] && scales->group[i] == group)
            lq_range_histogram_merge(all, &plan->sources[i].histogram);
    double scale = lq_range_choose(all, rule) / LQ_INT8_LEVELS;
    return scale > 1e-30 ? (float)scale : 1.0f; // only zeros: any scale will do
}

bool lq_scales_init(struct lq_scales *scales, const struct lq_plan *plan, enum lq_range_rule rule)
{
    size_t count = (size_t)plan->source_count + 1;
    *scales = (struct lq_scales){calloc(count, sizeof *scales->group),
                                 calloc(count, sizeof *scales->active),
                                 calloc(count, sizeof *scales->scale)};
    struct lq_range_histogram *all = malloc(sizeof *all);
    bool fine = scales->group && scales->active && scales->scale && all;
    if (fine)
        join_sources(scales, plan);
    for (int i = 0; i < plan->source_count && fine; i++) {
        int group = scales->group[i];
        if (scales->active[i] && scales->scale[group] <= 0)
            scales->scale[group] = scale_of(scales, plan, group, rule, all);
    }
    free(all);
    return fine;
}

void lq_scales_release(struct lq_scales *scales)
{
    free(scales->group);
    free(scales->active);
    free(scales->scale);
    *scales = (struct lq_scales){0};
}
