#include "serve/http/device_files.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/log.h"
#include "base/place.h"
#include "base/text.h"
#include "config.h"
#include "serve/http/asset_type.h"

enum { HASH_CHARS = 10, PATH_SIZE = 4096 };

bool lq_device_folder(char *path, size_t size)
{
    uid_t owner;
    if (lq_place_is_built(&owner))
        return (size_t)snprintf(path, size, "%s", LQ_BUILD_ROOT "/device") < size;
    return lq_place_installed(path, size, LQ_DATA_FOLDER "/device");
}

// The content hash in "NAME-0123456789.ENDING"; NULL: there is none, so the file may change.
static const char *hash_in(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot - name < HASH_CHARS + 1 || dot[-HASH_CHARS - 1] != '-')
        return NULL;
    const char *hash = dot - HASH_CHARS;
    return strspn(hash, "0123456789abcdef") == HASH_CHARS ? hash : NULL;
}

static void set_hash(struct lq_device_file *file, const char *name, const uint8_t *bytes,
                     size_t len)
{
    const char *hash = hash_in(name);
    file->asset.kept = hash ? LQ_ASSET_IMMUTABLE : LQ_ASSET_REVALIDATED;
    file->asset.hash = file->hash;
    if (hash) {
        snprintf(file->hash, sizeof file->hash, "%.*s", HASH_CHARS, hash);
        return;
    }
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 8; i++)
        snprintf(file->hash + 2 * i, 3, "%02x", digest[i]);
}

static bool map_form(struct lq_device_file *file, enum lq_coding coding, const char *folder,
                     const char *name, const char *ending)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/%s%s", folder, name, ending) >= (int)sizeof path)
        return false;
    file->asset.forms[coding].bytes = lq_file_map(path, &file->asset.forms[coding].len);
    return file->asset.forms[coding].bytes != NULL;
}

static bool is_file_of_its_own(const char *name)
{
    static const char *const forms[] = {".br", ".gz", ".zst"};
    for (size_t i = 0; i < LQ_COUNT(forms); i++)
        if (lq_ends_with(name, forms[i]))
            return false;
    return name[0] != '.';
}

static void add(struct lq_device_files *device, const char *folder, const char *name)
{
    if (device->count == LQ_DEVICE_FILES_MAX || strlen(name) > LQ_DEVICE_NAME_MAX) {
        lq_log_warn("'%s' is left out of the page's engine: too many files, or too long a name",
                    name);
        return;
    }
    struct lq_device_file *file = &device->files[device->count];
    *file = (struct lq_device_file){0};
    if (!map_form(file, LQ_CODING_IDENTITY, folder, name, ""))
        return;
    (void)map_form(file, LQ_CODING_GZIP, folder, name, ".gz");
    (void)map_form(file, LQ_CODING_BROTLI, folder, name, ".br");
    snprintf(file->path, sizeof file->path, "/device/%s", name);
    file->asset.path = file->path;
    file->asset.type = lq_asset_type(name);
    set_hash(file, name, file->asset.forms[LQ_CODING_IDENTITY].bytes,
             file->asset.forms[LQ_CODING_IDENTITY].len);
    device->count++;
}

void lq_device_files_open(struct lq_device_files *device, const char *folder)
{
    device->count = 0;
    DIR *listing = opendir(folder);
    if (!listing)
        return;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (is_file_of_its_own(entry->d_name))
            add(device, folder, entry->d_name);
    closedir(listing);
}

void lq_device_files_close(struct lq_device_files *device)
{
    for (int i = 0; i < device->count; i++)
        for (int coding = 0; coding < LQ_CODING_COUNT; coding++)
            lq_file_unmap(device->files[i].asset.forms[coding].bytes,
                          device->files[i].asset.forms[coding].len);
    device->count = 0;
}

const struct lq_asset *lq_device_files_find(const struct lq_device_files *device, const char *path)
{
    for (int i = 0; i < device->count; i++)
        if (strcmp(device->files[i].path, path) == 0)
            return &device->files[i].asset;
    return NULL;
}
