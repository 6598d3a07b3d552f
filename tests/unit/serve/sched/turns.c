// The order of turns, without a clock; and a simulation of workers on a simulated clock, with one
// live user, a flood of heavy stills from another address, and occasional other stills.
#include "serve/sched/turns.h"

#include <stdlib.h>

#include "unit/unit.h"

enum { FLOOD = 31 };

static struct lq_turns turns;

static struct lq_address host(uint8_t number)
{
    return (struct lq_address){{'v', '4', 0, 0, 10, 0, 0, number}};
}

static void enter(struct lq_turn *turn, uint8_t number)
{
    const struct lq_address address = host(number);
    assert_true(lq_turns_enter(&turns, turn, &address));
}

static void live(struct lq_turn *turn)
{
    lq_turns_queue(&turns, turn, LQ_TURN_LIVE, 0);
}

static void still(struct lq_turn *turn, enum lq_turn_kind kind, uint64_t cost_us)
{
    lq_turns_queue(&turns, turn, kind, cost_us);
}

// Takes a turn for a worker.
static struct lq_turn *take(struct lq_turn_taken *taken)
{
    return lq_turns_take(&turns, false, taken);
}

static struct lq_turn *take_heavy(struct lq_turn_taken *taken)
{
    return lq_turns_take(&turns, true, taken);
}

static void addresses_take_turns_then_their_sessions(void **state)
{
    (void)state;
    struct lq_turn many[3], one;
    struct lq_turn_taken taken;
    lq_turns_init(&turns, 1, 1);
    for (int i = 0; i < 3; i++) {
        enter(&many[i], 1);
        live(&many[i]);
    }
    enter(&one, 2);
    live(&one);
    struct lq_turn *const wanted[] = {&many[0], &one, &many[1], &one, &many[2], &one};
    for (int i = 0; i < 6; i++) {
        assert_ptr_equal(take(&taken), wanted[i]);
        lq_turns_done(&turns, &taken);
        live(wanted[i] == &one ? &one : &many[0]); // `one` always has another frame
    }
    for (int i = 0; i < 3; i++)
        lq_turns_leave(&turns, &many[i]);
    lq_turns_leave(&turns, &one);
    assert_null(turns.places);
}

static void live_frames_go_before_stills_but_for_one_in_a_while(void **state)
{
    (void)state;
    struct lq_turn stream, post;
    struct lq_turn_taken taken;
    lq_turns_init(&turns, 2, 2);
    enter(&stream, 1);
    enter(&post, 1); // also of the same address
    still(&post, LQ_TURN_LIGHT, 10);
    for (int i = 0; i < LQ_TURNS_LIVE; i++) {
        live(&stream);
        assert_ptr_equal(take(&taken), &stream);
        lq_turns_done(&turns, &taken);
    }
    live(&stream);
    assert_ptr_equal(take(&taken), &post);
    lq_turns_done(&turns, &taken);
    assert_ptr_equal(take(&taken), &stream);
    lq_turns_done(&turns, &taken);
    assert_null(take(&taken));
    lq_turns_leave(&turns, &stream);
    lq_turns_leave(&turns, &post);
}

static void a_worker_is_left_for_live_frames(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 8; workers++) {
        struct lq_turn posts[FLOOD], stream;
        struct lq_turn_taken taken[FLOOD], film_taken;
        int most = workers > 1 ? workers - 1 : 1, in_flight = 0;
        lq_turns_init(&turns, workers, workers);
        turns.someone_live = true;
        for (int i = 0; i < FLOOD; i++) {
            enter(&posts[i], 1);
            still(&posts[i], i % 2 ? LQ_TURN_HEAVY : LQ_TURN_LIGHT, 1000);
        }
        while (in_flight < FLOOD &&
               (in_flight % 2 ? take(&taken[in_flight]) : take_heavy(&taken[in_flight])))
            in_flight++;
        assert_int_equal(in_flight, most);
        assert_null(take(&film_taken));
        assert_null(take_heavy(&film_taken));
        enter(&stream, 2);
        live(&stream);
        assert_null(take_heavy(&film_taken));
        assert_ptr_equal(take(&film_taken), &stream);
        lq_turns_done(&turns, &film_taken);
        lq_turns_leave(&turns, &stream);
        for (int i = 0; i < FLOOD; i++)
            lq_turns_leave(&turns, &posts[i]);
        for (int i = 0; i < in_flight; i++)
            lq_turns_done(&turns, &taken[i]);
        assert_null(turns.places);
    }
}

