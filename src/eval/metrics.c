#include "eval/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

// Outlines within this many pixels agree; components with fewer pixels are drawing noise.
enum { BOUNDARY_TOLERANCE_PX = 2, COMPONENT_AREA_MIN = 20 };

void lq_metrics_init(struct lq_metrics *metrics)
{
    *metrics = (struct lq_metrics){0};
    lq_buf_init(&metrics->labels, (size_t)LQ_PICTURE_PIXELS_MAX);
    lq_buf_init(&metrics->stack, (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(uint32_t));
    lq_buf_init(&metrics->outline_a, (size_t)LQ_PICTURE_PIXELS_MAX);
    lq_buf_init(&metrics->outline_b, (size_t)LQ_PICTURE_PIXELS_MAX);
    lq_buf_init(&metrics->near, (size_t)LQ_PICTURE_PIXELS_MAX);
}

void lq_metrics_release(struct lq_metrics *metrics)
{
    lq_buf_release(&metrics->labels);
    lq_buf_release(&metrics->stack);
    lq_buf_release(&metrics->outline_a);
    lq_buf_release(&metrics->outline_b);
    lq_buf_release(&metrics->near);
}

// Two masks of a picture: components of `mask` are counted and compared with `other`.
struct masks {
    const uint8_t *mask, *other;
    int width, height;
};

// Fills one component (8 neighbours) from `start`, marking it seen; returns its pixels and how many
// of them the other mask has too.
static uint32_t fill(struct lq_metrics *metrics, const struct masks *of, uint32_t start,
                     uint32_t *shared)
{
    uint8_t *seen = metrics->labels.data;
    uint32_t *stack = (uint32_t *)(void *)metrics->stack.data;
    int width = of->width, height = of->height;
    uint32_t depth = 0, area = 0;
    stack[depth++] = start;
    seen[start] = 1;
    *shared = 0;
    while (depth > 0) {
        uint32_t at = stack[--depth];
        int x = (int)(at % (uint32_t)width), y = (int)(at / (uint32_t)width);
        area++;
        *shared += of->other[at] >= 128;
        for (int ny = y > 0 ? y - 1 : 0; ny <= y + 1 && ny < height; ny++)
            for (int nx = x > 0 ? x - 1 : 0; nx <= x + 1 && nx < width; nx++) {
                uint32_t next = (uint32_t)ny * (uint32_t)width + (uint32_t)nx;
                if (of->mask[next] < 128 || seen[next])
                    continue;
                seen[next] = 1;
                stack[depth++] = next;
            }
    }
    return area;
}

// Counts the components of `mask`, and those of which at least `share` lies on `other`.
static void count_components(struct lq_metrics *metrics, const struct masks *of, double share,
                             int *all, int *covered)
{
    uint32_t pixels = (uint32_t)of->width * (uint32_t)of->height, shared;
    uint8_t *seen = metrics->labels.data;
    memset(seen, 0, pixels);
    *all = *covered = 0;
    for (uint32_t i = 0; i < pixels; i++) {
        if (of->mask[i] < 128 || seen[i])
            continue;
        uint32_t area = fill(metrics, of, i, &shared);
        if (area < COMPONENT_AREA_MIN)
            continue;
        ++*all;
        *covered += shared >= share * area;
    }
}

// Marks nail pixels of which one of the four neighbours is not nail. The picture's edge is not an
// outline.
static uint32_t draw_outline(const uint8_t *mask, uint8_t *outline, int width, int height)
{
    uint32_t count = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint8_t *at = mask + (size_t)y * (size_t)width + x;
            bool edge = at[0] >= 128 && ((x > 0 && at[-1] < 128) || (y > 0 && at[-width] < 128) ||
                                         (x + 1 < width && at[1] < 128) ||
                                         (y + 1 < height && at[width] < 128));
            outline[(size_t)y * (size_t)width + x] = edge;
            count += edge;
        }
    return count;
}

