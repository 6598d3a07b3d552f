// Finds and loads OpenVINO with dlopen when it is first needed: a build without it still runs and
// reports what is missing.
//
// The library is searched in $LACQUER_OPENVINO (and then nowhere else); for a program that is still
// in its build folder, in the folder where set-up unpacked it, if nobody else could have put it
// there; in a folder `lacquer` beside the running code (in a host program: beside liblacquer.so);
// in the installation's private folder; and by the loader. Nothing is loaded from a folder where
// anyone but root and the owner of the running code may write.
// OpenVINO's own libraries find each other by their RPATH ($ORIGIN).
#include "engine/openvino_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/log.h"
#include "base/place.h"
#include "base/trust.h"
#include "config.h"

#define ov lq_openvino

struct lq_openvino lq_openvino;

static struct {
    pthread_once_t once;
    int status;
    struct lq_error err;
} loaded = {.once = PTHREAD_ONCE_INIT};

static bool is_noise(const char *line, size_t len)
{
    return strncmp(line, "Exception from ", 15) == 0 || strspn(line, " \t\r") >= len ||
           (len > 6 && strncmp(line, "Check '", 7) == 0 && line[len - 1] == ':');
}

// An OpenVINO message mixes "Exception from file:line:" lines with lines that give the reason, once
// per nested call. Joins the latter into one line.
static void keep_reason(char *out, size_t size, const char *message)
{
    size_t used = 0;
    out[0] = '\0';
    while (message && *message && used + 1 < size) {
        size_t len = strcspn(message, "\n"), blank = strspn(message, " \t\r");
        if (!is_noise(message, len)) {
            const char *before = !used ? "" : out[used - 1] == ':' ? " " : "; ";
            int more = snprintf(out + used, size - used, "%s%.*s", before, (int)(len - blank),
                                message + blank);
            used = more < 0 ? used : used + (size_t)more;
        }
        message += len + (message[len] == '\n');
    }
    if (used == 0)
        snprintf(out, size, "no reason given");
}

int lq_openvino_fail(struct lq_error *err, int status, ov_status_e code, const char *what,
                     const char *path)
{
    const char *message = ov.get_last_err_msg();
    char reason[600];
    keep_reason(reason, sizeof reason,
                message && *message ? message : ov.get_error_info(code));
    if (message)
        ov.free(message);
    return lq_fail(err, status, "cannot %s '%.120s': %s", what, path, reason);
}

#if defined(LQ_SANITIZE)
// TBB opens a library with RTLD_DEEPBIND, at which AddressSanitizer ends the process. In sanitized
// builds this dlopen replaces libc's and drops that flag.
LQ_PUBLIC void *dlopen(const char *path, int flags);

void *dlopen(const char *path, int flags)
{
    void *(*next)(const char *, int);
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    return next(path, flags & ~RTLD_DEEPBIND);
}

// These libraries keep some memory until the process ends; that is not our leak.
LQ_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libopenvino\nleak:libtbb\nleak:libhwloc\nleak:libonnxruntime\n";
}
#endif

static const char *const library_names[] = {"libopenvino_c.so.2641", "libopenvino_c.so"};

// The loader's error for the first library that exists but could not be loaded; empty if none.
static char refusal[768];

static void keep_refusal(const char *path, const char *message)
{
    // For a bare name: dlerror() begins with that very name if the loader did not find the library.
    bool is_there = strchr(path, '/') ? access(path, F_OK) == 0 || errno == EACCES
                                      : strncmp(message, path, strlen(path)) != 0;
    if (is_there && !refusal[0])
        snprintf(refusal, sizeof refusal, "%.767s", message);
}

static void *try_open(const char *folder)
{
    char path[PATH_MAX + 64];
    for (size_t i = 0; i < LQ_COUNT(library_names); i++) {
        int len = snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "",
                           library_names[i]);
        if (len < 0 || (size_t)len >= sizeof path)
            continue;
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
        const char *message = dlerror();
        if (message)
            keep_refusal(path, message);
    }
    return NULL;
}

enum { FOLDERS = 3 };

struct folder {
    char path[PATH_MAX]; // empty: no such folder
};

// Folders beside this program or library that may hold OpenVINO.
static void find_folders(struct folder folders[FOLDERS])
{
    if (!lq_place_beside(folders[0].path, PATH_MAX, "lacquer"))
        folders[0].path[0] = 0;
    if (!lq_place_installed(folders[1].path, PATH_MAX, LQ_PRIVATE_FOLDER))
        folders[1].path[0] = 0;
    // This code may be liblacquer's helper (lib/check.h), which is installed among OpenVINO's
    // files.
    if (!lq_place_beside(folders[2].path, PATH_MAX, "."))
        folders[2].path[0] = 0;
}

