// Internals of session.h, shared by session.c and workers.c: the sessions' mailboxes, from which
// workers take frames.
// Threads: any, under the workers' lock where stated. Owner: as session.h says for each field.
#pragma once

#include "serve/sched/session.h"

struct lq_thread {
    struct lq_workers *workers;
    void *worker;
    bool heavy;        // processes only heavy stills
    pthread_t thread;
    bool running;
    uint64_t since_us; // lock: when it began its current step; 0: idle
    uint64_t pixels;   // lock: of its picture
};

struct lq_workers {
    struct lq_work work;
    void (*wake)(void *context);
    void *wake_context;
    pthread_mutex_t lock;
    pthread_cond_t more, more_heavy; // one for each kind of thread
    struct lq_turns turns;    // lock: sessions with a frame to process
    int working_count;        // lock: frames being processed
    struct lq_frame_slot *done;     // lock: newest first
    bool stop;                // lock
    int count;
    struct lq_thread threads[];
};

// The condition for threads of either kind: there is more to take.
pthread_cond_t *lq_workers_more(struct lq_workers *workers, bool heavy);
// Queues the session for its turn if it has a frame that may be taken now. Call it with the lock
// held.
void lq_session_queue(struct lq_session *session);
// Frees the memory of a slot's buffers.
void lq_frame_slot_release(struct lq_frame_slot *slot);
// Updates the charge for a slot's buffers. Called by the slot's owner.
void lq_frame_slot_charge(struct lq_frame_slot *slot);
// Call it after the last of the session's slots has come back.
void lq_session_free(struct lq_session *session);
