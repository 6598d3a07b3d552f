#include "base/place.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static bool find_program(char path[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[len > 0 ? len : 0] = 0;
    return len > 0;
}

// The file that contains this function. The dynamic loader knows the paths of libraries, but not of
// the program.
static bool find_self(char path[PATH_MAX])
{
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1((void *)(uintptr_t)find_self, &info, (void **)&map, RTLD_DL_LINKMAP) && map &&
        map->l_name && map->l_name[0])
        return realpath(map->l_name, path) != NULL;
    return find_program(path);
}

bool lq_place_is_built(uid_t *owner)
{
    // Only the build's own folders: a program installed below the build folder (DESTDIR) is not
    // built there.
    static const char *const folders[] = {"tests/", "bench/"};
    static const char root[] = LQ_BUILD_ROOT "/";
    char path[PATH_MAX];
    struct stat info;
    if (!find_self(path) || strncmp(path, root, sizeof root - 1) != 0 || stat(path, &info) != 0)
        return false;
    const char *rest = path + sizeof root - 1;
    *owner = info.st_uid;
    bool built = !strchr(rest, '/');
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        built |= strncmp(rest, folders[i], strlen(folders[i])) == 0;
    return built;
}

// The folder of that file, without a slash at its end.
static bool find_folder(char path[PATH_MAX])
{
    if (!find_self(path))
        return false;
    *strrchr(path, '/') = 0;
    return true;
}

static bool join(char *path, size_t size, const char *folder, const char *relative)
{
    int len = snprintf(path, size, "%s/%s", folder, relative);
    return len > 0 && (size_t)len < size;
}

bool lq_place_beside(char *path, size_t size, const char *relative)
{
    char folder[PATH_MAX];
    return find_folder(folder) && join(path, size, folder, relative);
}

// Removes "/tail" from the end.
static bool cut(char *path, const char *tail)
{
    size_t len = strlen(path), tail_len = strlen(tail);
    if (len < tail_len + 1 || path[len - tail_len - 1] != '/' ||
        strcmp(path + len - tail_len, tail) != 0)
        return false;
    path[len - tail_len - 1] = 0;
    return true;
}

bool lq_place_installed(char *path, size_t size, const char *relative)
{
    char prefix[PATH_MAX];
    return find_folder(prefix) &&
           (cut(prefix, LQ_BIN_FOLDER) || cut(prefix, LQ_LIBRARY_FOLDER) ||
            cut(prefix, LQ_PRIVATE_FOLDER)) &&
           join(path, size, prefix, relative);
}

bool lq_place_owner(uid_t *owner)
{
    char path[PATH_MAX];
    struct stat info;
    if (!find_self(path) || stat(path, &info) != 0)
        return false;
    *owner = info.st_uid;
    return true;
}
