#include "bench/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/server.h"

enum { WARM_SECONDS = 1, SETTLE_SECONDS = 4, STALL_MS = LQ_CLIENT_TIMEOUT_MS };

struct run;

struct user {
    struct lq_client client;
    struct run *run;
    double due_us; // open loop: time of the camera's next frame
    int next_frame;
    long replies, refused_before; // both: since this measurement began
};

struct run {
    const struct lq_bench_plan *plan;
    struct user *users;
    struct lq_client_set set;
    int user_count;
    int in_flight; // of each client
    struct lq_samples samples;
    bool failed_to_sample;
    uint64_t start_us, last_us; // when the first frame was sent, and when the last reply arrived
    uint64_t end_us;            // no frame is sent after this time
    long skipped;
};

static void on_reply(void *context, const struct lq_client_reply *reply)
{
    struct user *user = context;
    struct run *run = user->run;
    user->replies++;
    run->last_us = lq_clock_us();
    run->failed_to_sample |= lq_samples_add(&run->samples, reply->latency_ms) != LQ_OK;
}

static int send_next(struct user *user, struct lq_error *err)
{
    const struct lq_bench_frames *frames = user->run->plan->frames;
    const struct lq_client_frame *frame = &frames->items[user->next_frame];
    user->next_frame = (user->next_frame + 1) % frames->count;
    return lq_client_send(&user->client, frame, err);
}

