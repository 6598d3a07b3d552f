// What ONNX Runtime needs in addition to its library to compute on an NVIDIA GPU: the driver, the
// provider that comes with the library, and the CUDA and TensorRT libraries that the provider's
// file names (elf_needed.h). They are searched beside the library, where pip installs them beside a
// wheel, and by the loader.
// Private to this layer; call lq_ort_load first. Threads: any; loading takes a lock.
// Owner: the process; nothing is ever unloaded.
// Source: the CUDA driver interface (cuInit, cuDriverGetVersion, cuDeviceGetName).
#pragma once

#include "engine/engine.h"

struct lq_gpu {
    char name[128];    // "NVIDIA H200"
    int count;
    int cuda_version;  // newest version the driver supports: 12040 for 12.4
};

// Loads everything that CUDA, or TensorRT, needs. UNAVAILABLE: names what is missing, and the next
// step. Once CUDA is initialised, a forked child cannot use it.
LQ_MUST_CHECK int lq_ort_parts_load(enum lq_device device, struct lq_gpu *gpu,
                                    struct lq_error *err);

// cudaMemcpy of the loaded CUDA runtime; `kind` 1: to the GPU, 2: from it. Returns 0 on success.
int lq_ort_cuda_copy(void *to, const void *from, size_t bytes, int kind);

// Calls row for each part, present or not; loads the library and the driver but nothing else.
void lq_ort_parts_list(void (*row)(void *context, const char *name, bool there,
                                   const char *detail), void *context);