static void while_nobody_is_live_light_stills_have_all_workers(void **state)
{
    (void)state;
    struct lq_turn posts[8];
    struct lq_turn_taken taken[8];
    lq_turns_init(&turns, 3, 3);
    for (int i = 0; i < 8; i++) {
        enter(&posts[i], 1);
        still(&posts[i], i < 6 ? LQ_TURN_LIGHT : LQ_TURN_HEAVY, 1000);
    }
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(take(&taken[i]), &posts[i]);
    assert_null(take(&taken[3]));
    lq_turns_done(&turns, &taken[0]);
    turns.someone_live = true;
    assert_null(take(&taken[0]));
    lq_turns_done(&turns, &taken[1]);
    assert_ptr_equal(take(&taken[0]), &posts[3]);
    lq_turns_done(&turns, &taken[0]);
    lq_turns_done(&turns, &taken[2]);
    for (int i = 0; i < 8; i++)
        lq_turns_leave(&turns, &posts[i]);
    assert_null(turns.places);
}

static void a_core_is_left_for_live_frames(void **state)
{
    (void)state;
    struct lq_turn posts[8];
    struct lq_turn_taken taken[8];
    int in_flight = 0;
    lq_turns_init(&turns, 8, 2);
    for (int i = 0; i < 8; i++) {
        enter(&posts[i], (uint8_t)i);
        still(&posts[i], LQ_TURN_HEAVY, 1000);
    }
    while (take_heavy(&taken[in_flight]))
        in_flight++;
    assert_int_equal(in_flight, 1);
    assert_null(take(&taken[1])); // not for a worker
    lq_turns_done(&turns, &taken[0]);
    assert_ptr_equal(take_heavy(&taken[0]), &posts[1]); // another address' turn
    lq_turns_done(&turns, &taken[0]);
    for (int i = 0; i < 8; i++)
        lq_turns_leave(&turns, &posts[i]);
}

static void clients_that_leave_are_forgotten(void **state)
{
    (void)state;
    struct lq_turn first, second, third;
    struct lq_turn_taken taken;
    lq_turns_init(&turns, 2, 2);
    enter(&first, 1);
    enter(&second, 1);
    enter(&third, 2);
    still(&first, LQ_TURN_LIGHT, 10);
    still(&second, LQ_TURN_LIGHT, 20);
    still(&third, LQ_TURN_LIGHT, 40);
    assert_int_equal(lq_turns_stills(&first), 2);
    lq_turns_leave(&turns, &first);
    assert_int_equal(lq_turns_stills(&second), 1);
    assert_int_equal(lq_turns_expected_us(&turns, &second, LQ_TURN_HEAVY, 100), 60);
    assert_ptr_equal(take(&taken), &second);
    lq_turns_leave(&turns, &second); // its frame is still being processed
    assert_int_equal(lq_turns_expected_us(&turns, &third, LQ_TURN_HEAVY, 100), 60);
    lq_turns_done(&turns, &taken);
    assert_int_equal(lq_turns_expected_us(&turns, &third, LQ_TURN_HEAVY, 100), 40);
    assert_ptr_equal(take(&taken), &third);
    lq_turns_done(&turns, &taken);
    lq_turns_leave(&turns, &third);
    assert_null(turns.places);
}

static void a_flood_waits_for_itself(void **state)
{
    (void)state;
    struct lq_turn flood[8], user;
    lq_turns_init(&turns, 2, 2);
    for (int i = 0; i < 8; i++) {
        enter(&flood[i], 1);
        still(&flood[i], LQ_TURN_HEAVY, 1000);
    }
    enter(&user, 2);
    assert_int_equal(lq_turns_expected_us(&turns, &flood[0], LQ_TURN_HEAVY, 1000), 8000);
    assert_int_equal(lq_turns_expected_us(&turns, &user, LQ_TURN_HEAVY, 1000), 1000); // alternating
    assert_int_equal(lq_turns_expected_us(&turns, &user, LQ_TURN_HEAVY, 30), 30);
    for (int i = 0; i < 8; i++)
        lq_turns_leave(&turns, &flood[i]);
    lq_turns_leave(&turns, &user);
}

// ---- on a simulated clock, one step per millisecond --------------------------------------------

enum { PLAY_MS = 60000, FRAME_MS = 14, EVERY_MS = 100, STILL_MS = 2400, LATE_MS = 150,
       WORKERS_MAX = 4 };

// A worker, or a thread for heavy stills. The system runs workers first; a heavy thread gets a
// quarter of a core if none is free.
struct worker {
    int left_ms;
    const struct lq_turn *turn; // NULL: idle
    struct lq_turn_taken taken;
};

