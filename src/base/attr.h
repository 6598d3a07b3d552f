// Compiler attributes used throughout the source tree. Threads: any; no state.
#pragma once

// The function's result must be used.
#define LQ_MUST_CHECK __attribute__((warn_unused_result))

// printf-like argument checking: format at position f, arguments from position a.
#define LQ_PRINTF(f, a) __attribute__((format(printf, f, a)))

// Exports a symbol from liblacquer. All other symbols are hidden.
#define LQ_PUBLIC __attribute__((visibility("default")))

// Compiles a hot loop once per instruction set; the loader picks the version for this processor.
// On ARM64 every processor has NEON, so a single version is vectorised for it.
// Sanitizer builds get one plain version, because the resolver runs before their runtime is ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(LQ_SANITIZE)
#if !defined(__clang__) && __GNUC__ < 12 // does not know these levels
#define LQ_HOT __attribute__((target_clones("default", "avx2", "avx512bw")))
#else
#define LQ_HOT __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#endif
#else
#define LQ_HOT
#endif

// Placed before a loop: no iteration reads what another iteration writes, so iterations may be
// vectorised. Clang has a similar hint, but warns wherever it could not follow it.
#if defined(__clang__)
#define LQ_IVDEP
#else
#define LQ_IVDEP _Pragma("GCC ivdep")
#endif

#define LQ_COUNT(array) (sizeof(array) / sizeof((array)[0]))
