// What this machine's processor offers. Any thread.
#pragma once

#include <stdbool.h>

// Cores this process may use: the affinity mask and a cgroup's quota, whichever is smaller. >= 1.
int lq_cpu_count(void);

// Native bfloat16 multiply-add (AVX512-BF16 or AMX-BF16): halves a convolution's time.
bool lq_cpu_has_bf16(void);

// AMX tiles and their int8 products (Intel's Sapphire Rapids and later).
bool lq_cpu_has_amx(void);
