#include "cli/sandbox.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/log.h"
#include "base/place.h"
#include "config.h"
#include "serve/guard/sandbox.h"

enum { LIBRARY_PATHS_MAX = 8, GROUP_LINES_MAX = 32, GPUS_MAX = 8 };

struct folders {
    struct lq_sandbox confine;
    char *text[LQ_SANDBOX_PATHS_MAX]; // texts made here that confine points to
    int count;
};

LQ_PRINTF(2, 3) static void add(struct folders *folders, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        return; // access stays denied
    if (folders->count == LQ_SANDBOX_PATHS_MAX) {
        free(text);
        return;
    }
    folders->text[folders->count++] = text;
    lq_sandbox_read(&folders->confine, text);
}

// ---- what belongs to the system

// Files that the C library, OpenSSL and OpenVINO read about the machine and their own process.
static const char *const system_paths[] = {
    "/usr", "/lib", "/lib64", "/opt/intel", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf",
    "/etc/localtime",
#if defined(LQ_SANITIZE) // the leak check lists threads
    "/proc/self",
#endif
    // Not all of /proc/self: its `net`, and those of its threads, list all the machine's
    // connections.
    "/proc/self/auxv", "/proc/self/cgroup", "/proc/self/cmdline", "/proc/self/maps",
    "/proc/self/mountinfo", "/proc/self/mounts", "/proc/self/smaps", "/proc/self/stat",
    "/proc/self/statm", "/proc/self/status", "/proc/cpuinfo", "/proc/meminfo",
    "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/nr_hugepages",
    "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/kernel/mm/hugepages",
    "/sys/kernel/mm/transparent_hugepage", "/dev/urandom"};

// Device files of GPU drivers: NVIDIA's, Intel's, WSL's.
static const char *const gpu_devices[] = {
    "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/dxg", "/dev/dri"};
static const char *const gpu_paths[] = {
    "/proc/driver/nvidia", "/proc/devices", "/proc/modules", "/proc/self/task",
    "/sys/bus/pci/devices", "/sys/devices/pci0000:00", "/sys/class/drm", "/sys/dev/char",
    "/sys/module/nvidia", "/etc/OpenCL/vendors", "/etc/nvidia"};

// Additional files for resolving another server's name and verifying its certificate.
static const char *const network_paths[] = {
    "/etc/resolv.conf", "/run/systemd/resolve", "/etc/hosts", "/etc/host.conf",
    "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/ssl/certs",
    "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates"};

// The limits of one control group and of those above it.
static void read_group(struct folders *folders, const char *root, const char *group)
{
    static const char *const files[] = {
        "cpu.max", "memory.max", "cpuset.cpus.effective", "cpuset.mems.effective",
        "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpuset.cpus", "cpuset.mems",
        "cpuset.effective_cpus", "memory.limit_in_bytes"};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", group);
    for (char *slash;; *slash = 0) {
        for (size_t i = 0; i < LQ_COUNT(files); i++) {
            char file[2 * PATH_MAX];
            snprintf(file, sizeof file, "%s%s/%s", root, path, files[i]);
            if (access(file, F_OK) == 0)
                add(folders, "%s", file);
        }
        slash = strrchr(path, '/');
        if (!slash)
            return;
    }
}

