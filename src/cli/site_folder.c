#include "cli/site_folder.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse_json.h"
#include "config.h"

enum { PATH_SIZE = 4096, LIST_BYTES_MAX = 1 << 20, DEPTH_MAX = 8 };

struct folder {
    const char *path;
    json_t *had; // names that an earlier site wrote here, as the keys of an object
    struct lq_error *err;
};

static int path_of(char path[PATH_SIZE], const char *folder, const char *name,
                   struct lq_error *err)
{
    if (snprintf(path, PATH_SIZE, "%s/%s", folder, name) >= PATH_SIZE)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.80s…'", folder);
    return LQ_OK;
}

// ---- what is there already

static int read_list(struct folder *folder)
{
    char path[PATH_SIZE];
    int status = path_of(path, folder->path, LQ_SITE_LIST, folder->err);
    folder->had = json_object();
    if (status != LQ_OK || access(path, F_OK) != 0)
        return status;
    struct lq_buf text;
    lq_buf_init(&text, LIST_BYTES_MAX);
    json_error_t where;
    json_t *root = NULL;
    status = lq_file_read(path, &text, folder->err);
    if (status == LQ_OK)
        root = lq_json_parse(text.data, text.len, 0, &where);
    lq_buf_release(&text);
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(root, "files"), i, name)
        if (json_is_string(name))
            json_object_set_new(folder->had, json_string_value(name), json_true());
    if (status == LQ_OK && json_object_size(folder->had) == 0)
        status = lq_fail(folder->err, LQ_ERR_ARGUMENT, "--out: '%.150s' is no list of a site's "
                         "files any more: empty the folder, or name another", path);
    json_decref(root);
    return status;
}

static bool is_let_be(const char *name)
{
    return name[0] == '.' || strcmp(name, "CNAME") == 0 || strcmp(name, LQ_SITE_LIST) == 0;
}

static int check_inside(struct folder *folder, const char *below, int depth);

static int check_entry(struct folder *folder, const char *name, int depth)
{
    char path[PATH_SIZE];
    struct stat info;
    int status = path_of(path, folder->path, name, folder->err);
    if (status != LQ_OK)
        return status;
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && depth < DEPTH_MAX)
        return check_inside(folder, name, depth + 1);
    if (json_object_get(folder->had, name))
        return LQ_OK;
    return lq_fail(folder->err, LQ_ERR_ARGUMENT, "--out: '%.150s' holds other files, '%.100s' for "
                   "one: name a new folder, or an empty one", folder->path, name);
}

static int check_inside(struct folder *folder, const char *below, int depth)
{
    char path[PATH_SIZE], name[PATH_SIZE];
    int status = path_of(path, folder->path, below, folder->err);
    DIR *open = status == LQ_OK ? opendir(path) : NULL;
    if (status == LQ_OK && !open)
        return lq_fail(folder->err, LQ_ERR_IO, "--out: cannot read '%.150s': %s", path,
                       strerror(errno));
    for (struct dirent *entry; status == LQ_OK && (entry = readdir(open));) {
        if (is_let_be(entry->d_name))
            continue;
        if (*below)
            status = path_of(name, below, entry->d_name, folder->err);
        else
            snprintf(name, sizeof name, "%s", entry->d_name);
        if (status == LQ_OK)
            status = check_entry(folder, name, depth);
    }
    if (open)
        closedir(open);
    return status;
}

// ---- writing

static int fail_to_make(const char *path, struct lq_error *err)
{
    return lq_fail(err, LQ_ERR_IO, "cannot make folder '%.150s': %s", path, strerror(errno));
}

// Creates the folders above a file, below the site's own folder.
static int make_folders(char path[PATH_SIZE], size_t from, struct lq_error *err)
{
    for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!made)
            return fail_to_make(path, err);
        *slash = '/';
    }
    return LQ_OK;
}

static int write_file(struct folder *folder, const struct lq_site_file *file)
{
    char path[PATH_SIZE];
    int status = path_of(path, folder->path, file->name, folder->err);
    if (status == LQ_OK)
        status = make_folders(path, strlen(folder->path) + 1, folder->err);
    if (status == LQ_OK)
        status = lq_file_write(path, file->bytes, file->len, folder->err);
    return status;
}

static bool is_last(const char *name)
{
    return strcmp(name, "index.html") == 0 || strcmp(name, "sw.js") == 0;
}

static int write_files(struct folder *folder, const struct lq_site_plan *plan)
{
    int status = LQ_OK;
    for (int last = 0; last < 2; last++)
        for (int i = 0; i < plan->count && status == LQ_OK; i++)
            if (is_last(plan->files[i].name) == last)
                status = write_file(folder, &plan->files[i]);
    return status;
}

// with_old: also lists the earlier site's files, so that an interrupted run leaves no file that the
// list does not name.
static int write_list(struct folder *folder, const struct lq_site_plan *plan, bool with_old)
{
    json_t *names = json_object();
    for (int i = 0; i < plan->count; i++)
        json_object_set_new(names, plan->files[i].name, json_true());
    if (with_old)
        json_object_update(names, folder->had);
    json_t *list = json_array();
    const char *name;
    json_t *one;
    json_object_foreach(names, name, one)
        json_array_append_new(list, json_string(name));
    json_t *root = json_pack("{s:s, s:s, s:o}", "made_by", "lacquer site", "version", LQ_VERSION,
                             "files", list);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    json_decref(root);
    json_decref(names);
    if (!text)
        return lq_fail(folder->err, LQ_ERR_MEMORY, "out of memory");
    struct lq_site_file file = {.name = LQ_SITE_LIST, .bytes = (uint8_t *)text,
                                .len = strlen(text)};
    int status = write_file(folder, &file);
    free(text);
    return status;
}

static void remove_stale(struct folder *folder, const struct lq_site_plan *plan)
{
    const char *name;
    json_t *one;
    json_object_foreach(folder->had, name, one) {
        char path[PATH_SIZE];
        if (lq_site_plan_find(plan, name) || strstr(name, "..") ||
            path_of(path, folder->path, name, NULL) != LQ_OK)
            continue;
        unlink(path);
        char *slash = strrchr(path, '/');
        if (strchr(name, '/')) {
            *slash = 0;
            rmdir(path); // fails, harmlessly, if it is not empty
        }
    }
}

int lq_site_folder_write(const char *dir, const struct lq_site_plan *plan, struct lq_error *err)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return fail_to_make(dir, err);
    struct folder folder = {.path = dir, .err = err};
    int status = read_list(&folder);
    if (status == LQ_OK)
        status = check_inside(&folder, "", 0);
    if (status == LQ_OK)
        status = write_list(&folder, plan, true);
    if (status == LQ_OK)
        status = write_files(&folder, plan);
    if (status == LQ_OK) {
        remove_stale(&folder, plan);
        status = write_list(&folder, plan, false);
    }
    json_decref(folder.had);
    return status;
}
