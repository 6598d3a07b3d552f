#include "cli/triton_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

// All files of a model's folder, in the order in which existing ones are replaced. The
// configuration is last, because a server reloads a model when it changes.
static const char *const files[] = {"model.onnx", "1/model.onnx", "1/model.tflite", "1/model.py",
                                    "config.pbtxt"};

int lq_triton_folder_init(struct lq_triton_folder *folder, const char *repository,
                          const char *name, bool over, struct lq_error *err)
{
    *folder = (struct lq_triton_folder){.repository = repository};
    if (snprintf(folder->path, sizeof folder->path, "%s/%s", repository, name) >=
        (int)sizeof folder->path)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", repository);
    if (!over && access(folder->path, F_OK) == 0)
        return lq_fail(err, LQ_ERR_IO, "'%.150s' is there already; --force writes over it",
                       folder->path);
    return LQ_OK;
}

static int fail_to_make(const char *path, struct lq_error *err)
{
    return lq_fail(err, LQ_ERR_IO, "cannot make folder '%.150s': %s", path, strerror(errno));
}

static int make_folder(const char *path)
{
    return mkdir(path, 0777);
}

// A server takes every folder in the repository for a model. So the unfinished folder is created
// beside the repository, if that is on the same file system and writable …
static bool make_beside(struct lq_triton_folder *folder)
{
    char beside[sizeof folder->path + 4];
    struct stat here, there;
    const char *name = folder->path + strlen(folder->repository) + 1;
    snprintf(beside, sizeof beside, "%s/..", folder->repository);
    if (stat(folder->repository, &here) != 0 || stat(beside, &there) != 0 ||
        here.st_dev != there.st_dev ||
        snprintf(folder->written, sizeof folder->written, "%s/.lacquer-%s.XXXXXX", beside, name) >=
            (int)sizeof folder->written)
        return false;
    return lq_file_make_new(folder->written, make_folder) >= 0;
}

// … and otherwise inside it, for example if the repository is a volume.
static bool make_inside(struct lq_triton_folder *folder)
{
    const char *name = folder->path + strlen(folder->repository) + 1;
    return snprintf(folder->written, sizeof folder->written, "%s/.%s.XXXXXX", folder->repository,
                    name) < (int)sizeof folder->written &&
           lq_file_make_new(folder->written, make_folder) >= 0;
}

int lq_triton_folder_make(struct lq_triton_folder *folder, struct lq_error *err)
{
    folder->made_repository = mkdir(folder->repository, 0777) == 0;
    if (!folder->made_repository && errno != EEXIST)
        return fail_to_make(folder->repository, err);
    // Not mkdtemp, whose folders only their owner can read: the server may run as another user.
    if (!make_beside(folder) && !make_inside(folder)) {
        folder->written[0] = 0;
        return fail_to_make(folder->path, err);
    }
    snprintf(folder->version, sizeof folder->version, "%s/1", folder->written);
    if (mkdir(folder->version, 0777) != 0)
        return fail_to_make(folder->version, err);
    return LQ_OK;
}

static int replace_files(const struct lq_triton_folder *folder, struct lq_error *err)
{
    char from[4096], to[4096];
    snprintf(to, sizeof to, "%s/1", folder->path);
    if (mkdir(to, 0777) != 0 && errno != EEXIST)
        return fail_to_make(to, err);
    for (size_t i = 0; i < LQ_COUNT(files); i++) {
        snprintf(from, sizeof from, "%s/%s", folder->written, files[i]);
        snprintf(to, sizeof to, "%s/%s", folder->path, files[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return lq_fail(err, LQ_ERR_IO, "cannot write '%.150s': %s", to, strerror(errno));
    }
    return LQ_OK;
}

int lq_triton_folder_keep(struct lq_triton_folder *folder, bool over, struct lq_error *err)
{
    if (rename(folder->written, folder->path) == 0) {
        folder->written[0] = 0;
        return LQ_OK;
    }
    bool taken = errno == ENOTEMPTY || errno == EEXIST;
    if (taken && over)
        return replace_files(folder, err);
    if (taken)
        return lq_fail(err, LQ_ERR_IO, "'%.150s' was created meanwhile; --force replaces it",
                       folder->path);
    return lq_fail(err, LQ_ERR_IO, "cannot make folder '%.150s': %s", folder->path,
                   strerror(errno));
}

void lq_triton_folder_release(struct lq_triton_folder *folder)
{
    if (!folder->written[0])
        return;
    for (size_t i = 0; i < LQ_COUNT(files); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder->written, files[i]);
        unlink(path);
    }
    rmdir(folder->version);
    rmdir(folder->written);
    folder->written[0] = 0;
    if (folder->made_repository)
        rmdir(folder->repository); // fails, harmlessly, if it contains other files
}
