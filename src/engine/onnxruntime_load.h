// Loads the library behind onnxruntime.c: where it is found, its functions, and the process's only
// environment.
// Private to this layer. Threads: any; the first call of lq_ort_load loads, others wait for it.
// Owner: the process; nothing is ever unloaded.
#pragma once

#include "base/buf.h"
#include "engine/onnxruntime_api.h"

struct lq_ort {
#define X(entry, result, name, arguments) result (*name) arguments;
    LQ_ORT_FUNCTIONS(X)
#undef X
    struct lq_ort_env *env;
    char version[32];  // "1.26.0"
    char folder[4096]; // folder of the library, with its providers beside it
};

extern struct lq_ort lq_ort;

// Returns 0, or UNAVAILABLE with the reason and the next step; every call returns the same result.
LQ_MUST_CHECK int lq_ort_load(struct lq_error *err);

// Writes the folder of the library that lq_ort_load would use, as far as this is known without
// loading it: $LACQUER_ONNXRUNTIME, the build's, or the one beside the program; "" if the loader
// decides.
void lq_ort_place(char *folder, size_t size);

// Writes "cannot WHAT 'subject': the library's own reason" and releases the library's status
// `code`, which must not be NULL.
int lq_ort_fail(struct lq_error *err, int status, struct lq_ort_status *code, const char *what,
                const char *subject);
// The same for a call that may have succeeded; returns 0 then.
LQ_MUST_CHECK int lq_ort_check(struct lq_error *err, int status, struct lq_ort_status *code,
                               const char *what, const char *subject);
