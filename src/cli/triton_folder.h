// A model's folder in a Triton repository, created atomically: it is written under another name and
// renamed when complete. A server that watches the repository never sees an incomplete one, and
// files left by a full disk do not block the next attempt.
// Threads: one. Owner: a struct the caller owns; lq_triton_folder_release removes what was not
// kept.
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct lq_triton_folder {
    char path[4000];    // final path: REPOSITORY/NAME
    char written[4032]; // temporary path; empty: nothing was created, or it was kept
    char version[4064]; // folder of the model's version 1 inside `written`
    const char *repository; // owned by the caller
    bool made_repository;
};

// Creates nothing yet. IO: REPOSITORY/NAME exists, unless `over`.
LQ_MUST_CHECK int lq_triton_folder_init(struct lq_triton_folder *folder, const char *repository,
                                        const char *name, bool over, struct lq_error *err);

// Creates the repository, if needed, and the folders to write to.
LQ_MUST_CHECK int lq_triton_folder_make(struct lq_triton_folder *folder, struct lq_error *err);

// Moves it to its final path. With `over`, existing files are replaced one by one, the
// configuration last, and files with other names (such as an engine built by trtexec) are kept.
LQ_MUST_CHECK int lq_triton_folder_keep(struct lq_triton_folder *folder, bool over,
                                        struct lq_error *err);

void lq_triton_folder_release(struct lq_triton_folder *folder);
