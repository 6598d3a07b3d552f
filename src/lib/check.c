// Runs a foreign model once in a separate process: engines compile what a file contains, and some
// files crash them. The host may have threads, so it is not forked; a small program,
// lacquer-check-model, is started instead, without the host's files, signal mask or handlers.
#include "lib/library.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/place.h"
#include "base/trust.h"
#include "config.h"
#include "engine/verdict.h"
#include "lib/check.h"

extern char **environ;

static bool same_file(const char *a, const char *b)
{
    char whole[PATH_MAX], other[PATH_MAX];
    return realpath(a, whole) && realpath(b, other) && strcmp(whole, other) == 0;
}

static bool is_foreign(const struct lq_lib_options *options)
{
    const char *engine = options->model.engine, *path = options->path;
    const char *fallback = options->model.remote.fallback;
    size_t len = strlen(path);
    bool replay = len > 7 && strcmp(path + len - 7, ".replay") == 0;
    bool openvino = engine ? strcmp(engine, "openvino") == 0 : !replay;
    openvino |= fallback && strcmp(fallback, "openvino") == 0;
    return openvino && !options->model.remote.no_file &&
           !same_file(path, lq_model_default_path()) && !same_file(path, lq_model_float_path());
}

// Accepts the program only from a folder that no other user can write to.
static bool find_program(char path[PATH_MAX])
{
    uid_t owner;
    if (!lq_place_owner(&owner))
        return false;
    if (lq_place_is_built(&owner))
        snprintf(path, PATH_MAX, "%s/%s", LQ_BUILD_ROOT, LQ_CHECK_PROGRAM);
    else if ((!lq_place_beside(path, PATH_MAX, "lacquer/" LQ_CHECK_PROGRAM) ||
              access(path, X_OK) != 0) &&
             !lq_place_installed(path, PATH_MAX, LQ_PRIVATE_FOLDER "/" LQ_CHECK_PROGRAM))
        return false;
    return access(path, X_OK) == 0 && lq_trust_path(path, owner, LQ_TRUST_GROUP, NULL) == LQ_OK;
}

// In the child, the standard streams are /dev/null, descriptor 3 is the pipe, and all other
// descriptors of the host are closed.
static int start(pid_t *child, const char *program, char *const arguments[], int pipe_end)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, pipe_end, LQ_CHECK_FD);
    for (int fd = 0; fd < LQ_CHECK_FD; fd++)
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, LQ_CHECK_FD + 1);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn(child, program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

// Reads until the child closes the pipe; false if it does not do so within LQ_CHECK_MS_MAX.
static bool read_response(int fd, struct lq_check_response *response, size_t *len)
{
    uint64_t until_us = lq_clock_us() + (uint64_t)LQ_CHECK_MS_MAX * 1000;
    for (*len = 0; *len < sizeof *response;) {
        uint64_t now_us = lq_clock_us();
        if (now_us >= until_us)
            return false;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, (int)((until_us - now_us) / 1000) + 1) <= 0)
            continue;
        ssize_t got = read(fd, (char *)response + *len, sizeof *response - *len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        *len += (size_t)got;
    }
    return true;
}

// Returns the child's wait status; -1: unknown, because the host waits for all children and has
// already reaped this one.
static int wait_for(pid_t child)
{
    int ended = 0;
    pid_t got;
    while ((got = waitpid(child, &ended, 0)) < 0 && errno == EINTR)
        ;
    return got == child ? ended : -1;
}

static int report_failure(const char *path, int ended, bool late, struct lq_error *err)
{
    char how[96];
    if (late)
        snprintf(how, sizeof how, "it took longer than %d s", LQ_CHECK_MS_MAX / 1000);
    else if (ended != -1 && WIFSIGNALED(ended))
        snprintf(how, sizeof how, "it ended by signal %d (%s)", WTERMSIG(ended),
                 lq_child_reason(WTERMSIG(ended)));
    else
        snprintf(how, sizeof how, "it ended before it was done");
    return lq_fail(err, LQ_ERR_MODEL,
                   "cannot run model '%.150s': tried in a separate process, %s; export it "
                   "another way, or make an ONNX model of it by `lacquer convert`",
                   path, how);
}

static int run_program(const struct lq_lib_options *options, const char *program,
                       struct lq_error *err)
{
    struct lq_check_response response;
    size_t len = 0;
    char precision[16], tune[16], threads[16], path[PATH_MAX];
    int pipes[2];
    pid_t child;
    snprintf(precision, sizeof precision, "%d", (int)options->model.precision);
    snprintf(tune, sizeof tune, "%d", (int)options->model.tune);
    snprintf(threads, sizeof threads, "%d", options->model.threads);
    if (!realpath(options->path, path))
        return LQ_OK; // no such file: opening the model reports that
    const char *cache = options->model.cache_dir ? options->model.cache_dir : "";
    char *arguments[] = {(char *)(uintptr_t)program, path, precision, tune, threads,
                         (char *)(uintptr_t)cache, NULL};
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return lq_fail(err, LQ_ERR_ENGINE, "cannot start '%s': %s", program, strerror(errno));
    int failed = start(&child, program, arguments, pipes[1]);
    close(pipes[1]);
    if (failed) {
        close(pipes[0]);
        return lq_fail(err, LQ_ERR_ENGINE, "cannot start '%s': %s", program, strerror(failed));
    }
    bool in_time = read_response(pipes[0], &response, &len);
    close(pipes[0]);
    if (!in_time)
        kill(child, SIGKILL);
    int ended = wait_for(child);
    if (len != sizeof response)
        return report_failure(options->path, ended, !in_time, err);
    response.text[sizeof response.text - 1] = 0;
    return response.status == LQ_OK ? LQ_OK : lq_fail(err, response.status, "%s", response.text);
}

int lq_lib_check_model(const struct lq_lib_options *options, struct lq_error *err)
{
    if (options->check == LACQUER_CHECK_NEVER || !is_foreign(options))
        return LQ_OK;
    char how[64], program[PATH_MAX];
    const char *cache = options->model.cache_dir;
    snprintf(how, sizeof how, "precision %d, tune %d", (int)options->model.precision,
             (int)options->model.tune);
    uint64_t key = cache ? lq_verdict_key(options->path, how) : 0;
    if (key && lq_verdict_read(cache, key) == LQ_VERDICT_DIRECT)
        return LQ_OK;
    if (!find_program(program))
        return lq_fail(err, LQ_ERR_ENGINE,
                       "cannot try model '%.150s': '" LQ_CHECK_PROGRAM "' is not beside "
                       "liblacquer; install it, or trust the file: options.check = "
                       "LACQUER_CHECK_NEVER", options->path);
    int status = run_program(options, program, err);
    if (status == LQ_OK && key)
        lq_verdict_write(cache, key, LQ_VERDICT_DIRECT);
    return status;
}
