// Walks the path as the kernel would, part by part, and follows links to their targets: checking
// only the resolved real path would skip the folders that contain the links.
#include "base/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

struct walk {
    char done[PATH_MAX];     // checked so far; "" is the root
    char way[2 * PATH_MAX];  // the path, with links replaced by their targets so far
    const char *left;        // the part of it that is not checked yet
    uid_t also;
    unsigned flags;
    int links;
};

static int check(const struct walk *walk, const struct stat *info, bool last, struct lq_error *err)
{
    const char *path = walk->done[0] ? walk->done : "/";
    if (info->st_uid != 0 && info->st_uid != geteuid() && info->st_uid != walk->also)
        return lq_fail(err, LQ_ERR_AUTH, "'%.150s' belongs to another user (%u)", path,
                       (unsigned)info->st_uid);
    if (S_ISLNK(info->st_mode))
        return LQ_OK; // a link has no mode of its own
    mode_t others = walk->flags & LQ_TRUST_GROUP ? S_IWOTH : S_IWOTH | S_IWGRP;
    bool sticky = S_ISDIR(info->st_mode) && info->st_mode & S_ISVTX && !last;
    if (info->st_mode & others && !sticky)
        return lq_fail(err, LQ_ERR_AUTH, "other users may write to '%.150s' (mode %04o)", path,
                       (unsigned)info->st_mode & 07777);
    return LQ_OK;
}

// Replaces the link walk->done by its target, before the rest of the path.
static int follow(struct walk *walk, struct lq_error *err)
{
    char target[PATH_MAX], rest[2 * PATH_MAX];
    ssize_t len = readlink(walk->done, target, sizeof target - 1);
    if (len <= 0 || ++walk->links > LINKS_MAX)
        return lq_fail(err, LQ_ERR_IO, "cannot follow '%.150s'", walk->done);
    target[len] = 0;
    snprintf(rest, sizeof rest, "%s", walk->left);
    int size = snprintf(walk->way, sizeof walk->way, "%s/%s", target, rest);
    if (size < 0 || (size_t)size >= sizeof walk->way)
        return lq_fail(err, LQ_ERR_IO, "the path to '%.150s' is too long", walk->done);
    walk->left = walk->way;
    if (target[0] == '/')
        walk->done[0] = 0;
    else
        *strrchr(walk->done, '/') = 0;
    return LQ_OK;
}

// Moves the next component from `left` to `done`.
static int step(struct walk *walk, struct lq_error *err)
{
    size_t skip = strspn(walk->left, "/"), len = strcspn(walk->left + skip, "/");
    size_t before = strlen(walk->done);
    const char *part = walk->left + skip;
    if (before + len + 2 > sizeof walk->done)
        return lq_fail(err, LQ_ERR_IO, "path too long: '%.100s…'", walk->done);
    if (len == 2 && memcmp(part, "..", 2) == 0) {
        char *slash = strrchr(walk->done, '/');
        if (slash)
            *slash = 0;
    } else if (len > 0 && !(len == 1 && part[0] == '.')) {
        snprintf(walk->done + before, sizeof walk->done - before, "/%.*s", (int)len, part);
    }
    walk->left = part + len;
    return LQ_OK;
}

int lq_trust_path(const char *path, uid_t also, unsigned flags, struct lq_error *err)
{
    struct walk walk = {.also = also, .flags = flags};
    char folder[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        return lq_fail(err, LQ_ERR_IO, "cannot determine the folder of '%.150s'", path);
    int size = snprintf(walk.way, sizeof walk.way, "%s/%s", folder, path);
    walk.left = walk.way;
    if (size < 0 || size >= PATH_MAX)
        return lq_fail(err, LQ_ERR_IO, "path too long: '%.100s…'", path);
    for (;;) {
        struct stat info;
        if (lstat(walk.done[0] ? walk.done : "/", &info) != 0) {
            if (errno == ENOENT && flags & LQ_TRUST_MISSING)
                return LQ_OK;
            return lq_fail(err, LQ_ERR_IO, "cannot check '%.150s': %s", walk.done,
                           strerror(errno));
        }
        bool last = walk.left[strspn(walk.left, "/")] == 0;
        int status = check(&walk, &info, last, err);
        if (status == LQ_OK && S_ISLNK(info.st_mode))
            status = follow(&walk, err);
        else if (status == LQ_OK && last)
            return LQ_OK;
        if (status == LQ_OK)
            status = step(&walk, err);
        if (status != LQ_OK)
            return status;
    }
}
