#include "cli/site_device.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/place.h"
#include "config.h"

// Beside the program where it was built, else below the prefix that it was installed under.
static bool find_folder(char path[PATH_MAX])
{
    uid_t owner;
    if (lq_place_is_built(&owner))
        return snprintf(path, PATH_MAX, "%s/device", LQ_BUILD_ROOT) < PATH_MAX;
    return lq_place_installed(path, PATH_MAX, LQ_DATA_FOLDER "/device");
}

static int add_file(struct lq_site_plan *plan, const char *folder, const char *name,
                    struct lq_error *err)
{
    char path[PATH_MAX], place[LQ_SITE_NAME_MAX];
    struct stat info;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        snprintf(place, sizeof place, "device/%s", name) >= (int)sizeof place)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", folder);
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return LQ_OK;
    return lq_site_plan_add_file(plan, place, path, err);
}

int lq_site_add_device(struct lq_site_plan *plan, struct lq_site_device *device,
                       struct lq_error *err)
{
    char found[PATH_MAX] = "";
    const char *folder = device->folder;
    if (!folder)
        folder = find_folder(found) ? found : "";
    snprintf(device->model_name, sizeof device->model_name, "nail");
    DIR *open = opendir(folder);
    if (!open)
        return lq_fail(err, LQ_ERR_NOT_FOUND, "cannot read the runtime for devices '%.150s': %s; "
                       "build it with make device, or name its folder with --device", folder,
                       strerror(errno));
    int status = LQ_OK;
    for (struct dirent *entry; status == LQ_OK && (entry = readdir(open));)
        if (entry->d_name[0] != '.')
            status = add_file(plan, folder, entry->d_name, err);
    closedir(open);
    return status;
}