// "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1 (cgroups(7)).
static void read_groups(struct folders *folders)
{
    char line[PATH_MAX];
    FILE *file = fopen("/proc/self/cgroup", "re");
    for (int i = 0; file && i < GROUP_LINES_MAX && fgets(line, sizeof line, file); i++) {
        line[strcspn(line, "\n")] = 0;
        char *kinds = strchr(line, ':'), *group = kinds ? strchr(kinds + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = 0;
        kinds++;
        char root[PATH_MAX + 32];
        snprintf(root, sizeof root, "/sys/fs/cgroup%s%s", *kinds ? "/" : "", kinds);
        if (!*kinds || strstr(kinds, "cpu") || strstr(kinds, "memory"))
            read_group(folders, root, strcmp(group, "/") == 0 ? "" : group);
        if (!*kinds) // version 2 mounted beside version 1
            read_group(folders, "/sys/fs/cgroup/unified", strcmp(group, "/") == 0 ? "" : group);
    }
    if (file)
        fclose(file);
}

static void read_libraries(struct folders *folders)
{
    uid_t owner;
    if (lq_place_is_built(&owner))
        lq_sandbox_read(&folders->confine, LQ_OPENVINO_LIBS);
    static const char *const variables[] = {"LACQUER_OPENVINO", "LACQUER_ONNXRUNTIME"};
    const char *paths = getenv("LD_LIBRARY_PATH");
    if (lq_place_is_built(&owner))
        lq_sandbox_read(&folders->confine, LQ_ONNXRUNTIME_LIBS);
    for (size_t i = 0; i < LQ_COUNT(variables); i++) {
        const char *named = getenv(variables[i]);
        if (named && *named)
            add(folders, "%s", named);
    }
    // pip installs the GPU libraries beside a wheel (engine/onnxruntime_parts.h).
    const char *wheel = getenv("LACQUER_ONNXRUNTIME");
    static const char *const beside_wheel[] = {"nvidia", "tensorrt_libs"};
    for (size_t i = 0; wheel && *wheel && i < LQ_COUNT(beside_wheel); i++)
        add(folders, "%s/../../%s", wheel, beside_wheel[i]);
    for (int i = 0; paths && *paths && i < LIBRARY_PATHS_MAX; i++) {
        size_t len = strcspn(paths, ":");
        if (len > 0)
            add(folders, "%.*s", (int)len, paths);
        paths += len + (paths[len] == ':');
    }
    char beside[PATH_MAX];
    if (lq_place_beside(beside, sizeof beside, "../lib"))
        add(folders, "%s", beside);
    if (lq_place_installed(beside, sizeof beside, LQ_PRIVATE_FOLDER))
        add(folders, "%s", beside);
}

static void read_system(struct folders *folders)
{
    static const char *const named[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"};
    for (size_t i = 0; i < LQ_COUNT(system_paths); i++)
        lq_sandbox_read(&folders->confine, system_paths[i]);
    read_libraries(folders);
    read_groups(folders);
    for (size_t i = 0; folders->confine.connect && i < LQ_COUNT(network_paths); i++)
        lq_sandbox_read(&folders->confine, network_paths[i]);
    for (size_t i = 0; folders->confine.connect && i < LQ_COUNT(named); i++)
        lq_sandbox_read(&folders->confine, getenv(named[i]));
}

// ---- what belongs to the server

// Whether a folder also contains many files that the server must not see.
static bool is_common(const char *folder)
{
    static const char *const names[] = {"/", "/etc", "/root", "/home", "/tmp", "/var", "/var/tmp",
                                        "/var/lib", "/run", "/dev", "/dev/shm", "/mnt", "/media",
                                        "/srv", "/opt", "/proc", "/sys", "/boot", "/etc/ssl"};
    char real[PATH_MAX], home_real[PATH_MAX];
    const char *home = getenv("HOME");
    if (!realpath(folder, real))
        return true;
    for (size_t i = 0; i < LQ_COUNT(names); i++)
        if (strcmp(real, names[i]) == 0)
            return true;
    if (home && realpath(home, home_real) && strcmp(real, home_real) == 0)
        return true;
    return strncmp(real, "/home/", 6) == 0 && !strchr(real + 6, '/');
}

static void read_folder_at(struct folders *folders, const char *file, bool *common)
{
    char text[PATH_MAX];
    snprintf(text, sizeof text, "%s", file);
    char *folder = dirname(text);
    bool is = is_common(folder);
    add(folders, "%s", is ? file : folder);
    *common |= is;
}

// Allows reading a secret and its folder, in which a renewed file of the same name will appear;
// likewise for the file that it links to. In a common folder, allows only the file.
static void read_secret(struct folders *folders, const char *file)
{
    char real[PATH_MAX];
    bool common = false;
    if (!file)
        return;
    read_folder_at(folders, file, &common);
    if (realpath(file, real))
        read_folder_at(folders, real, &common);
    if (common)
        lq_log_info("'%s' lies in a folder with other files, which the sandbox does not open: a "
                    "replaced file is read only after a restart", file);
}

// Allows the files in a common folder that belong to the model: those whose names begin with its
// name.
static void read_siblings(struct folders *folders, const char *folder, const char *name)
{
    size_t stem = strcspn(name, ".");
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (stem > 0 && strncmp(entry->d_name, name, stem) == 0)
            add(folders, "%s/%s", folder, entry->d_name);
    if (dir)
        closedir(dir);
}

// Allows the model and the files beside it: sidecar and external weights.
static void read_model(struct folders *folders, const char *file)
{
    char real[PATH_MAX];
    const char *places[] = {file, realpath(file, real)};
    for (size_t i = 0; i < LQ_COUNT(places); i++) {
        char text[PATH_MAX], copy[PATH_MAX];
        if (!places[i])
            continue;
        snprintf(text, sizeof text, "%s", places[i]);
        snprintf(copy, sizeof copy, "%s", places[i]);
        char *folder = dirname(text);
        if (is_common(folder))
            read_siblings(folders, folder, basename(copy));
        else
            add(folders, "%s", folder);
    }
}

// Shared memory is only used with servers on this machine.
static bool shares_memory(const struct lq_remote_options *remote)
{
    bool local = remote->memory == LQ_REMOTE_MEMORY_ON;
    for (int i = 0; i < remote->url_count && remote->memory == LQ_REMOTE_MEMORY_AUTO; i++) {
        const char *host = strstr(remote->urls[i], "://");
        host = host ? host + 3 : remote->urls[i];
        local |= strncmp(host, "localhost", 9) == 0 || strncmp(host, "127.", 4) == 0 ||
                 strncmp(host, "[::1]", 5) == 0;
    }
    return local && remote->url_count > 0;
}

static void reach_gpu(struct folders *folders)
{
    folders->confine.gpu = true;
    for (size_t i = 0; i < LQ_COUNT(gpu_devices); i++)
        lq_sandbox_write(&folders->confine, gpu_devices[i]);
    for (size_t i = 0; i < LQ_COUNT(gpu_paths); i++)
        lq_sandbox_read(&folders->confine, gpu_paths[i]);
    for (int i = 0; i < GPUS_MAX && folders->count < LQ_SANDBOX_PATHS_MAX; i++) {
        char *path;
        if (asprintf(&path, "/dev/nvidia%d", i) < 0)
            return;
        folders->text[folders->count++] = path;
        lq_sandbox_write(&folders->confine, path);
    }
}

static bool wants_gpu(const struct lq_cli_model *model)
{
    return model->options.device == LQ_DEVICE_GPU || lq_cli_model_on_nvidia(model);
}

int lq_cli_sandbox(struct lq_cli_model *model, const struct lq_serve_options *serve,
                   struct lq_error *err)
{
    struct folders *folders = calloc(1, sizeof *folders);
    if (!folders)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    struct lq_sandbox *confine = &folders->confine;
    (void)lq_cpu_count(); // it reads files that the sandbox does not allow
    // An inference server is reached over TCP, and on this machine also through shared memory.
    confine->connect = model->options.remote.url_count > 0;
    read_system(folders);
    read_model(folders, model->path ? model->path : lq_cli_model_own(model));
    if (model->float_path[0])
        read_model(folders, model->float_path);
    if (wants_gpu(model))
        reach_gpu(folders);
    read_model(folders, lq_landmarks_default_path());
    read_secret(folders, serve->tls_cert);
    read_secret(folders, serve->tls_key);
    read_secret(folders, serve->token_file);
    lq_sandbox_read(confine, serve->web_dir);
    lq_sandbox_write(confine, "/dev/null");
    lq_sandbox_write(confine, lq_cli_model_cache(model));
    if (shares_memory(&model->options.remote))
        lq_sandbox_write(confine, "/dev/shm");
    int status = lq_sandbox_enter(confine, err);
    if (status == LQ_OK)
        lq_log_debug("in the sandbox: %d paths to read, %d to write", confine->read_count,
                     confine->write_count);
    for (int i = 0; i < folders->count; i++)
        free(folders->text[i]);
    free(folders);
    return status;
}
