// Interface between liblacquer and the program that tries a model for it. Its arguments are MODEL
// PRECISION TUNE THREADS CACHE_DIR (numbers of our enums, "" for no cache); it writes one answer.
// Threads: none shared. Owner: plain data.
#pragma once

#define LQ_CHECK_PROGRAM "lacquer-check-model"

// A large model takes seconds on a slow processor, and a minute or two on an emulated one.
enum { LQ_CHECK_FD = 3, LQ_CHECK_MS_MAX = 180 * 1000 };

struct lq_check_answer {
    int status; // enum lq_status
    char text[768];
};
