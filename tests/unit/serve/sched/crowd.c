// Simulates more cameras than a machine can serve, on a simulated clock: the decisions of load.h
// are the real ones, workers and clients are models of session.c and of the page. Results are the
// same in every run.
#include "serve/sched/load.h"

#include <stdlib.h>
#include <string.h>

#include "serve/sched/session.h"
#include "unit/unit.h"

enum {
    USERS_MAX = 60,
    WORKERS = 2,
    FPS = 30,
    SETTLE_S = 4,
    SECONDS = 12,
    REPLIES_MAX = 8000,
    PROPAGATED_MAX = 2,
    QUIET_US = LQ_LOAD_RETRY_S * 1000000
};

// A frame's time in one worker, as measured on two cores, and its variation.
struct machine {
    double looked_us, propagated_us;
    double jitter;      // each frame takes up to this share more or less …
    double hiccup;      // … and this share of them is delayed
    double hiccup_us;   // … by this long
    bool overtaking;    // clients with frame ids
};
static const struct machine quiet = {14300, 3300, .15, .01, 10000, true};

struct camera {
    double due_us;
    uint64_t quiet_until_us;     // after BUSY
    int unanswered;              // frames without a reply
    uint64_t arrived_us[LQ_IN_FLIGHT_MAX], stale_us[LQ_IN_FLIGHT_MAX]; // of waiting frames
    int waiting, working, overtaken, propagated_running;
    bool queued;
    struct lq_load_client load_client;
    int refused, replies;
};

struct worker {
    struct camera *camera; // NULL: idle
    uint64_t arrived_us, began_us, ends_us;
    bool contended, propagated;
};

struct outcome {
    int served;             // cameras that were never refused …
    double fps;             // … and the rate that each of them got
    double p50_ms, p99_ms;  // of all replies
    double fps_all;
    int dropped;            // because of their age
};

static struct play {
    struct lq_load load;
    struct camera cameras[USERS_MAX];
    struct camera *ring[USERS_MAX];
    int ring_count;
    struct worker workers[WORKERS];
    uint64_t now_us, random;
    double ms[REPLIES_MAX];
    int replies, dropped;
} play;

static double chance(void) // 0..1, Knuth's MMIX
{
    play.random = play.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(play.random >> 11) / 9007199254740992.0;
}

static void queue(struct camera *camera)
{
    if (camera->queued || !camera->waiting || camera->working == LQ_IN_FLIGHT_MAX)
        return;
    camera->queued = true;
    play.ring[play.ring_count++] = camera;
}

static struct camera *next_in_turn(void)
{
    struct camera *camera = play.ring[0];
    memmove(play.ring, play.ring + 1, (size_t)--play.ring_count * sizeof play.ring[0]);
    camera->queued = false;
    return camera;
}

static void begin(const struct machine *machine, struct worker *worker, struct camera *camera,
                  uint64_t arrived_us)
{
    bool contended = play.ring_count > 0 && camera->working == 0;
    bool propagated = contended && camera->propagated_running < PROPAGATED_MAX;
    double us = propagated ? machine->propagated_us : machine->looked_us;
    us *= 1 + machine->jitter * (2 * chance() - 1);
    if (chance() < machine->hiccup)
        us += machine->hiccup_us;
    camera->propagated_running = propagated ? camera->propagated_running + 1 : 0;
    camera->working++;
    *worker = (struct worker){camera, arrived_us, play.now_us, play.now_us + (uint64_t)us,
                              contended, propagated};
}

static void take(const struct machine *machine, struct worker *worker)
{
    while (play.ring_count > 0 && !worker->camera) {
        struct camera *camera = next_in_turn();
        uint64_t arrived_us = camera->arrived_us[0], stale_us = camera->stale_us[0];
        camera->waiting--;
        camera->arrived_us[0] = camera->arrived_us[1];
        camera->stale_us[0] = camera->stale_us[1];
        lq_load_waited(&play.load, play.now_us - arrived_us);
        if (play.now_us - arrived_us > stale_us) {
            play.dropped++;
            camera->unanswered--;
        } else {
            begin(machine, worker, camera, arrived_us);
        }
        queue(camera);
    }
}

static void finish(const struct machine *machine, struct worker *worker)
{
    struct camera *camera = worker->camera;
    lq_load_worked(&play.load, &(struct lq_load_work){play.now_us - worker->began_us,
                                                      worker->contended, worker->propagated});
    assert_in_range(play.replies, 0, REPLIES_MAX - 1);
    play.ms[play.replies++] = (double)(play.now_us - worker->arrived_us) / 1000;
    camera->replies++;
    camera->working--;
    camera->unanswered -= 1 + camera->overtaken; // a newer reply also completes older ids
    camera->overtaken = 0;
    worker->camera = NULL;
    queue(camera);
    take(machine, worker);
}

