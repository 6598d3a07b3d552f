// The page's files inside the binary, made from web/ by tools/embed.py.
// Threads: any; constants. Owner: the program.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lq_asset {
    const char *path; // "/index.html"
    const char *type; // Content-Type
    const char *etag; // in its quotes
    const uint8_t *bytes;
    size_t len;
    const uint8_t *gzip; // NULL where it would not be smaller
    size_t gzip_len;
};

extern const struct lq_asset lq_assets[]; // sorted by path; one without a path ends it

// The Content-Type for a file name's ending.
const char *lq_asset_type(const char *path);

struct lq_web_request;
// Answers a request for the file at its path: built in, or of --web's folder. The loop's.
void lq_asset_start(struct lq_web_request *request);
// Answers with that file and status; only with 200 may the client keep it. The loop's.
void lq_asset_respond(struct lq_web_request *request, int status, const char *path);
