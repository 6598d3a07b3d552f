// A compiled model of onnxruntime.c, and how it comes to be: setting the file's size, trying
// devices in turn (onnxruntime_open.c).
// Inside this layer only, after lq_ort_load. Threads: an engine is shared; compiling is one
// thread's.
// Owner: compile/close by the caller.
#pragma once

#include "engine/batcher.h"
#include "engine/onnxruntime_file.h"

enum { LQ_ORT_SLOTS_MAX = 6 }; // of 1, 2, 4 … 32 pictures

struct lq_engine {
    struct lq_ort_model *model;
    enum lq_device device;
    char gpu[128];              // its name; empty on the processor
    struct lq_batcher *batcher; // NULL: each request runs by itself
    struct lq_ort_slot *slots[LQ_ORT_SLOTS_MAX]; // for the batcher's runs
    int slot_count;
};

// `run_batch` is the batcher's, with the engine as its context.
LQ_MUST_CHECK int lq_ort_engine_compile(struct lq_engine **engine, const struct lq_ort_file *file,
                                        const struct lq_engine_options *options,
                                        lq_batch_run *run_batch, struct lq_error *err);
void lq_ort_engine_close(struct lq_engine *engine); // NULL is fine
