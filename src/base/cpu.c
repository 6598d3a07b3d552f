#include "base/cpu.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/attr.h"
#include "base/cgroup.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct lq_cgroup_quota quota;

static void read_quota(void)
{
    lq_cgroup_read(&quota, "");
}

static int cores_of_affinity(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                           : (int)sysconf(_SC_NPROCESSORS_ONLN);
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

// A fraction of a core counts as one more thread, although that one is throttled at times.
static int cores_of_quota(void)
{
    pthread_once(&once, read_quota);
    return quota.cores > 0 && quota.cores < INT_MAX ? (int)ceil(quota.cores) : INT_MAX;
}

int lq_cpu_count(void)
{
    int allowed = cores_of_affinity(), paid = cores_of_quota();
    return paid < allowed ? paid : allowed;
}

void lq_cpu_explain(char *text, size_t size)
{
    int online = (int)sysconf(_SC_NPROCESSORS_ONLN), allowed = cores_of_affinity();
    if (cores_of_quota() < allowed)
        snprintf(text, size, "%.4g cores are its control group's quota (%s), of %d", quota.cores,
                 quota.file, allowed);
    else if (allowed < online)
        snprintf(text, size, "its affinity (a cpuset, taskset) allows %d of %d", allowed, online);
    else
        snprintf(text, size, "all of this machine");
}

bool lq_cpu_has_f16(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & (1u << 23));
#elif defined(__aarch64__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0;
#else
    return false;
#endif
}

bool lq_cpu_has_amx_f16(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 21));
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

void lq_cpu_identify(uint32_t words[LQ_CPU_WORDS])
{
    memset(words, 0, LQ_CPU_WORDS * sizeof *words);
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d))
        words[0] = a, words[1] = c & ~(1u << 27), words[2] = d; // without OSXSAVE
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        words[3] = b, words[4] = c & ~(1u << 4), words[5] = d; // without OSPKE
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
        words[6] = a;
#elif defined(__aarch64__)
    const uint64_t features[] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    memcpy(words, features, sizeof features);
#endif
}

bool lq_cpu_lacks(char *text, size_t size)
{
    text[0] = '\0';
#if defined(__x86_64__)
    static const struct {
        const char *name;
        unsigned bit; // bit in ECX of CPUID leaf 1
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
