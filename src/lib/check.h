// Interface between liblacquer and the program that tries a model for it. The program's arguments
// are MODEL PRECISION TUNE THREADS CACHE_DIR (enums as numbers, "" for no cache); it writes one
// response to descriptor LQ_CHECK_FD.
// Threads: none shared. Owner: plain data.
#pragma once

#define LQ_CHECK_PROGRAM "lacquer-check-model"

// A large model takes seconds on a slow processor, and a minute or two on an emulated one.
enum { LQ_CHECK_FD = 3, LQ_CHECK_MS_MAX = 180 * 1000 };

struct lq_check_response {
    int status; // enum lq_status
    char text[768];
};
