#include "engine/onnxruntime_parts.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/elf_needed.h"
#include "engine/onnxruntime_load.h"

enum { PARTS_MAX = 24, NAME_MAX_CHARS = 64 };

static const char next_step[] = "run 'tools/setup.sh gpu'";

static const char *provider_of(enum lq_device device)
{
    return device == LQ_DEVICE_TENSORRT ? "libonnxruntime_providers_tensorrt.so"
                                        : "libonnxruntime_providers_cuda.so";
}

static const char *word_of(enum lq_device device)
{
    return device == LQ_DEVICE_TENSORRT ? "TensorRT" : "CUDA";
}

// ---- the libraries that a provider needs

struct part {
    char name[NAME_MAX_CHARS];
    void *library; // NULL: not loaded
};

struct parts {
    struct part part[PARTS_MAX];
    int count;
};

static bool is_of_nvidia(const char *name)
{
    return strncmp(name, "libcu", 5) == 0 || strncmp(name, "libnv", 5) == 0;
}

static void add_part(void *context, const char *name)
{
    struct parts *parts = context;
    // The driver's library is checked separately.
    if (is_of_nvidia(name) && strcmp(name, "libcuda.so.1") != 0 && parts->count < PARTS_MAX)
        snprintf(parts->part[parts->count++].name, NAME_MAX_CHARS, "%s", name);
}

static bool read_parts(enum lq_device device, struct parts *parts)
{
    char path[PATH_MAX];
    *parts = (struct parts){0};
    return snprintf(path, sizeof path, "%s/%s", lq_ort.folder, provider_of(device)) <
               (int)sizeof path &&
           lq_elf_needed_file(path, add_part, parts);
}

// Where Python wheels put libraries: onnxruntime/capi, tensorrt_libs and nvidia/*/lib are siblings.
static bool find_file(const char *name, char *path, size_t size)
{
    static const char *const places[] = {"%s/%s", "%s/../../tensorrt_libs/%s",
                                         "%s/../../nvidia/*/lib/%s"};
    for (size_t i = 0; i < LQ_COUNT(places); i++) {
        glob_t found;
        char pattern[PATH_MAX];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int len = snprintf(pattern, sizeof pattern, places[i], lq_ort.folder, name);
#pragma GCC diagnostic pop
        if (len < 0 || (size_t)len >= sizeof pattern || glob(pattern, 0, NULL, &found) != 0)
            continue;
        snprintf(path, size, "%s", found.gl_pathv[0]);
        globfree(&found);
        return true;
    }
    return false;
}

static void *load_part(const char *name)
{
    char path[PATH_MAX];
    return dlopen(find_file(name, path, sizeof path) ? path : name, RTLD_LAZY | RTLD_LOCAL);
}

// One library may need another of the list: repeat until none is left that can be loaded.
static void load_parts(struct parts *parts)
{
    bool more = true;
    while (more) {
        more = false;
        for (int i = 0; i < parts->count; i++) {
            struct part *part = &parts->part[i];
            if (part->library)
                continue;
            part->library = load_part(part->name);
            more |= part->library != NULL;
        }
    }
}

static int fail_missing(enum lq_device device, const struct parts *parts, struct lq_error *err)
{
    char names[400] = "";
    for (int i = 0; i < parts->count; i++) {
        size_t len = strlen(names);
        if (!parts->part[i].library)
            snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "",
                     parts->part[i].name);
    }
    return lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot use %s: not here or not loadable: %s; %s",
                   word_of(device), names, next_step);
}

// ---- the driver

// From cuda.h: functions return a number, 0 for success.
struct driver {
    int (*init)(unsigned flags);
    int (*version)(int *version);
    int (*count)(int *count);
    int (*device)(int *device, int index);
    int (*name)(char *name, int size, int device);
    int (*explain)(int result, const char **text);
};

static int driver_failed(const struct driver *driver, int result, struct lq_error *err)
{
    const char *text = NULL;
    if (driver->explain && driver->explain(result, &text) != 0)
        text = NULL;
    return lq_fail(err, LQ_ERR_UNAVAILABLE,
                   "cannot use the GPU: the NVIDIA driver answers error %d (%s); see nvidia-smi",
                   result, text ? text : "unknown");
}

static int query_driver(const struct driver *driver, struct lq_gpu *gpu, struct lq_error *err)
{
    int device = 0, result = driver->init(0);
    if (result == 0)
        result = driver->version(&gpu->cuda_version);
    if (result == 0)
        result = driver->count(&gpu->count);
    if (result == 0 && gpu->count < 1)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot use the GPU: the NVIDIA driver knows none; "
                                                "see nvidia-smi");
    if (result == 0)
        result = driver->device(&device, 0);
    if (result == 0)
        result = driver->name(gpu->name, sizeof gpu->name, device);
    return result == 0 ? LQ_OK : driver_failed(driver, result, err);
}

