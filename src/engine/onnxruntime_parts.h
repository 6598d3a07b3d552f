// What ONNX Runtime needs beside its library to compute on an NVIDIA GPU: the driver, the provider
// that comes with the library, and the CUDA and TensorRT libraries that the provider's own file
// names (elf_needed.h). They are looked for beside the library, where pip puts them beside an
// installed wheel, and by the loader.
// Inside this layer only, after lq_ort_load. Threads: any; loading takes a lock.
// Owner: the process; nothing is ever unloaded.
// Source: the CUDA driver interface (cuInit, cuDriverGetVersion, cuDeviceGetName).
#pragma once

#include "engine/engine.h"

struct lq_gpu {
    char name[128];    // "NVIDIA H200"
    int count;
    int cuda_version;  // newest that the driver takes: 12040 for 12.4
};

// Loads all that CUDA, or TensorRT, takes. UNAVAILABLE with what is missing, by name, and the next
// step. Once CUDA is initialised a forked child cannot use it.
LQ_MUST_CHECK int lq_ort_parts_load(enum lq_device device, struct lq_gpu *gpu,
                                    struct lq_error *err);

// cudaMemcpy of the CUDA runtime that was loaded; `kind` 1: to the GPU, 2: from it. 0 when done.
int lq_ort_cuda_copy(void *to, const void *from, size_t bytes, int kind);

// One row for each part, there or not; loads the library and the driver, none of the others.
void lq_ort_parts_list(void (*row)(void *context, const char *name, bool there,
                                   const char *detail), void *context);
