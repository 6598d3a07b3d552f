// The insides of session.h that session.c and workers.c share: sessions' mailboxes, from which
// workers take frames.
// Threads: any, under the workers' lock where it says so. Owner: as session.h says of each field.
#pragma once

#include "serve/sched/session.h"

struct lq_thread {
    struct lq_workers *workers;
    void *worker;
    bool heavy;        // for heavy stills alone
    pthread_t thread;
    bool running;
    uint64_t since_us; // lock: when it came to the step that it works on; 0: nothing
    uint64_t pixels;   // lock: of the picture
};

struct lq_workers {
    struct lq_work work;
    void (*wake)(void *context);
    void *wake_context;
    pthread_mutex_t lock;
    pthread_cond_t more, more_heavy; // for threads of either kind
    struct lq_turns turns;    // lock: sessions with a frame to take
    int working_count;        // lock: frames that workers have
    struct lq_frame_slot *done;     // lock: newest first
    bool stop;                // lock
    int count;
    struct lq_thread threads[];
};

// For threads of either kind: when there is more to take.
pthread_cond_t *lq_workers_more(struct lq_workers *workers, bool heavy);
// Has a session wait for its turn if it has a frame that may be taken now. With the lock held.
void lq_session_queue(struct lq_session *session);
// Gives the memory of a slot's buffers back.
void lq_frame_slot_release(struct lq_frame_slot *slot);
// Charges what a slot's buffers take. By who owns the slot.
void lq_frame_slot_charge(struct lq_frame_slot *slot);
// After the last of its slots came back.
void lq_session_free(struct lq_session *session);
