// A compiled model of onnxruntime.c, and how it is compiled: the input size is set in the file,
// then devices are tried in turn (onnxruntime_open.c).
// Private to this layer; call lq_ort_load first. Threads: an engine is shared; one thread compiles
// it.
// Owner: compile/close by the caller.
#pragma once

#include "engine/batcher.h"
#include "engine/onnxruntime_file.h"

enum { LQ_ORT_SLOTS_MAX = 6 }; // for 1, 2, 4 … 32 pictures

struct lq_engine {
    struct lq_ort_model *model;
    enum lq_device device;
    char gpu[128];              // its name; empty for the processor
    struct lq_batcher *batcher; // NULL: each request runs on its own
    struct lq_ort_slot *slots[LQ_ORT_SLOTS_MAX]; // for the batcher's runs
    int slot_count;
};

// `run_batch` is the batcher's callback; its context is the engine.
LQ_MUST_CHECK int lq_ort_engine_compile(struct lq_engine **engine, const struct lq_ort_file *file,
                                        const struct lq_engine_options *options,
                                        lq_batch_run *run_batch, struct lq_error *err);
void lq_ort_engine_close(struct lq_engine *engine); // engine may be NULL
