// Finds and loads OpenVINO with dlopen when it is first wanted: a build without it still runs and
// says what is missing.
//
// The library is looked for in $LACQUER_OPENVINO (and then nowhere else); by a program that still
// lies in its build folder in the folder it was unpacked to there, if nobody else could have put it
// there; in ../lib/lacquer beside the program; and by the loader.
// Its own libraries find each other by their RPATH ($ORIGIN).
#include "engine/openvino_load.h"

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

#define ov lq_openvino

struct lq_openvino lq_openvino;

static struct {
    pthread_once_t once;
    int status;
    struct lq_error err;
} loaded = {.once = PTHREAD_ONCE_INIT};

// OpenVINO's message is a few lines of "Exception from file:line:" before the one that matters.
static void keep_reason(char *out, size_t size, const char *message)
{
    snprintf(out, size, "no reason given");
    while (message && *message) {
        size_t len = strcspn(message, "\n");
        bool noise = strncmp(message, "Exception from ", 15) == 0 ||
                     strspn(message, " \t\r") >= len ||
                     (len > 6 && strncmp(message, "Check '", 7) == 0 && message[len - 1] == ':');
        if (!noise) {
            snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), message);
            return;
        }
        message += len + (message[len] == '\n');
    }
}

int lq_openvino_fail(struct lq_error *err, int status, ov_status_e code, const char *what,
                     const char *path)
{
    const char *message = ov.get_last_err_msg();
    char reason[160];
    keep_reason(reason, sizeof reason,
                message && *message ? message : ov.get_error_info(code));
    if (message)
        ov.free(message);
    return lq_fail(err, status, "cannot %s '%.70s': %s", what, path, reason);
}

#if defined(LQ_SANITIZE)
// TBB opens a helper with RTLD_DEEPBIND, at which the address sanitizer ends the process. In
// sanitized builds every dlopen of the process comes by here and goes on without that flag.
LQ_PUBLIC void *dlopen(const char *path, int flags);

void *dlopen(const char *path, int flags)
{
    void *(*next)(const char *, int);
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    return next(path, flags & ~RTLD_DEEPBIND);
}

// What these keep until the process ends is theirs to know.
LQ_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libopenvino\nleak:libtbb\nleak:libhwloc\n";
}
#endif

static void *try_open(const char *folder)
{
    static const char *const names[] = {"libopenvino_c.so.2641", "libopenvino_c.so"};
    char path[4096];
    for (size_t i = 0; i < LQ_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", names[i]);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

static void *open_beside_program(void)
{
    char path[2048];
    return lq_place_beside(path, sizeof path, "../lib/lacquer") ? try_open(path) : NULL;
}

static void *open_where_built(void)
{
    uid_t owner;
    struct lq_error why;
    if (!lq_place_is_built(&owner))
        return NULL;
    // Whoever owns the program could have changed it too.
    if (lq_trust_path(LQ_OPENVINO_LIBS, owner, LQ_TRUST_GROUP, &why) == LQ_OK)
        return try_open(LQ_OPENVINO_LIBS);
    if (why.status == LQ_ERR_AUTH)
        lq_log_warn("OpenVINO is not loaded from where it was unpacked: %s", why.text);
    return NULL;
}

static void *open_library(struct lq_error *err)
{
    const char *chosen = getenv("LACQUER_OPENVINO");
    void *library = NULL;
    if (chosen && *chosen) {
        library = try_open(chosen);
        if (!library)
            lq_fail(err, LQ_ERR_UNAVAILABLE,
                    "cannot load OpenVINO from LACQUER_OPENVINO='%.80s': %s; name a folder that "
                    "holds libopenvino_c.so",
                    chosen, access(chosen, F_OK) == 0 ? "not in there" : "no such folder");
        return library;
    }
    library = open_where_built();
    if (!library)
        library = open_beside_program();
    if (!library)
        library = try_open("");
    if (!library)
        lq_fail(err, LQ_ERR_UNAVAILABLE,
                "cannot load OpenVINO: libopenvino_c.so is not here; run 'make build', or set "
                "LACQUER_OPENVINO to the folder that holds it");
    return library;
}

static int load(struct lq_error *err)
{
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
