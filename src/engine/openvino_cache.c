#include "engine/openvino_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/trust.h"
#include "engine/openvino_load.h"

enum { SUM_DIGITS = 16 };

// FNV-1a over 8-byte words in four lanes, so that tens of megabytes take milliseconds. It detects
// accidental damage, not attacks: only the folder's owner can write to it.
uint64_t lq_openvino_checksum(const void *memory, size_t len)
{
    const uint8_t *bytes = memory;
    const uint64_t prime = 1099511628211u;
    uint64_t lanes[4] = {14695981039346656037u, 1, 2, 3}, word;
    size_t at = 0;
    for (; at + 32 <= len; at += 32)
        for (size_t lane = 0; lane < 4; lane++) {
            memcpy(&word, bytes + at + 8 * lane, 8);
            lanes[lane] = (lanes[lane] ^ word) * prime;
            lanes[lane] ^= lanes[lane] >> 29; // mix high bits into the low ones
        }
    uint64_t hash = len;
    for (size_t lane = 0; lane < 4; lane++)
        hash = (hash ^ lanes[lane]) * prime;
    for (; at < len; at++)
        hash = (hash ^ bytes[at]) * prime;
    return hash ^ hash >> 32;
}

// ---- the folder

// Identifies the processor and the instruction sets that oneDNN may use.
uint32_t lq_openvino_processor(void)
{
    const char *limit = getenv("ONEDNN_MAX_CPU_ISA");
    uint32_t words[LQ_CPU_WORDS + 1] = {0};
    lq_cpu_identify(words);
    if (limit)
        words[LQ_CPU_WORDS] = (uint32_t)lq_openvino_checksum(limit, strlen(limit));
    return (uint32_t)lq_openvino_checksum(words, sizeof words);
}

// Whoever can write to the folder controls the code that is run from it.
int lq_openvino_cache_make(char *path, struct lq_error *err)
{
    int status = lq_trust_path(path, geteuid(), LQ_TRUST_MISSING, err);
    if (status != LQ_OK)
        return status;
    for (char *at = path + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
        *at = kept;
        if (!failed && !kept && access(path, W_OK) != 0)
            failed = errno;
        if (failed)
            return lq_fail(err, LQ_ERR_IO, "cannot write to '%.150s': %s", path, strerror(failed));
        if (!kept)
            return lq_trust_path(path, geteuid(), 0, err);
    }
}

// ---- seals

bool lq_openvino_checksum_file(const char *path, uint64_t *sum)
{
    size_t len;
    const void *bytes = lq_file_map(path, &len);
    if (!bytes)
        return false;
    *sum = lq_openvino_checksum(bytes, len);
    lq_file_unmap(bytes, len);
    return true;
}

// Prints a file's checksum in hexadecimal, as a seal stores it.
static bool print_checksum(const char *path, char text[SUM_DIGITS + 1])
{
    uint64_t sum;
    if (!lq_openvino_checksum_file(path, &sum))
        return false;
    snprintf(text, SUM_DIGITS + 1, "%016llx", (unsigned long long)sum);
    return true;
}

static bool is_blob(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".blob") == 0;
}

// Rejects links, and files that other users can write to.
static bool is_own(const char *blob)
{
    struct stat info;
    return lstat(blob, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 &&
           (info.st_uid == geteuid() || info.st_uid == 0) &&
           !(info.st_mode & (S_IWGRP | S_IWOTH));
}

static void check_seal(const char *blob)
{
    char seal[PATH_MAX], sum[SUM_DIGITS + 1], stored[SUM_DIGITS + 1] = "";
    if (snprintf(seal, sizeof seal, "%s.sum", blob) >= (int)sizeof seal)
        return;
    FILE *file = fopen(seal, "re");
    if (file) {
        if (!fgets(stored, sizeof stored, file))
            stored[0] = '\0';
        fclose(file);
    }
    if (is_own(blob) && print_checksum(blob, sum) && strcmp(sum, stored) == 0)
        return;
    unlink(blob);
    unlink(seal);
}

static void make_seal(const char *blob)
{
    char seal[PATH_MAX], sum[SUM_DIGITS + 1];
    if (snprintf(seal, sizeof seal, "%s.sum", blob) >= (int)sizeof seal ||
        access(seal, F_OK) == 0 || !print_checksum(blob, sum))
        return;
    // If writing fails, the next start compiles again.
    (void)!lq_file_write(seal, sum, SUM_DIGITS, NULL);
}

static void for_each_blob(const char *folder, void (*visit)(const char *blob))
{
    char path[PATH_MAX];
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (is_blob(entry->d_name) &&
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            visit(path);
    if (dir)
        closedir(dir);
}

void lq_openvino_cache_open(char *folder, size_t size, const char *cache_dir,
                            const char *model_path, const char *precision)
{
    folder[0] = '\0';
    if (!cache_dir || !*cache_dir)
        return;
    char whole[PATH_MAX];
    const char *model = realpath(model_path, whole) ? whole : model_path;
    int len = snprintf(folder, size, "%s/openvino-%s-%08x-%s-%08x", cache_dir, lq_openvino.build,
                       lq_openvino_processor(), precision,
                       (uint32_t)lq_openvino_checksum(model, strlen(model)));
    struct lq_error why = {0};
    if (len < 0 || (size_t)len >= size)
        lq_fail(&why, LQ_ERR_IO, "path too long: '%.100s…'", cache_dir);
    else
        (void)!lq_openvino_cache_make(folder, &why);
    if (why.status != LQ_OK) {
        static atomic_flag logged = ATOMIC_FLAG_INIT;
        if (!atomic_flag_test_and_set(&logged))
            lq_log_warn("compiled models are not kept: %s; see --cache-dir", why.text);
        folder[0] = '\0';
        return;
    }
    for_each_blob(folder, check_seal);
}

void lq_openvino_cache_seal(const char *folder)
{
    if (*folder)
        for_each_blob(folder, make_seal);
}
