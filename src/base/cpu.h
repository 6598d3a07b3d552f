// What this machine's processor offers. Threads: any. Owner: the caller owns the texts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LQ_CPU_WORDS = 7 };

// Number of cores this process may use, at least 1: those in its affinity mask, or its control
// groups' quota (base/cgroup.h) rounded up, whichever is smaller. The quota is read once, at the
// first call.
int lq_cpu_count(void);

// Explains to the user where that number comes from.
void lq_cpu_explain(char *text, size_t size);

// Whether bfloat16 multiply-add is native (AVX512-BF16 or AMX-BF16): it halves a convolution's
// time.
bool lq_cpu_has_bf16(void);

// Whether half-precision vector arithmetic is native (AVX512-FP16; on ARM64 FP16 of ARMv8.2).
bool lq_cpu_has_f16(void);

// Whether AMX multiplies half-precision tiles (Intel Granite Rapids and later).
bool lq_cpu_has_amx_f16(void);

// Whether AMX tiles and their int8 products are there (Intel Sapphire Rapids and later).
bool lq_cpu_has_amx(void);

// Identifies the kind of processor: code compiled for one identity must not be reused on another.
// On x86-64 it holds family, model and features; on ARM64 the features that the kernel reports,
// since its cores may be of several models.
void lq_cpu_identify(uint32_t words[LQ_CPU_WORDS]);

// Whether this processor lacks instructions that OpenVINO's own code was compiled for. If so,
// writes their names, such as "SSE4.2, POPCNT". Uses only CPUID.
bool lq_cpu_lacks(char *text, size_t size);
