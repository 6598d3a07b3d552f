// Where OpenVINO stores compiled models (*.blob): one folder per model file, processor, precision
// and OpenVINO build, so a cache copied to another machine is never used there.
// OpenVINO trusts the contents of a blob: a damaged one would run and never detect anything. So
// each blob is sealed with its checksum once it is written (*.blob.sum), and a blob whose seal is
// missing or wrong is removed before OpenVINO sees it. A compiled model is code: a folder that
// another user could write to is not used as a cache (base/trust.h).
// Threads: any, also several processes: at worst a blob is compiled once more.
// Owner: the cache folder is the user's; names are written to the caller's memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// Creates the folder, removes unsealed blobs from it and writes its name; "" if caching is off or
// the folder cannot be created.
void lq_openvino_cache_open(char *folder, size_t size, const char *cache_dir,
                            const char *model_path, const char *precision);

// Creates a folder that only its owner may write to, and its parent folders. Fails with AUTH if
// other users could write there. `path` is modified during the call.
LQ_MUST_CHECK int lq_openvino_cache_make(char *path, struct lq_error *err);

// Seals the files that a compilation has written. folder may be "".
void lq_openvino_cache_seal(const char *folder);

// A checksum of bytes.
uint64_t lq_openvino_checksum(const void *bytes, size_t len);
// The same for a file. False if it cannot be read, is not a regular file or is empty.
bool lq_openvino_checksum_file(const char *path, uint64_t *sum);
// A number that differs between processors which cannot share compiled models.
uint32_t lq_openvino_processor(void);
