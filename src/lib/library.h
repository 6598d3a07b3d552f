// Types shared by the library's files, and the conversion of our statuses to its codes.
// Threads and owner: as include/lacquer.h says for each type.
#pragma once

#include "lacquer.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "frame/frame.h"
#include "paint/catalogue.h"

struct lq_lib_model { // shared by contexts
    struct lq_model *model;
    atomic_int users;
};

struct lacquer {
    atomic_bool busy;          // a call is running
    struct lq_lib_model *shared;
    struct lq_pipe *pipe;
    struct lq_job job;         // the last one, for its response as JSON
    struct lq_buf output, text;
    struct lacquer_nail nails[LQ_NAILS_MAX];
    struct lq_error err;
};

struct lacquer_catalogue {
    struct lq_catalogue *names;
    struct lq_buf json;
    atomic_int users;          // its opener and the looks made from it
};

struct lacquer_full_look {
    struct lq_look look;
    struct lacquer_catalogue *catalogue; // the catalogue whose patterns it borrows
};

struct lacquer_video {
    struct lq_tracker *tracker;
};

int lq_lib_code(int status);                 // converts enum lq_status to LACQUER_ERR_…

// Writes err's text to `error` (may be NULL); returns the code.
int lq_lib_fail(const struct lq_error *err, int status, char *error, size_t error_size);

// Starts a call; false if another thread's call is running.
bool lq_lib_enter(struct lacquer *context);
int lq_lib_leave(struct lacquer *context, int status); // ends a call; returns the code

// Fails with ENGINE in a forked child of the process that opened the first model.
LQ_MUST_CHECK int lq_lib_check_process(struct lq_error *err);

// Copies a caller's struct that begins with its size, from an older or newer header, over `own`
// (zeroed first). least: the size that 0 stands for. ARGUMENT: it sets something that this library
// does not know.
LQ_MUST_CHECK int lq_lib_copy_in(void *own, size_t own_size, const void *given, size_t least,
                                 const char *what, struct lq_error *err);

// The options with all defaults filled in. The texts of `servers` live in it as long as it is used.
enum { LQ_LIB_SERVERS_MAX = 8 * 256, LQ_LIB_STEM_MAX = 128 };
struct lq_lib_options {
    const char *path;
    struct lq_model_options model;
    enum lacquer_model_check check;
    char servers[LQ_LIB_SERVERS_MAX], stem[LQ_LIB_STEM_MAX];
};
LQ_MUST_CHECK int lq_lib_read_options(struct lq_lib_options *own,
                                      const struct lacquer_options *given, struct lq_error *err);

// Tries a foreign model in a separate process, unless it is known to work. MODEL: it does not work.
LQ_MUST_CHECK int lq_lib_check_model(const struct lq_lib_options *options, struct lq_error *err);
