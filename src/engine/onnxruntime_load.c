// Finds and loads ONNX Runtime with dlopen when it is first needed.
//
// The library is searched in $LACQUER_ONNXRUNTIME (and then nowhere else); for a program that is
// still in its build folder, in the folder where set-up unpacked it, if nobody else could have put
// it there; in ../lib/lacquer beside the program; and by the loader.
#include "engine/onnxruntime_load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/place.h"
#include "base/trust.h"
#include "config.h"

struct lq_ort lq_ort;

static struct {
    pthread_once_t once;
    int status;
    struct lq_error err;
} loaded = {.once = PTHREAD_ONCE_INIT};

int lq_ort_fail(struct lq_error *err, int status, struct lq_ort_status *code, const char *what,
                const char *subject)
{
    char reason[500];
    // CUDA's messages name the types of the whole call path first; the reason comes last.
    const char *message = lq_ort.get_error_message(code),
        *failure = strstr(message, "CUDA failure");
    snprintf(reason, sizeof reason, "%s", failure ? failure : message);
    for (char *at = reason; *at; at++) // put it on one line
        if (*at == '\n' || *at == '\r' || *at == '\t')
            *at = ' ';
    lq_ort.free_status(code);
    return lq_fail(err, status, "cannot %s '%.120s': %s", what, subject, reason);
}

int lq_ort_check(struct lq_error *err, int status, struct lq_ort_status *code, const char *what,
                 const char *subject)
{
    return code ? lq_ort_fail(err, status, code, what, subject) : LQ_OK;
}

// ---- finding the library

// "libonnxruntime.so.1", or as in Python wheels: "libonnxruntime.so.1.26.0".
static bool find_in(const char *folder, char *path, size_t size)
{
    static const char *const names[] = {"libonnxruntime.so.1", "libonnxruntime.so"};
    for (size_t i = 0; i < LQ_COUNT(names); i++)
        if (snprintf(path, size, "%s/%s", folder, names[i]) < (int)size && access(path, R_OK) == 0)
            return true;
    bool found = false;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        found = strncmp(entry->d_name, "libonnxruntime.so.1.", 20) == 0 &&
                snprintf(path, size, "%s/%s", folder, entry->d_name) < (int)size;
    if (dir)
        closedir(dir);
    return found;
}

// Also trusts the program's owner, who could have changed the program itself.
static bool is_built_place(bool aloud)
{
    uid_t owner;
    struct lq_error why;
    if (!lq_place_is_built(&owner))
        return false;
    if (lq_trust_path(LQ_ONNXRUNTIME_LIBS, owner, LQ_TRUST_GROUP, &why) == LQ_OK)
        return true;
    if (aloud && why.status == LQ_ERR_AUTH)
        lq_log_warn("ONNX Runtime is not loaded from where it was unpacked: %s", why.text);
    return false;
}

void lq_ort_place(char *folder, size_t size)
{
    char path[4096];
    const char *chosen = getenv("LACQUER_ONNXRUNTIME");
    if (chosen && *chosen) {
        snprintf(folder, size, "%s", chosen);
        return;
    }
    snprintf(folder, size, "%s", LQ_ONNXRUNTIME_LIBS);
    if (is_built_place(false) && find_in(folder, path, sizeof path))
        return;
    if (!lq_place_beside(folder, size, "../lib/lacquer") || !find_in(folder, path, sizeof path))
        folder[0] = '\0';
}

static void *open_library(struct lq_error *err)
{
    char folder[4096], path[4096] = "libonnxruntime.so.1";
    const char *chosen = getenv("LACQUER_ONNXRUNTIME");
    bool named = chosen && *chosen;
    (void)is_built_place(!named);
    lq_ort_place(folder, sizeof folder);
    if (named && !find_in(folder, path, sizeof path)) {
        lq_fail(err, LQ_ERR_UNAVAILABLE,
                "cannot load ONNX Runtime from LACQUER_ONNXRUNTIME='%.80s': %s; name a folder that "
                "holds libonnxruntime.so.1",
                chosen, access(chosen, F_OK) == 0 ? "not in there" : "no such folder");
        return NULL;
    }
    if (folder[0])
        (void)find_in(folder, path, sizeof path);
    // Newer builds send telemetry from the moment they are loaded.
    setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library && (named || folder[0]))
        lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot load ONNX Runtime: %s", dlerror());
    else if (!library)
        lq_fail(err, LQ_ERR_UNAVAILABLE,
                "cannot load ONNX Runtime: libonnxruntime.so.1 is not here; run 'tools/setup.sh "
                "gpu' (or 'tools/setup_gpu.sh cpu'), or set LACQUER_ONNXRUNTIME to the folder that "
                "holds it");
    return library;
}

// ---- loading its functions

// Errors also reach us through the call's status; most other messages are of no use to users.
static void log_line(void *context, int level, const char *category, const char *id,
                     const char *where, const char *message)
{
    (void)context, (void)level, (void)category, (void)id, (void)where;
    lq_log_debug("onnxruntime: %.300s", message);
}

static void keep_folder(const void *address)
{
    Dl_info info;
    char whole[4096] = "";
    if (dladdr(address, &info) && info.dli_fname && realpath(info.dli_fname, whole))
        *strrchr(whole, '/') = '\0';
    snprintf(lq_ort.folder, sizeof lq_ort.folder, "%s", whole);
}

static int load(struct lq_error *err)
{
    void *library = open_library(err);
    if (!library)
        return err->status;
    const struct lq_ort_base *(*get_base)(void);
    *(void **)&get_base = dlsym(library, "OrtGetApiBase");
    const struct lq_ort_base *base = get_base ? get_base() : NULL;
    if (!base)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot load ONNX Runtime: its library has no C "
                                                "interface");
    snprintf(lq_ort.version, sizeof lq_ort.version, "%s", base->get_version());
    const void *const *table = base->get_api(LQ_ORT_API_VERSION);
    if (!table)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot use ONNX Runtime %s: 1.%d or newer is "
                       "needed; run 'tools/setup.sh gpu'", lq_ort.version, LQ_ORT_API_VERSION);
#define X(entry, result, name, arguments) memcpy(&lq_ort.name, &table[entry], sizeof lq_ort.name);
    LQ_ORT_FUNCTIONS(X)
#undef X
    *(const void **)&table = (const void *)get_base;
    keep_folder(table);
    struct lq_ort_status *code =
        lq_ort.create_env(log_line, NULL, LQ_ORT_WARNING, "lacquer", &lq_ort.env);
    if (!code)
        code = lq_ort.disable_telemetry(lq_ort.env);
    return lq_ort_check(err, LQ_ERR_UNAVAILABLE, code, "start", "ONNX Runtime");
}

static void load_once(void)
{
    loaded.status = load(&loaded.err);
}

int lq_ort_load(struct lq_error *err)
{
    pthread_once(&loaded.once, load_once);
    return loaded.status == LQ_OK ? LQ_OK : lq_fail(err, loaded.status, "%s", loaded.err.text);
}
