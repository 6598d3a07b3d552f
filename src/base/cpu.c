#include "base/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/attr.h"

// A container's share of the machine (cgroup v2 cpu.max: "quota period" in µs, or "max period").
static int quota_cores(void)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!file)
        return 0;
    long quota = 0, period = 0;
    int fields = fscanf(file, "%ld %ld", &quota, &period);
    fclose(file);
    if (fields != 2 || quota <= 0 || period <= 0)
        return 0;
    return (int)((quota + period - 1) / period);
}

int lq_cpu_count(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                           : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = quota_cores();
    if (quota > 0 && quota < count)
        count = quota;
    return count > 0 ? count : 1;
}

bool lq_cpu_has_amx(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & (1u << 24)) && (d & (1u << 25));
#else
    return false;
#endif
}

bool lq_cpu_has_bf16(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    bool amx = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & (1u << 22));
    bool avx512 = __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5));
    return amx || avx512;
#else
    return false;
#endif
}

bool lq_cpu_lacks(char *text, size_t size)
{
    text[0] = '\0';
#if defined(__x86_64__)
    static const struct {
        const char *name;
        unsigned bit; // of CPUID leaf 1, ECX
    } needed[] = {{"SSE3", 0}, {"SSSE3", 9}, {"SSE4.1", 19}, {"SSE4.2", 20}, {"POPCNT", 23}};
    unsigned a, b, c = 0, d;
    if (!__get_cpuid(1, &a, &b, &c, &d))
        c = 0;
    for (size_t i = 0; i < LQ_COUNT(needed); i++) {
        size_t len = strlen(text);
        if (!(c >> needed[i].bit & 1))
            snprintf(text + len, size - len, "%s%s", len ? ", " : "", needed[i].name);
    }
#else
    (void)size;
#endif
    return text[0] != '\0';
}
