// A model's folder in a Triton repository, whole or not at all: it is written under another name
// and renamed when all of it is there. A server that watches the repository never sees half of one,
// and what a full disk cut short is not in the next try's way.
// Threads: one. Owner: a struct the caller owns; lq_triton_folder_release takes away what was not
// kept.
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct lq_triton_folder {
    char path[4000];    // where it will be: REPOSITORY/NAME
    char written[4032]; // where it is being written; empty: nothing was made, or it was kept
    char version[4064]; // the model's version 1 in that
    const char *repository; // the caller's
    bool made_repository;
};

// Makes nothing yet. IO where REPOSITORY/NAME is there already, unless `over`.
LQ_MUST_CHECK int lq_triton_folder_init(struct lq_triton_folder *folder, const char *repository,
                                        const char *name, bool over, struct lq_error *err);

// Makes the repository, where there is none, and the folders to write to.
LQ_MUST_CHECK int lq_triton_folder_make(struct lq_triton_folder *folder, struct lq_error *err);

// Puts it in its place. With `over` what is there is replaced file by file, the configuration last,
// and files of other names (an engine that trtexec made) stay.
LQ_MUST_CHECK int lq_triton_folder_keep(struct lq_triton_folder *folder, bool over,
                                        struct lq_error *err);

void lq_triton_folder_release(struct lq_triton_folder *folder);