static struct play {
    struct worker workers[WORKERS_MAX], heavy[WORKERS_MAX];
    struct lq_turn stream, posts[FLOOD], visitor;
    int live_since, visitor_since;   // -1: no frame is waiting or in flight
    int replies, late, visits, visit_ms_max, stills;
} play;

static void finish(struct worker *worker, int now)
{
    const struct lq_turn *turn = worker->turn;
    lq_turns_done(&turns, &worker->taken);
    worker->turn = NULL;
    if (turn == &play.stream) {
        play.replies++;
        play.late += now - play.live_since > LATE_MS;
        play.live_since = -1;
    } else if (turn == &play.visitor) {
        int ms = now - play.visitor_since;
        play.visits++;
        play.visit_ms_max = ms > play.visit_ms_max ? ms : play.visit_ms_max;
        play.visitor_since = -1;
    } else {
        play.stills++;
        for (int i = 0; i < FLOOD; i++) // the flood posts again at once
            still(&play.posts[i], LQ_TURN_HEAVY, STILL_MS);
    }
}

// Runs one step; returns whether the worker had something to do.
static bool work(struct worker *worker, bool heavy, int now)
{
    if (!worker->turn) {
        worker->turn = heavy ? take_heavy(&worker->taken) : take(&worker->taken);
        worker->left_ms = heavy ? STILL_MS : FRAME_MS;
    }
    if (!worker->turn)
        return false;
    if (--worker->left_ms == 0)
        finish(worker, now);
    return true;
}

static void work_all(int workers, int now)
{
    int cores = workers;
    for (int i = 0; i < turns.heavy_max; i++)
        if (now % 4 == 0) // even if a worker wants the core
            cores -= work(&play.heavy[i], true, now);
    for (int i = 0; i < workers && cores > 0; i++)
        cores -= work(&play.workers[i], false, now);
    for (int i = 0; i < turns.heavy_max && cores > 0; i++)
        if (now % 4 != 0)
            cores -= work(&play.heavy[i], true, now);
}

static void forget(struct worker *worker)
{
    if (worker->turn)
        lq_turns_done(&turns, &worker->taken);
}

// Simulates a minute with 10 live frames a second. flood: always 31 heavy stills are posted.
static void play_minute(int workers, bool flood)
{
    play = (struct play){.live_since = -1, .visitor_since = -1};
    lq_turns_init(&turns, workers, workers);
    enter(&play.stream, 1);
    enter(&play.visitor, 3);
    for (int i = 0; i < FLOOD; i++) {
        enter(&play.posts[i], 2);
        if (flood)
            still(&play.posts[i], LQ_TURN_HEAVY, STILL_MS);
    }
    for (int now = 0; now < PLAY_MS; now++) {
        if (now % EVERY_MS == 0 && play.live_since < 0) {
            play.live_since = now;
            live(&play.stream);
        }
        if (now % 3000 == 1500 && play.visitor_since < 0) {
            play.visitor_since = now;
            still(&play.visitor, LQ_TURN_LIGHT, FRAME_MS);
        }
        work_all(workers, now);
    }
    for (int i = 0; i < WORKERS_MAX; i++) {
        forget(&play.workers[i]);
        forget(&play.heavy[i]);
    }
    lq_turns_leave(&turns, &play.stream);
    lq_turns_leave(&turns, &play.visitor);
    for (int i = 0; i < FLOOD; i++)
        lq_turns_leave(&turns, &play.posts[i]);
    assert_null(turns.places);
}

static void a_flood_of_heavy_stills_leaves_others_their_replies(void **state)
{
    (void)state;
    for (int workers = 1; workers <= WORKERS_MAX; workers++) {
        play_minute(workers, false);
        int before = play.replies;
        assert_in_range(before, 590, 600);
        play_minute(workers, true);
        assert_true(play.replies * 3 >= before * 2);
        assert_true(play.late * 100 <= play.replies); // p99
        assert_in_range(play.visits, 19, 20);         // a light still from another address …
        assert_in_range(play.visit_ms_max, FRAME_MS - 1, LATE_MS); // … does not wait for heavy ones
        assert_in_range(play.stills, 15, PLAY_MS); // and the flood is served too
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_take_turns_then_their_sessions),
        cmocka_unit_test(live_frames_go_before_stills_but_for_one_in_a_while),
        cmocka_unit_test(a_worker_is_left_for_live_frames),
        cmocka_unit_test(while_nobody_is_live_light_stills_have_all_workers),
        cmocka_unit_test(a_core_is_left_for_live_frames),
        cmocka_unit_test(clients_that_leave_are_forgotten),
        cmocka_unit_test(a_flood_waits_for_itself),
        cmocka_unit_test(a_flood_of_heavy_stills_leaves_others_their_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