static int load_driver(struct lq_gpu *gpu, struct lq_error *err)
{
    struct driver driver;
    *gpu = (struct lq_gpu){0};
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return lq_fail(err, LQ_ERR_UNAVAILABLE,
                       "cannot use the GPU: no NVIDIA driver (libcuda.so.1) is here; use a machine "
                       "with one, in a container with --gpus all");
    *(void **)&driver.init = dlsym(library, "cuInit");
    *(void **)&driver.version = dlsym(library, "cuDriverGetVersion");
    *(void **)&driver.count = dlsym(library, "cuDeviceGetCount");
    *(void **)&driver.device = dlsym(library, "cuDeviceGet");
    *(void **)&driver.name = dlsym(library, "cuDeviceGetName");
    *(void **)&driver.explain = dlsym(library, "cuGetErrorString");
    if (!driver.init || !driver.version || !driver.count || !driver.device || !driver.name)
        return lq_fail(err, LQ_ERR_UNAVAILABLE,
                       "cannot use the GPU: libcuda.so.1 is no NVIDIA driver's");
    return query_driver(&driver, gpu, err);
}

// The provider's CUDA major version must not be newer than the driver's.
static int check_version(const struct parts *parts, const struct lq_gpu *gpu, struct lq_error *err)
{
    static const char runtime[] = "libcudart.so.";
    for (int i = 0; i < parts->count; i++) {
        const char *name = parts->part[i].name;
        if (strncmp(name, runtime, sizeof runtime - 1) != 0)
            continue;
        long wanted = strtol(name + sizeof runtime - 1, NULL, 10);
        if (wanted > gpu->cuda_version / 1000)
            return lq_fail(err, LQ_ERR_UNAVAILABLE,
                           "cannot use the GPU: its driver supports CUDA %d.%d, and this ONNX "
                           "Runtime %s is built for CUDA %ld; update the NVIDIA driver",
                           gpu->cuda_version / 1000, gpu->cuda_version % 1000 / 10, lq_ort.version,
                           wanted);
    }
    return LQ_OK;
}

// ---- loading all of it

static int (*copy)(void *to, const void *from, size_t bytes, int kind);

int lq_ort_cuda_copy(void *to, const void *from, size_t bytes, int kind)
{
    return copy ? copy(to, from, bytes, kind) : -1;
}

static void keep_copy(const struct parts *parts)
{
    for (int i = 0; i < parts->count; i++)
        if (strncmp(parts->part[i].name, "libcudart", 9) == 0)
            *(void **)&copy = dlsym(parts->part[i].library, "cudaMemcpy");
}

static int load_all(enum lq_device device, struct lq_gpu *gpu, struct lq_error *err)
{
    struct parts parts;
    if (!read_parts(device, &parts))
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot use %s: this ONNX Runtime %s is for the "
                       "processor alone (no %s beside it); %s", word_of(device), lq_ort.version,
                       provider_of(device), next_step);
    int status = load_driver(gpu, err);
    if (status == LQ_OK)
        status = check_version(&parts, gpu, err);
    if (status != LQ_OK)
        return status;
    load_parts(&parts);
    for (int i = 0; i < parts.count; i++)
        if (!parts.part[i].library)
            return fail_missing(device, &parts, err);
    keep_copy(&parts);
    return copy ? LQ_OK
                : lq_fail(err, LQ_ERR_UNAVAILABLE, "cannot use %s: its CUDA runtime has no "
                          "cudaMemcpy; %s", word_of(device), next_step);
}

int lq_ort_parts_load(enum lq_device device, struct lq_gpu *gpu, struct lq_error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    int status = load_all(device, gpu, err);
    pthread_mutex_unlock(&lock);
    return status;
}

// ---- descriptions for people

struct list {
    void (*row)(void *, const char *, bool, const char *);
    void *context;
};

static void list_driver(const struct list *list)
{
    struct lq_gpu gpu;
    struct lq_error err;
    char detail[256];
    if (load_driver(&gpu, &err) != LQ_OK) {
        list->row(list->context, "libcuda.so.1", false, err.text);
        return;
    }
    snprintf(detail, sizeof detail, "driver for CUDA %d.%d; %d GPU%s, the first: %s",
             gpu.cuda_version / 1000, gpu.cuda_version % 1000 / 10, gpu.count,
             gpu.count > 1 ? "s" : "", gpu.name);
    list->row(list->context, "libcuda.so.1", true, detail);
}

static void list_provider(const struct list *list, enum lq_device device)
{
    struct parts parts;
    char path[PATH_MAX];
    bool there = read_parts(device, &parts);
    char step[96];
    snprintf(step, sizeof step, "for --device %s; %s",
             device == LQ_DEVICE_TENSORRT ? "tensorrt" : "cuda", next_step);
    list->row(list->context, provider_of(device), there, there ? lq_ort.folder : step);
    for (int i = 0; i < parts.count; i++) {
        const char *name = parts.part[i].name;
        bool found = find_file(name, path, sizeof path);
        void *library = found ? NULL : dlopen(name, RTLD_LAZY | RTLD_LOCAL);
        list->row(list->context, name, found || library,
                  found ? path : library ? "where the loader looks" : step);
    }
}

void lq_ort_parts_list(void (*row)(void *context, const char *name, bool there,
                                   const char *detail), void *context)
{
    const struct list list = {row, context};
    struct lq_error err;
    char detail[sizeof lq_ort.folder + 64];
    if (lq_ort_load(&err) != LQ_OK) {
        row(context, "libonnxruntime.so.1", false, err.text);
        return;
    }
    snprintf(detail, sizeof detail, "%s in %s", lq_ort.version, lq_ort.folder);
    row(context, "libonnxruntime.so.1", true, detail);
    list_driver(&list);
    list_provider(&list, LQ_DEVICE_CUDA);
    list_provider(&list, LQ_DEVICE_TENSORRT);
}
