// The result of the last trial of a model file in a separate process (cli/model_check.h), stored in
// the cache of compiled models, so that a second start need not try again.
// Threads: any; no state. Does not load an engine.
#pragma once

#include <stdint.h>

enum lq_verdict {
    LQ_VERDICT_NONE,      // not tried, or not stored
    LQ_VERDICT_DIRECT,    // the engine can read the file
    LQ_VERDICT_CONVERTED, // … after lq_convert has turned it into an ONNX model
};

// Hashes the file, its sidecar, the processor, the engine's library and `how` it is compiled; 0 if
// the file cannot be read.
uint64_t lq_verdict_key(const char *path, const char *how);

// cache_dir: NULL stores nothing.
enum lq_verdict lq_verdict_read(const char *cache_dir, uint64_t key);
void lq_verdict_write(const char *cache_dir, uint64_t key, enum lq_verdict verdict);