// Number of outline pixels of `from` within the tolerance of an outline pixel of `to`.
static uint32_t count_near(const uint8_t *from, const uint8_t *to, uint8_t *near, int width,
                           int height)
{
    const int r = BOUNDARY_TOLERANCE_PX;
    memset(near, 0, (size_t)width * (size_t)height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            if (!to[(size_t)y * (size_t)width + x])
                continue;
            for (int ny = y > r ? y - r : 0; ny <= y + r && ny < height; ny++)
                for (int nx = x > r ? x - r : 0; nx <= x + r && nx < width; nx++)
                    if ((nx - x) * (nx - x) + (ny - y) * (ny - y) <= r * r)
                        near[(size_t)ny * (size_t)width + nx] = 1;
        }
    uint32_t count = 0;
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
        count += from[i] & near[i];
    return count;
}

static double boundary_f(struct lq_metrics *metrics, const uint8_t *predicted,
                         const uint8_t *drawn, int width, int height)
{
    uint8_t *a = metrics->outline_a.data, *b = metrics->outline_b.data;
    uint32_t count_a = draw_outline(predicted, a, width, height);
    uint32_t count_b = draw_outline(drawn, b, width, height);
    if (count_a == 0 && count_b == 0)
        return 1;
    if (count_a == 0 || count_b == 0)
        return 0;
    double precision = count_near(a, b, metrics->near.data, width, height) / (double)count_a;
    double recall = count_near(b, a, metrics->near.data, width, height) / (double)count_b;
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

static int reserve(struct lq_metrics *metrics, size_t pixels)
{
    struct lq_buf *bytes[] = {&metrics->labels, &metrics->outline_a, &metrics->outline_b,
                              &metrics->near};
    for (size_t i = 0; i < LQ_COUNT(bytes); i++)
        if (lq_buf_reserve(bytes[i], pixels) != LQ_OK)
            return LQ_ERR_MEMORY;
    return lq_buf_reserve(&metrics->stack, pixels * sizeof(uint32_t));
}

int lq_metrics_score(struct lq_metrics *metrics, const uint8_t *predicted, const uint8_t *drawn,
                     int width, int height, struct lq_score *score)
{
    size_t pixels = (size_t)width * (size_t)height;
    *score = (struct lq_score){.pixels = pixels};
    int status = reserve(metrics, pixels);
    if (status != LQ_OK)
        return status;
    for (size_t i = 0; i < pixels; i++) {
        bool p = predicted[i] >= 128, d = drawn[i] >= 128;
        score->intersection += p && d;
        score->union_ += p || d;
        score->painted += p;
        score->nail_pixels += d;
    }
    score->blank = score->nail_pixels == 0;
    score->iou = score->union_ ? (double)score->intersection / (double)score->union_ : 1;
    score->boundary_f = boundary_f(metrics, predicted, drawn, width, height);
    int all, covered;
    const struct masks found = {drawn, predicted, width, height};
    const struct masks painted = {predicted, drawn, width, height};
    count_components(metrics, &found, 0.5, &all, &covered);
    score->found = covered;
    score->missed = all - covered;
    count_components(metrics, &painted, 0.25, &all, &covered);
    score->false_ = all - covered;
    return LQ_OK;
}

void lq_tally_add(struct lq_tally *tally, const struct lq_score *score)
{
    tally->images++;
    tally->intersection += score->intersection;
    tally->union_ += score->union_;
    tally->iou_sum += score->iou;
    tally->boundary_sum += score->boundary_f;
    if (score->blank) {
        tally->blank_images++;
        tally->blank_painted += score->painted;
        tally->blank_pixels += score->pixels;
    }
    tally->found += score->found;
    tally->missed += score->missed;
    tally->false_ += score->false_;
}

double lq_tally_iou(const struct lq_tally *tally)
{
    return tally->union_ ? (double)tally->intersection / (double)tally->union_ : 1;
}

double lq_tally_mean_iou(const struct lq_tally *tally)
{
    return tally->images ? tally->iou_sum / tally->images : 1;
}

double lq_tally_boundary_f(const struct lq_tally *tally)
{
    return tally->images ? tally->boundary_sum / tally->images : 1;
}

double lq_tally_false_paint(const struct lq_tally *tally)
{
    return tally->blank_pixels ? (double)tally->blank_painted / (double)tally->blank_pixels : NAN;
}
