#include "cli/sandbox.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/place.h"
#include "config.h"
#include "serve/confine.h"

enum { FOLDERS_MAX = 16, LIBRARY_PATHS_MAX = 4 };

struct folders {
    struct lq_confine confine;
    char text[FOLDERS_MAX][PATH_MAX]; // what confine points to, where it is made up here
    int count;
};

static void read_folder(struct folders *folders, const char *path, size_t len)
{
    if (folders->count == FOLDERS_MAX || len == 0 || len >= PATH_MAX)
        return;
    char *text = folders->text[folders->count++];
    snprintf(text, PATH_MAX, "%.*s", (int)len, path);
    lq_confine_read(&folders->confine, text);
}

// The folder of a file, where others of its name will be put when it is renewed; and of the file
// that it links to.
static void read_folder_of(struct folders *folders, const char *file)
{
    char text[PATH_MAX], real[PATH_MAX];
    if (!file)
        return;
    snprintf(text, sizeof text, "%s", file);
    char *folder = dirname(text);
    read_folder(folders, folder, strlen(folder));
    if (realpath(file, real)) {
        folder = dirname(real);
        read_folder(folders, folder, strlen(folder));
    }
}

static void read_libraries(struct folders *folders)
{
    static const char *const system[] = {"/usr", "/lib", "/lib64", "/etc", "/proc", "/sys",
                                         "/opt/intel"};
    uid_t owner;
    if (lq_place_is_built(&owner))
        lq_confine_read(&folders->confine, LQ_OPENVINO_LIBS);
    for (size_t i = 0; i < LQ_COUNT(system); i++)
        lq_confine_read(&folders->confine, system[i]);
    const char *named = getenv("LACQUER_OPENVINO"), *paths = getenv("LD_LIBRARY_PATH");
    if (named)
        read_folder(folders, named, strlen(named));
    for (int i = 0; paths && *paths && i < LIBRARY_PATHS_MAX; i++) {
        size_t len = strcspn(paths, ":");
        read_folder(folders, paths, len);
        paths += len + (paths[len] == ':');
    }
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len > 0) {
        program[len] = 0;
        char beside[PATH_MAX];
        int size = snprintf(beside, sizeof beside, "%s/../lib", dirname(program));
        if (size > 0 && (size_t)size < sizeof beside)
            read_folder(folders, beside, (size_t)size);
    }
}

int lq_cli_sandbox(struct lq_cli_model *model, const struct lq_serve_options *serve,
                   struct lq_error *err)
{
    struct folders *folders = calloc(1, sizeof *folders);
    if (!folders)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    struct lq_confine *confine = &folders->confine;
    read_libraries(folders);
    read_folder_of(folders, model->path ? model->path : lq_model_default_path());
    read_folder_of(folders, serve->tls_cert);
    read_folder_of(folders, serve->tls_key);
    read_folder_of(folders, serve->token_file);
    lq_confine_read(confine, serve->web_dir);
    lq_confine_read(confine, "/dev/urandom");
    lq_confine_write(confine, "/dev/null");
    lq_confine_write(confine, lq_cli_model_cache(model));
    // An inference server is asked over TCP, and on this machine through shared memory.
    confine->connect = model->options.remote.url_count > 0;
    if (confine->connect)
        lq_confine_write(confine, "/dev/shm");
    int status = lq_confine_enter(confine, err);
    if (status == LQ_OK)
        lq_log_debug("in the sandbox: %d paths to read, %d to write", confine->read_count,
                     confine->write_count);
    free(folders);
    return status;
}
