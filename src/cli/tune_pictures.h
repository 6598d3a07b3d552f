// The pictures on which `lacquer tune` tries models: those of a folder, or a few built-in renders
// of hands.
// Threads: one. Owner: init/release by the caller; bytes are valid until then.
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

extern const struct lq_tune_picture lq_tune_builtin[]; // ends with an entry without a name

struct lq_tune_pictures {
    struct lq_tune_picture items[LQ_TUNE_PICTURES_MAX];
    int count;
    int left_out; // pictures in the folder beyond LQ_TUNE_PICTURES_MAX
    struct lq_buf bytes, names; // for those of a folder
};

// folder: NULL uses the built-in ones; else the first LQ_TUNE_PICTURES_MAX by name. IO: the folder
// does not exist, has no pictures, or one cannot be read.
LQ_MUST_CHECK int lq_tune_pictures_read(struct lq_tune_pictures *pictures, const char *folder,
                                        struct lq_error *err);
void lq_tune_pictures_release(struct lq_tune_pictures *pictures);
