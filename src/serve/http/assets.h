// The page's files inside the binary, made from web/ by tools/embed.py.
// Threads: any; constants. Owner: the program.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "serve/http/negotiate.h"

// How long a browser may keep a file without asking again.
enum lq_asset_kept {
    LQ_ASSET_REVALIDATED, // it asks each time whether its copy is still the newest
    LQ_ASSET_SHORT,       // some minutes: what shops' pages name
    LQ_ASSET_IMMUTABLE,   // for ever: the name has the content's hash
};

struct lq_asset {
    const char *path; // "/index.html"
    const char *type; // Content-Type
    const char *hash; // of its bytes, for the ETag
    enum lq_asset_kept kept;
    // By enum lq_coding; no bytes where it would not be smaller.
    struct { const uint8_t *bytes; size_t len; } forms[LQ_CODING_COUNT];
};

extern const struct lq_asset lq_assets[]; // sorted by path; one without a path ends it

// Of the style inside index.html, as Content-Security-Policy needs it.
extern const char lq_asset_style_hash[];

struct lq_web_request;
// Answers a request for the file at its path: built in, or of --web's folder. The loop's.
void lq_asset_start(struct lq_web_request *request);
// Answers with that file and status; only with 200 may the client keep it. The loop's.
void lq_asset_respond(struct lq_web_request *request, int status, const char *path);