// Sends the frames that are due. A camera's frame is dropped if its user already has the maximum in
// flight, as the page does.
static int send_due(struct user *user, uint64_t now_us, struct lq_error *err)
{
    struct run *run = user->run;
    double fps = run->plan->fps;
    if (fps <= 0) {
        while (!lq_client_is_quiet(&user->client, now_us) &&
               user->client.in_flight < run->in_flight) {
            int status = send_next(user, err);
            if (status != LQ_OK)
                return status;
        }
        return LQ_OK;
    }
    // Rate control limits the frames that are sent.
    if (user->client.fps_max > 0 && user->client.fps_max < fps)
        fps = user->client.fps_max;
    while (user->due_us <= (double)now_us) {
        user->due_us += 1e6 / fps;
        if (lq_client_is_quiet(&user->client, now_us))
            continue;
        if (user->client.in_flight >= run->in_flight) {
            run->skipped++;
            continue;
        }
        int status = send_next(user, err);
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}

static int all_in_flight(const struct run *run)
{
    int sum = 0;
    for (int i = 0; i < run->user_count; i++)
        sum += run->users[i].client.in_flight;
    return sum;
}

// Milliseconds until the next frame of any camera, from 0 to 100.
static int until_due_ms(const struct run *run, uint64_t now_us)
{
    double least = (double)now_us + 100000;
    for (int i = 0; run->plan->fps > 0 && i < run->user_count; i++)
        if (run->users[i].due_us < least)
            least = run->users[i].due_us;
    double left_us = least - (double)now_us;
    return left_us > 0 ? (int)(left_us / 1000) + 1 : 0;
}

// One pass: sends what is due, then waits for replies or for the next camera's frame.
static int step(struct run *run, size_t replies_wanted, bool *done, struct lq_error *err)
{
    uint64_t now = lq_clock_us();
    bool sending = now < run->end_us || run->samples.count < replies_wanted;
    for (int i = 0; sending && i < run->user_count; i++) {
        int status = send_due(&run->users[i], now, err);
        if (status != LQ_OK)
            return status;
    }
    *done = !sending;
    if (*done)
        return LQ_OK;
    uint64_t heard = run->last_us > run->start_us ? run->last_us : run->start_us;
    if (now > heard + STALL_MS * 1000ull)
        return lq_fail(err, LQ_ERR_TIMEOUT, "no reply within %d s", STALL_MS / 1000);
    return lq_client_set_turn(&run->set, until_due_ms(run, now), err);
}

// Runs for the given time and until enough replies have arrived. Replies that arrive after the last
// frame was sent are read but not counted: they are faster, because the load has ended.
static int go(struct run *run, double seconds, size_t replies_wanted, struct lq_error *err)
{
    run->samples.count = 0;
    run->skipped = 0;
    run->start_us = run->last_us = lq_clock_us();
    run->end_us = run->start_us + (uint64_t)(seconds * 1e6);
    double tick_us = run->plan->fps > 0 ? 1e6 / run->plan->fps : 0;
    for (int i = 0; i < run->user_count; i++) { // cameras are out of phase
        struct user *user = &run->users[i];
        user->due_us = (double)run->start_us + tick_us * i / run->user_count;
        user->replies = 0;
        user->refused_before = user->client.refused;
    }
    for (bool done = false; !done;) {
        int status = step(run, replies_wanted, &done, err);
        if (status != LQ_OK)
            return status;
    }
    return run->failed_to_sample ? lq_fail(err, LQ_ERR_MEMORY, "out of memory for times") : LQ_OK;
}

static int drain(struct run *run, struct lq_error *err)
{
    uint64_t end = lq_clock_us() + STALL_MS * 1000ull;
    while (all_in_flight(run) > 0 && lq_clock_us() < end) {
        int status = lq_client_set_turn(&run->set, until_due_ms(run, lq_clock_us()), err);
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}

static int open_users(struct run *run, struct lq_error *err)
{
    const struct lq_bench_plan *plan = run->plan;
    // Over HTTP a connection has one request at a time, so two in flight need two connections.
    bool http = plan->target->way == LQ_CLIENT_HTTP;
    int count = http ? plan->users * plan->in_flight : plan->users;
    run->in_flight = http ? 1 : plan->in_flight;
    run->users = calloc((size_t)count, sizeof *run->users);
    if (!run->users)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot hold %d users", count);
    int status = lq_client_set_init(&run->set, count, err);
    if (status != LQ_OK)
        return status;
    for (int i = 0; i < count; i++) {
        struct user *user = &run->users[i];
        status = lq_client_open(&user->client, &run->set, plan->target, err);
        if (status != LQ_OK)
            return status;
        run->user_count = i + 1;
        user->run = run;
        user->next_frame = i % plan->frames->count;
        user->client.on_reply = on_reply;
        user->client.context = user;
    }
    return LQ_OK;
}

struct totals {
    uint64_t bytes, times_us[LQ_CLIENT_TIMES];
    long replaced, refused, timed, propagated;
};

static struct totals count_all(const struct run *run)
{
    struct totals all = {0};
    for (int i = 0; i < run->user_count; i++) {
        const struct lq_client *client = &run->users[i].client;
        all.bytes += client->bytes;
        all.replaced += client->replaced;
        all.refused += client->refused;
        all.timed += client->timed;
        all.propagated += client->propagated;
        for (int j = 0; j < LQ_CLIENT_TIMES; j++)
            all.times_us[j] += client->times_us[j];
    }
    return all;
}

// Counts the users who had replies and no refusal since the measurement began.
static void count_served(const struct run *run, double seconds, struct lq_bench_result *result)
{
    long replies = 0;
    for (int i = 0; i < run->user_count; i++) {
        const struct user *user = &run->users[i];
        if (user->replies == 0 || user->client.refused != user->refused_before)
            continue;
        result->users_served++;
        replies += user->replies;
    }
    if (result->users_served > 0)
        result->fps_served = (double)replies / seconds / result->users_served;
}

static void summarise(struct run *run, struct lq_bench_result *result)
{
    // An open loop lasts the whole time; a closed loop ends with the last reply that is counted.
    uint64_t end_us = run->plan->fps > 0 && run->end_us > run->last_us ? run->end_us : run->last_us;
    double wall_us = (double)(end_us - run->start_us);
    result->replies = (int)run->samples.count;
    result->fps = wall_us > 0 ? (double)run->samples.count * 1e6 / wall_us : 0;
    result->p50_ms = lq_samples_percentile(&run->samples, 50);
    result->p95_ms = lq_samples_percentile(&run->samples, 95);
    result->p99_ms = lq_samples_percentile(&run->samples, 99);
}

static void mean_times(const struct totals *before, const struct totals *after,
                       struct lq_bench_result *result)
{
    long count = after->timed - before->timed;
    result->timed = count > 0;
    result->propagated_percent =
        count > 0 ? 100.0 * (double)(after->propagated - before->propagated) / (double)count : 0;
    for (int i = 0; i < LQ_CLIENT_TIMES && count > 0; i++)
        result->times_ms[i] = (double)(after->times_us[i] - before->times_us[i]) / 1000 /
                              (double)count;
}

static int measure(struct run *run, struct lq_bench_result *result, struct lq_error *err)
{
    const struct lq_bench_plan *plan = run->plan;
    // With many users the server needs a few seconds to decide which of them it can serve.
    double warm = plan->users > 1 ? SETTLE_SECONDS : WARM_SECONDS;
    int status = go(run, warm < plan->seconds ? warm : plan->seconds / 2,
                    plan->fps > 0 ? 0 : LQ_BENCH_REPLIES_MIN, err);
    if (status == LQ_OK)
        status = drain(run, err);
    if (status != LQ_OK)
        return status;
    struct totals before = count_all(run);
    double cpu_before = lq_process_cpu_seconds(plan->server);
    int least = plan->replies_min > 0 ? plan->replies_min : LQ_BENCH_REPLIES_MIN;
    status = go(run, plan->seconds, (size_t)least, err);
    if (status != LQ_OK)
        return status;
    double cpu = lq_process_cpu_seconds(plan->server) - cpu_before;
    double wall = (double)(lq_clock_us() - run->start_us) / 1e6;
    summarise(run, result);
    count_served(run, wall, result);
    result->cpu_percent = cpu_before < 0 ? -1 : 100 * cpu / wall;
    result->cpu_ms = cpu_before < 0 ? -1 : 1000 * cpu / result->replies;
    status = drain(run, err);
    if (status != LQ_OK)
        return status;
    struct totals after = count_all(run);
    result->dropped = run->skipped + after.replaced - before.replaced;
    result->refused = after.refused - before.refused;
    mean_times(&before, &after, result);
    result->bytes_per_frame = (double)(after.bytes - before.bytes) / (double)run->samples.count;
    return LQ_OK;
}

int lq_bench_measure(const struct lq_bench_plan *plan, struct lq_bench_result *result,
                     struct lq_error *err)
{
    struct run run = {.plan = plan};
    *result = (struct lq_bench_result){0};
    lq_samples_init(&run.samples);
    int status = open_users(&run, err);
    if (status == LQ_OK)
        status = measure(&run, result, err);
    for (int i = 0; i < run.user_count; i++)
        lq_client_close(&run.users[i].client);
    free(run.users);
    lq_client_set_release(&run.set);
    lq_samples_release(&run.samples);
    return status;
}
