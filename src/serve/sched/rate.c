#include "serve/sched/rate.h"

#include <stdlib.h>
#include <string.h>

// The target: workers are busy for four fifths of their time; the rest is for frames that arrive
// together. Between low and high the rate is not changed, so that it settles.
static const double demand_wanted = 0.8, demand_low = 0.7, demand_high = 0.9;
static const double growth = 1.25; // at most, per second
// Above slow_ms the network is too slow; below fine_ms it is fine again.
static const double slow_ms = 120, fine_ms = 50;
enum { CALM_REPORTS = 5 };

// From the best to the least that still shows a hand: a nail is then 20 pixels wide.
static const struct step {
    int fps, width, jpeg;
} steps[] = {
    {LQ_RATE_FPS_MAX, 640, 85},
    {LQ_RATE_FPS_MAX, 640, 70},
    {20, 480, 65},
    {LQ_RATE_FPS_MIN, 320, 60},
};
enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

static double between(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

double lq_rate_fps(double fps, const struct lq_rate_second *second)
{
    if (second->demand > demand_high) {
        // However many clients keep two frames in flight, they send no more than is processed. Then
        // the number of sessions says more than the demand.
        double slower = fps * demand_wanted / second->demand;
        double share = second->sessions > 0
                           ? demand_wanted * second->frames_max / second->sessions : slower;
        fps = share > 0 && share < slower ? share : slower;
    } else if (second->demand < demand_low) {
        double faster = second->demand > 0 ? demand_wanted / second->demand : growth;
        fps *= faster < growth ? faster : growth;
    }
    return between(fps, LQ_RATE_FPS_MIN, LQ_RATE_FPS_MAX);
}

void lq_rate_network_report(struct lq_rate_network *network, double network_ms)
{
    network->calm = network_ms < fine_ms ? network->calm + 1 : 0;
    if (network_ms > slow_ms && network->level < STEP_COUNT - 1) {
        network->level++;
    } else if (network->calm == CALM_REPORTS) {
        network->calm = 0;
        network->level -= network->level > 0;
    }
}

struct lq_rate lq_rate_of(double fps, const struct lq_rate_network *network)
{
    const struct step *step = &steps[network->level];
    struct lq_rate rate = {step->fps, step->width, step->jpeg, "none"};
    if (network->level > 0)
        rate.why = "network";
    if (fps < rate.fps) {
        rate.fps = (int)(fps + 0.5);
        rate.why = "load";
    }
    return rate;
}

bool lq_rate_differs(const struct lq_rate *a, const struct lq_rate *b)
{
    return abs(a->fps - b->fps) * 10 > a->fps || a->width != b->width || a->jpeg != b->jpeg ||
           strcmp(a->why, b->why) != 0;
}
