// Where OpenVINO keeps compiled models (*.blob), one folder for each model file, processor,
// precision and OpenVINO build, so that a cache carried to another machine is never read there.
// OpenVINO believes whatever stands in a blob: a spoiled one would run and find nothing, for ever.
// So each is sealed with its checksum once it is written (*.blob.sum), and one whose seal is
// missing or wrong is removed before OpenVINO looks. A compiled model is code: there is no cache
// in a folder that another user could write in (base/trust.h).
// Threads: any, also several processes: at worst a blob is compiled once more.
// Owner: the user's cache folder; names are in the caller's memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// Makes the folder, drops unsealed blobs from it and writes its name; "" when there is to be no
// cache or it cannot be made.
void lq_openvino_cache_open(char *folder, size_t size, const char *cache_dir,
                            const char *model_path, const char *precision);

// Makes a folder that only its owner may write in, with those above it. AUTH where others could;
// the path is written to meanwhile.
LQ_MUST_CHECK int lq_openvino_cache_make(char *path, struct lq_error *err);

// Seals what a compilation has written. "" is fine.
void lq_openvino_cache_seal(const char *folder);

// Tells bytes apart, and processors that a compiled model cannot travel between.
uint64_t lq_openvino_checksum(const void *bytes, size_t len);
// The same of a file. False when it cannot be read, is no plain file or is empty.
bool lq_openvino_checksum_file(const char *path, uint64_t *sum);
uint32_t lq_openvino_processor(void);
