#include "base/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 8192, FOLDER_MAX = 960, DEPTH_MAX = 64 };

// This process's path in each hierarchy, from /proc/self/cgroup; empty: not in it.
struct place {
    char v2[FOLDER_MAX], v1[FOLDER_MAX];
};

struct search {
    struct lq_cgroup_quota *quota;
    const char *root;
    struct place place;
    bool mounted; // mountinfo lists a usable hierarchy
};

// ---- reading a limit

static bool read_numbers(const char *file, const char *format, long long *a, long long *b)
{
    FILE *stream = fopen(file, "re");
    if (!stream)
        return false;
    char line[64] = "";
    bool got = fgets(line, sizeof line, stream) != NULL;
    fclose(stream);
    return got && sscanf(line, format, a, b) == (b ? 2 : 1);
}

static void offer(struct lq_cgroup_quota *best, const char *file, long long quota,
                  long long period)
{
    double cores = quota > 0 && period > 0 ? (double)quota / (double)period : 0;
    if (cores <= 0 || (best->cores > 0 && best->cores <= cores))
        return;
    best->cores = cores;
    snprintf(best->file, sizeof best->file, "%s", file);
}

// Reads the quota in one folder. The root of a hierarchy has no such files.
static void read_quota(struct lq_cgroup_quota *best, const char *folder, bool v2)
{
    char file[sizeof best->file], period_file[sizeof best->file];
    long long quota = 0, period = 0;
    snprintf(file, sizeof file, "%s/%s", folder, v2 ? "cpu.max" : "cpu.cfs_quota_us");
    snprintf(period_file, sizeof period_file, "%s/cpu.cfs_period_us", folder);
    if (v2 ? read_numbers(file, "%lld %lld", &quota, &period)
           : read_numbers(file, "%lld", &quota, NULL) &&
                 read_numbers(period_file, "%lld", &period, NULL))
        offer(best, file, quota, period);
}

// Reads the quotas from mount + path up to the mount.
static void read_quotas(struct lq_cgroup_quota *best, const char *mount, const char *path, bool v2)
{
    char folder[FOLDER_MAX];
    if (snprintf(folder, sizeof folder, "%s%s", mount, path) >= (int)sizeof folder)
        snprintf(folder, sizeof folder, "%s", mount); // too long: at least read the top
    size_t top = strlen(mount);
    for (int i = 0; i < DEPTH_MAX; i++) {
        read_quota(best, folder, v2);
        char *slash = strrchr(folder + top, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

// ---- finding the groups

// Whether a comma-separated list contains the word.
static bool lists(const char *list, const char *word)
{
    size_t len = strlen(word);
    while (*list) {
        size_t item = strcspn(list, ",\n");
        if (item == len && memcmp(list, word, len) == 0)
            return true;
        list += item + (list[item] != '\0');
    }
    return false;
}

// A path outside this process's cgroup namespace ("/../x") is replaced by the root "/".
static void keep_path(char *out, const char *path)
{
    bool outside = strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0');
    snprintf(out, FOLDER_MAX, "%s", outside ? "/" : path);
}

// "ID:CONTROLLERS:PATH"
static void read_place(struct search *search, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'),
        *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path || path[1] != '/')
        return;
    *path++ = '\0';
    controllers++;
    if (*controllers == '\0')
        keep_path(search->place.v2, path);
    else if (lists(controllers, "cpu"))
        keep_path(search->place.v1, path);
}

// "\040" and the like encode characters that separate fields.
static void unescape(char *text)
{
    char *out = text;
    for (; *text; text++) {
        unsigned value;
        if (*text == '\\' && sscanf(text + 1, "%3o", &value) == 1 &&
            strspn(text + 1, "01234567") >= 3) {
            *out++ = (char)value;
            text += 3;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

// The part of the group's path below the mounted folder: a container may see only its own subtree,
// but under the host's path.
static const char *below(const char *path, const char *mounted)
{
    size_t len = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);
    bool inside = strncmp(path, mounted, len) == 0 && (path[len] == '/' || path[len] == '\0');
    path = inside ? path + len : "";
    return strcmp(path, "/") == 0 ? "" : path;
}

// "ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS [TAG…] - TYPE SOURCE SUPEROPTIONS"
static void read_mount(struct search *search, char *line)
{
    char *fields[5], *rest = line, *type = strstr(line, " - ");
    for (int i = 0; i < 5; i++)
        fields[i] = strsep(&rest, " ");
    if (!rest || !type)
        return;
    type += 3;
    size_t type_len = strcspn(type, " ");
    bool v2 = type_len == 7 && strncmp(type, "cgroup2", 7) == 0;
    bool v1 = type_len == 6 && strncmp(type, "cgroup", 6) == 0;
    const char *options = strrchr(type, ' ');
    if (!v2 && !(v1 && options && lists(options + 1, "cpu")))
        return;
    const char *path = v2 ? search->place.v2 : search->place.v1;
    char mount[FOLDER_MAX];
    unescape(fields[3]);
    unescape(fields[4]);
    if (snprintf(mount, sizeof mount, "%s%s", search->root, fields[4]) >= (int)sizeof mount)
        return;
    search->mounted = true;
    read_quotas(search->quota, mount, below(path, fields[3]), v2);
}

// Calls on_line for each line, cut off at LINE_MAX_BYTES.
static void each_line(struct search *search, const char *name,
                      void (*on_line)(struct search *search, char *line))
{
    char file[FOLDER_MAX];
    snprintf(file, sizeof file, "%s%s", search->root, name);
    FILE *stream = fopen(file, "re");
    if (!stream)
        return;
    char *line = malloc(LINE_MAX_BYTES);
    while (line && fgets(line, LINE_MAX_BYTES, stream)) {
        bool whole = strchr(line, '\n') != NULL;
        on_line(search, line);
        for (int c = whole ? '\n' : 0; c != '\n' && c != EOF;)
            c = fgetc(stream);
    }
    free(line);
    fclose(stream);
}

void lq_cgroup_read(struct lq_cgroup_quota *quota, const char *root)
{
    static const struct {
        const char *folder;
        bool v2;
    } usual[] = {{"/sys/fs/cgroup", true}, {"/sys/fs/cgroup/cpu", false},
                 {"/sys/fs/cgroup/cpu,cpuacct", false}};
    struct search search = {.quota = quota, .root = root};
    *quota = (struct lq_cgroup_quota){0};
    each_line(&search, "/proc/self/cgroup", read_place);
    each_line(&search, "/proc/self/mountinfo", read_mount);
    // Fallback where /proc is missing, as in some sandboxes.
    for (size_t i = 0; i < sizeof usual / sizeof *usual && !search.mounted; i++) {
        char folder[FOLDER_MAX];
        snprintf(folder, sizeof folder, "%s%s", root, usual[i].folder);
        read_quota(quota, folder, usual[i].v2);
    }
}
