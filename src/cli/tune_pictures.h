// What `lacquer tune` tries models on: the pictures of a folder, or a few renders of hands in the
// binary.
// Threads: one. Owner: init/release by the caller; bytes live until then.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { LQ_TUNE_PICTURES_MAX = 64, LQ_TUNE_PICTURE_BYTES_MAX = 512 << 20 };

struct lq_tune_picture {
    const char *name;
    const uint8_t *bytes;
    size_t len;
};

extern const struct lq_tune_picture lq_tune_builtin[]; // one without a name ends them

struct lq_tune_pictures {
    struct lq_tune_picture items[LQ_TUNE_PICTURES_MAX];
    int count;
    int left_out; // of the folder's, beyond LQ_TUNE_PICTURES_MAX
    struct lq_buf bytes, names; // of a folder's
};

// folder: NULL takes those in the binary. Of a folder the first LQ_TUNE_PICTURES_MAX by name.
// No such folder, none in it, or one that cannot be read: IO.
LQ_MUST_CHECK int lq_tune_pictures_read(struct lq_tune_pictures *pictures, const char *folder,
                                        struct lq_error *err);
void lq_tune_pictures_release(struct lq_tune_pictures *pictures);
