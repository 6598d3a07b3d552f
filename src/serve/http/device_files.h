// The page's on-device engine (docs/DEVICE.md), served at /device/: files in a folder prepared by
// tools/device.py, mapped when the server starts. A file's compressed forms are beside it as
// FILE.br and FILE.gz; FILE.zst is for static sites.
// Threads: opened before the loop runs, then the loop's. Owner: open/close by the caller.
#pragma once

#include "serve/http/assets.h"

enum { LQ_DEVICE_FILES_MAX = 32, LQ_DEVICE_NAME_MAX = 80 };

struct lq_device_file {
    struct lq_asset asset;
    char path[LQ_DEVICE_NAME_MAX + 16]; // "/device/NAME"
    char hash[32];
};

struct lq_device_files {
    int count; // 0: this installation has no such folder
    struct lq_device_file files[LQ_DEVICE_FILES_MAX];
};

// The build's folder, or the installation's; false if neither is known.
bool lq_device_folder(char *path, size_t size);

// Maps the folder's files. A missing folder counts as empty; files beyond the maximum are logged.
void lq_device_files_open(struct lq_device_files *device, const char *folder);
void lq_device_files_close(struct lq_device_files *device);

// NULL: there is no file with that path.
const struct lq_asset *lq_device_files_find(const struct lq_device_files *device, const char *path);