// This program or library may lie in a folder that everyone can write to; a `lacquer` folder beside
// it is then not trusted.
static void *open_beside(void)
{
    struct folder folders[FOLDERS];
    uid_t owner;
    struct lq_error why;
    void *library = NULL;
    find_folders(folders);
    for (int i = 0; i < FOLDERS && !library && lq_place_owner(&owner); i++) {
        struct stat info;
        const char *path = folders[i].path;
        if (!path[0] || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
            continue;
        if (lq_trust_path(path, owner, LQ_TRUST_GROUP, &why) == LQ_OK)
            library = try_open(path);
        else
            keep_refusal(path, why.text);
    }
    return library;
}

static uint64_t add_to_stamp(uint64_t stamp, const char *folder)
{
    char path[PATH_MAX + 64];
    struct stat info;
    for (size_t i = 0; i < LQ_COUNT(library_names); i++) {
        snprintf(path, sizeof path, "%.*s/%s", PATH_MAX, folder, library_names[i]);
        if (stat(path, &info) != 0)
            continue;
        const uint64_t words[] = {(uint64_t)info.st_size, (uint64_t)info.st_mtim.tv_sec,
                                  (uint64_t)info.st_ino};
        for (size_t w = 0; w < LQ_COUNT(words); w++)
            stamp = (stamp ^ words[w]) * 1099511628211u;
    }
    return stamp;
}

uint64_t lq_openvino_stamp(void)
{
    const char *chosen = getenv("LACQUER_OPENVINO");
    if (chosen && *chosen)
        return add_to_stamp(1, chosen);
    struct folder folders[FOLDERS];
    find_folders(folders);
    uint64_t stamp = add_to_stamp(2, LQ_OPENVINO_LIBS);
    for (int i = 0; i < FOLDERS; i++)
        stamp = add_to_stamp(stamp, folders[i].path);
    return stamp;
}

static void *open_where_built(void)
{
    uid_t owner;
    struct lq_error why;
    if (!lq_place_is_built(&owner))
        return NULL;
    // Also trusts the program's owner, who could have changed the program itself.
    if (lq_trust_path(LQ_OPENVINO_LIBS, owner, LQ_TRUST_GROUP, &why) == LQ_OK)
        return try_open(LQ_OPENVINO_LIBS);
    if (why.status == LQ_ERR_AUTH)
        lq_log_warn("OpenVINO is not loaded from where it was unpacked: %s", why.text);
    else if (access(LQ_OPENVINO_LIBS, X_OK) != 0 && errno == EACCES)
        snprintf(refusal, sizeof refusal, "cannot read '%s': Permission denied", LQ_OPENVINO_LIBS);
    return NULL;
}

static void *open_chosen(const char *folder, struct lq_error *err)
{
    void *library = try_open(folder);
    if (!library && refusal[0])
        lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot load OpenVINO from LACQUER_OPENVINO='%.80s': %s",
                folder, refusal);
    else if (!library)
        lq_fail(err, LQ_ERR_UNAVAILABLE,
                "cannot load OpenVINO from LACQUER_OPENVINO='%.80s': %s; name a folder that "
                "holds libopenvino_c.so",
                folder, access(folder, F_OK) == 0 ? "not in there" : strerror(errno));
    return library;
}

static void *open_library(struct lq_error *err)
{
    const char *chosen = getenv("LACQUER_OPENVINO");
    if (chosen && *chosen)
        return open_chosen(chosen, err);
    void *library = open_where_built();
    if (!library)
        library = open_beside();
    if (!library)
        library = try_open("");
    if (!library && refusal[0])
        lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot load OpenVINO: %s", refusal);
    else if (!library)
        lq_fail(err, LQ_ERR_UNAVAILABLE,
                "cannot load OpenVINO: libopenvino_c.so is neither in '%s' nor in ../"
                LQ_PRIVATE_FOLDER " beside the program, nor in lacquer beside liblacquer, nor "
                "where the loader looks; set LACQUER_OPENVINO to the folder that holds it",
                LQ_OPENVINO_LIBS);
    return library;
}

// OpenVINO's libraries are compiled for SSE4.2. Without it they end the process with SIGILL, some
// as soon as they are loaded, so check first. Emulated processors often lack it.
static int check_processor(struct lq_error *err)
{
    char lacks[64];
    if (!lq_cpu_lacks(lacks, sizeof lacks))
        return LQ_OK;
    return lq_fail(err, LQ_ERR_UNAVAILABLE,
                   "cannot run OpenVINO: this processor lacks %s; in a virtual machine set its CPU "
                   "type to \"host\", else use a processor of 2009 or later or --engine triton",
                   lacks);
}

// The hwloc in OpenVINO's ARM64 build looks for cores in sysfs. If a chroot or container lacks it,
// the process would end with SIGSEGV when the first network is compiled.
static int check_sysfs(struct lq_error *err)
{
#if defined(__aarch64__)
    if (access("/sys/devices/system/cpu", F_OK) != 0 && access("/sys/bus/cpu/devices", F_OK) != 0)
        return lq_fail(err, LQ_ERR_UNAVAILABLE,
                       "cannot run OpenVINO: there is no /sys/devices/system/cpu, where it finds "
                       "the processor's cores; mount sysfs on /sys");
#endif
    (void)err;
    return LQ_OK;
}

static int load(struct lq_error *err)
{
    int status = check_processor(err);
    if (status == LQ_OK)
        status = check_sysfs(err);
    if (status != LQ_OK)
        return status;
    void *library = open_library(err);
    if (!library)
        return err->status;
#define X(name)                                                                                   \
    ov.name = (__typeof__(ov.name))dlsym(library, "ov_" #name);                                   \
    if (!ov.name)                                                                                 \
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this OpenVINO is too old: it has no ov_" #name);
    LQ_OPENVINO_FUNCTIONS(X)
#undef X
    ov_version_t version;
    if (ov.get_openvino_version(&version) == OK) {
        // "2026.4.1-12345-hash-releases/2026/4" or with dots only; the head is the release
        snprintf(ov.build, sizeof ov.build, "%.*s", (int)strcspn(version.buildNumber, "-"),
                 version.buildNumber);
        ov.version_free(&version);
    }
    ov_status_e code = ov.core_create(&ov.core);
    if (code != OK)
        return lq_openvino_fail(err, LQ_ERR_UNAVAILABLE, code, "start", "OpenVINO");
    return LQ_OK;
}

static void load_once(void)
{
    loaded.status = load(&loaded.err);
}

int lq_openvino_load(struct lq_error *err)
{
    pthread_once(&loaded.once, load_once);
    return loaded.status == LQ_OK ? LQ_OK : lq_fail(err, loaded.status, "%s", loaded.err.text);
}
