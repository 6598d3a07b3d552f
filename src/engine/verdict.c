#include "engine/verdict.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config.h"
#include "engine/openvino_cache.h"
#include "engine/openvino_load.h"

static const char *const words[] = {
    [LQ_VERDICT_DIRECT] = "direct", [LQ_VERDICT_CONVERTED] = "converted"};

static uint64_t mix(uint64_t key, uint64_t more)
{
    const uint64_t pair[] = {key, more};
    return lq_openvino_checksum(pair, sizeof pair);
}

static uint64_t mix_text(uint64_t key, const char *text)
{
    return mix(key, lq_openvino_checksum(text, strlen(text)));
}

// False if the file is missing or empty.
static bool mix_file(uint64_t *key, const char *path)
{
    uint64_t sum;
    if (!lq_openvino_checksum_file(path, &sum))
        return false;
    *key = mix(*key, sum);
    return true;
}

// For large weight files beside the model, size and time are enough.
static uint64_t mix_neighbour(uint64_t key, const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return key;
    return mix(mix(key, (uint64_t)info.st_size), (uint64_t)info.st_mtim.tv_sec);
}

uint64_t lq_verdict_key(const char *path, const char *how)
{
    char near[PATH_MAX];
    uint64_t key = mix(lq_openvino_stamp(), lq_openvino_processor());
    key = mix_text(mix_text(key, LQ_VERSION), how);
    if (!mix_file(&key, path))
        return 0;
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    int stem = (int)(dot ? (size_t)(dot - path) : strlen(path));
    if (snprintf(near, sizeof near, "%.*s.json", stem, path) < (int)sizeof near)
        mix_file(&key, near);
    if (snprintf(near, sizeof near, "%.*s.bin", stem, path) < (int)sizeof near)
        key = mix_neighbour(key, near);
    if (snprintf(near, sizeof near, "%s.data", path) < (int)sizeof near)
        key = mix_neighbour(key, near);
    return key ? key : 1;
}

static bool file_of(char *path, size_t size, const char *cache_dir, uint64_t key)
{
    return cache_dir && key &&
           snprintf(path, size, "%s/tried-%016" PRIx64, cache_dir, key) < (int)size;
}

enum lq_verdict lq_verdict_read(const char *cache_dir, uint64_t key)
{
    char path[PATH_MAX], text[16] = "";
    FILE *file = file_of(path, sizeof path, cache_dir, key) ? fopen(path, "re") : NULL;
    if (!file)
        return LQ_VERDICT_NONE;
    bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    text[strcspn(text, "\n")] = '\0';
    for (size_t i = LQ_VERDICT_DIRECT; read && i < LQ_COUNT(words); i++)
        if (strcmp(text, words[i]) == 0)
            return (enum lq_verdict)i;
    return LQ_VERDICT_NONE;
}

void lq_verdict_write(const char *cache_dir, uint64_t key, enum lq_verdict verdict)
{
    char path[PATH_MAX], text[16];
    if (verdict == LQ_VERDICT_NONE || !file_of(path, sizeof path, cache_dir, key))
        return;
    snprintf(text, sizeof text, "%s\n", words[verdict]);
    // If writing fails, the next start tries again.
    (void)!lq_file_write(path, text, strlen(text), NULL);
}