static void expose(const struct machine *machine, struct camera *camera)
{
    camera->due_us += 1e6 / FPS;
    if (play.now_us < camera->quiet_until_us || camera->unanswered == LQ_IN_FLIGHT_MAX)
        return;
    static const struct lq_load_share alike = {1, 1}; // each from a different address
    if (!lq_load_admit(&play.load, &camera->load_client, &alike, play.now_us, play.ring_count)) {
        camera->refused++;
        camera->quiet_until_us = play.now_us + QUIET_US;
        return;
    }
    camera->unanswered++;
    if (machine->overtaking && camera->waiting == 1 && play.ring_count > camera->queued &&
        play.now_us - camera->arrived_us[0] >= LQ_OVERTAKEN_US) {
        camera->waiting = 0;
        camera->overtaken++;
    }
    camera->arrived_us[camera->waiting] = play.now_us;
    camera->stale_us[camera->waiting++] = lq_load_stale_us(&play.load);
    queue(camera);
    for (int i = 0; i < WORKERS; i++)
        take(machine, &play.workers[i]);
}

static void run_until(const struct machine *machine, int users, uint64_t end_us, uint64_t *tick_us)
{
    while (play.now_us < end_us) {
        struct worker *done = NULL;
        struct camera *due = NULL;
        uint64_t next_us = *tick_us;
        for (int i = 0; i < WORKERS; i++)
            if (play.workers[i].camera && play.workers[i].ends_us < next_us) {
                done = &play.workers[i];
                next_us = done->ends_us;
            }
        for (int i = 0; i < users; i++)
            if ((uint64_t)play.cameras[i].due_us < next_us) {
                due = &play.cameras[i];
                next_us = (uint64_t)due->due_us;
            }
        play.now_us = next_us;
        if (due) {
            expose(machine, due);
        } else if (done) {
            finish(machine, done);
        } else {
            lq_load_tick(&play.load, play.now_us);
            *tick_us += 1000000;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// All cameras start at once; after a settling time, the results are measured for some seconds.
static struct outcome crowd(const struct machine *machine, int users, uint64_t seed)
{
    uint64_t tick_us = 1000000 + seed * 123457 % 1000000;
    memset(&play, 0, sizeof play);
    play.load.workers = WORKERS;
    play.load.limit_ms = LQ_LOAD_WAIT_MS;
    play.now_us = 1000000;
    play.random = seed;
    for (int i = 0; i < users; i++)
        play.cameras[i].due_us = 1e6 + 1e6 / FPS * i / users;
    run_until(machine, users, (1 + SETTLE_S) * UINT64_C(1000000), &tick_us);
    for (int i = 0; i < users; i++)
        play.cameras[i].refused = play.cameras[i].replies = 0;
    play.replies = play.dropped = 0;
    run_until(machine, users, (1 + SETTLE_S + SECONDS) * UINT64_C(1000000), &tick_us);
    struct outcome outcome = {.dropped = play.dropped};
    for (int i = 0; i < users; i++)
        if (!play.cameras[i].refused && play.cameras[i].replies) {
            outcome.served++;
            outcome.fps += (double)play.cameras[i].replies / SECONDS;
        }
    outcome.fps /= outcome.served ? outcome.served : 1;
    outcome.fps_all = (double)play.replies / SECONDS;
    qsort(play.ms, (size_t)play.replies, sizeof play.ms[0], by_size);
    outcome.p50_ms = play.ms[play.replies / 2];
    outcome.p99_ms = play.ms[play.replies * 99 / 100];
    if (getenv("LACQUER_SHOW_CROWDS"))
        print_message("%d users, seed %d: %d served at %.1f frames a second, p50 %.1f p99 %.1f ms, "
                      "%.0f a second in all, %d dropped\n", users, (int)seed, outcome.served,
                      outcome.fps, outcome.p50_ms, outcome.p99_ms, outcome.fps_all,
                      outcome.dropped);
    return outcome;
}

static void all_that_fit_are_served(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (int users = 1; users <= 8; users++) {
            struct outcome outcome = crowd(&quiet, users, seed);
            assert_int_equal(outcome.served, users);
            assert_true(outcome.fps > 29.9 && outcome.p99_ms < 40);
        }
}

static void overload_does_not_reduce_throughput(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        double most = crowd(&quiet, 10, seed).fps_all;
        for (int users = 12; users <= USERS_MAX; users += 6) {
            struct outcome outcome = crowd(&quiet, users, seed);
            assert_in_range(outcome.served, 9, 12);
            assert_true(outcome.fps > 20 && outcome.p99_ms < 60);
            assert_true(outcome.fps_all > most * .95);
        }
    }
}

// Clients without frame ids get replies to both of their frames, each after a turn of all sessions.
static void clients_without_frame_ids_have_a_bound_too(void **state)
{
    (void)state;
    struct machine machine = quiet;
    machine.overtaking = false;
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (int users = 12; users <= USERS_MAX; users += 12)
            assert_true(crowd(&machine, users, seed).p99_ms < 100);
}

// The machine is shared: every twentieth frame is delayed by 40 ms.
static void a_machine_with_delays_keeps_the_bound(void **state)
{
    (void)state;
    struct machine machine = quiet;
    machine.jitter = .4;
    machine.hiccup = .05;
    machine.hiccup_us = 40000;
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (int users = 12; users <= USERS_MAX; users += 12) {
            struct outcome outcome = crowd(&machine, users, seed);
            assert_true(outcome.served >= 8 && outcome.p99_ms < 100);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_fit_are_served),
        cmocka_unit_test(overload_does_not_reduce_throughput),
        cmocka_unit_test(clients_without_frame_ids_have_a_bound_too),
        cmocka_unit_test(a_machine_with_delays_keeps_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
