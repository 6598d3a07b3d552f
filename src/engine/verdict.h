// What is known of a model file from when it was last tried in a process of its own (cli/check.h):
// kept in the cache of compiled models, so that a second start tries nothing.
// Threads: any; no state. Loads no engine.
#pragma once

#include <stdint.h>

enum lq_verdict {
    LQ_VERDICT_NONE,      // not tried, or not kept
    LQ_VERDICT_DIRECT,    // the engine reads the file
    LQ_VERDICT_CONVERTED, // … once lq_convert has made it an ONNX model
};

// One number for the file's contents, its sidecar's, the processor, the engine's library and `how`
// it is compiled; 0 when the file cannot be read.
uint64_t lq_verdict_key(const char *path, const char *how);

// cache_dir: NULL keeps nothing.
enum lq_verdict lq_verdict_read(const char *cache_dir, uint64_t key);
void lq_verdict_write(const char *cache_dir, uint64_t key, enum lq_verdict verdict);
