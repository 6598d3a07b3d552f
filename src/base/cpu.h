// What this machine's processor offers. Threads: any. Owner: texts are the caller's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LQ_CPU_WORDS = 7 };

// Cores this process may use: those of its affinity mask, or its control groups' quota
// (base/cgroup.h) rounded up, whichever is smaller. >= 1. The quota is read once, at the first
// call.
int lq_cpu_count(void);

// Where that number comes from, for people.
void lq_cpu_explain(char *text, size_t size);

// Native bfloat16 multiply-add (AVX512-BF16 or AMX-BF16): halves a convolution's time.
bool lq_cpu_has_bf16(void);

// Native half-precision arithmetic of vectors (AVX512-FP16; ARM64's FP16 of ARMv8.2).
bool lq_cpu_has_f16(void);

// AMX products of half-precision numbers (Intel's Granite Rapids and later).
bool lq_cpu_has_amx_f16(void);

// AMX tiles and their int8 products (Intel's Sapphire Rapids and later).
bool lq_cpu_has_amx(void);

// What tells apart processors that code compiled for one of them cannot travel between: on x86-64
// family, model and features, on ARM64 the features that the kernel reports (its cores may be of
// several models).
void lq_cpu_identify(uint32_t words[LQ_CPU_WORDS]);

// Which of the instructions that OpenVINO's own code is compiled for this processor lacks: writes
// "SSE4.2, POPCNT" and returns true; false when it lacks none. Uses CPUID alone.
bool lq_cpu_lacks(char *text, size_t size);
