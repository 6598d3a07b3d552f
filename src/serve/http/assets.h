// The page's files, embedded in the binary from web/ by tools/embed.py.
// Threads: any; constants. Owner: the program.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "serve/http/negotiate.h"

// How long a browser may use a file without revalidation.
enum lq_asset_kept {
    LQ_ASSET_REVALIDATED, // it revalidates its copy each time
    LQ_ASSET_SHORT,       // a few minutes: files that shops' pages refer to
    LQ_ASSET_IMMUTABLE,   // for ever: the name contains a hash of the contents
};

struct lq_asset {
    const char *path; // "/index.html"
    const char *type; // Content-Type
    const char *hash; // of the contents, for the ETag
    enum lq_asset_kept kept;
    // Indexed by enum lq_coding; empty if compression would not make it smaller.
    struct { const uint8_t *bytes; size_t len; } forms[LQ_CODING_COUNT];
};

extern const struct lq_asset lq_assets[]; // sorted by path; ends with an entry without a path

// Hash of the style sheet inside index.html, for Content-Security-Policy.
extern const char lq_asset_style_hash[];

struct lq_web_request;
// Responds with the file at the request's path: built in, or from the --web folder. The loop's.
void lq_asset_start(struct lq_web_request *request);
// Responds with that file and status; the client may cache it only with 200. The loop's.
void lq_asset_respond(struct lq_web_request *request, int status, const char *path);
