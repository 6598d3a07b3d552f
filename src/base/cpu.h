// What this machine's processor offers. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Cores this process may use: the affinity mask and a cgroup's quota, whichever is smaller. >= 1.
int lq_cpu_count(void);

// Native bfloat16 multiply-add (AVX512-BF16 or AMX-BF16): halves a convolution's time.
bool lq_cpu_has_bf16(void);

// AMX tiles and their int8 products (Intel's Sapphire Rapids and later).
bool lq_cpu_has_amx(void);

// Which of the instructions that OpenVINO's own code is compiled for this processor lacks: writes
// "SSE4.2, POPCNT" and returns true; false when it lacks none. Uses CPUID alone.
bool lq_cpu_lacks(char *text, size_t size);
