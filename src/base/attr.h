// Compiler attributes used all over the tree. Threads: any; no state.
#pragma once

// The function's result must be used.
#define LQ_MUST_CHECK __attribute__((warn_unused_result))

// printf-like argument checking: format at position f, arguments from position a.
#define LQ_PRINTF(f, a) __attribute__((format(printf, f, a)))

// Exported from liblacquer. Everything else is hidden.
#define LQ_PUBLIC __attribute__((visibility("default")))

// A hot loop that is compiled once per instruction set and chosen when the program is loaded.
// On ARM64 NEON is part of every processor, and the one version is vectorised for it.
// Sanitizers instrument the resolver before their runtime is up, so they get one plain version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(LQ_SANITIZE)
#if !defined(__clang__) && __GNUC__ < 12 // knows no levels there
#define LQ_HOT __attribute__((target_clones("default", "avx2", "avx512bw")))
#else
#define LQ_HOT __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#endif
#else
#define LQ_HOT
#endif

// Before a loop: no turn of it reads what another writes, so turns may be worked on together. Clang
// has such a hint too, but complains wherever it could not follow it.
#if defined(__clang__)
#define LQ_IVDEP
#else
#define LQ_IVDEP _Pragma("GCC ivdep")
#endif

#define LQ_COUNT(array) (sizeof(array) / sizeof((array)[0]))
