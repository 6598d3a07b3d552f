#include "cli/tune_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/model_check.h"
#include "cli/tune_race.h"

enum { KEEP_MS_MAX = 60000 };
// About a tenth of a core while workers use all of them.
enum { NICE = 10 };

// The child's message with its result.
struct found {
    int status;
    bool kept; // the choice was stored in the cache
    struct lq_tune_choice choice;
    struct lq_error error;
};

// ---- the child

struct keeping {
    struct lq_cli_model *config;
    int (*enter)(void *context, struct lq_error *err);
    void *context;
    struct lq_tune_choice choice;
};

// Runs as the cache's owner, who may be another user than at the start.
static int keep(void *data, struct lq_error *err)
{
    struct keeping *keeping = data;
    uint64_t key = lq_tune_key(keeping->config);
    int status = keeping->enter ? keeping->enter(keeping->context, err) : LQ_OK;
    return status == LQ_OK ? lq_tune_choice_write(lq_cli_model_cache(keeping->config), key,
                                                  &keeping->choice, err)
                           : status;
}

static void race(struct keeping *keeping, struct found *found)
{
    static struct lq_tune_race race;
    struct lq_tune_pictures pictures;
    race = (struct lq_tune_race){.config = keeping->config, .pictures = &pictures,
                                 .enter = keeping->enter, .context = keeping->context};
    found->status = lq_tune_pictures_read(&pictures, NULL, &found->error);
    if (found->status == LQ_OK)
        found->status =
            lq_cli_model_check(keeping->config, keeping->enter, keeping->context, &found->error);
    if (found->status == LQ_OK)
        found->status = lq_tune_race_run(&race, &found->error);
    if (found->status == LQ_OK) {
        lq_tune_race_choice(&race, &found->choice);
        keeping->choice = found->choice;
        found->kept = lq_child_run(keep, keeping, 0, KEEP_MS_MAX, &found->error) == LQ_OK;
    }
    lq_tune_pictures_release(&pictures);
}

static void settle_in(pid_t parent)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    prctl(PR_SET_NAME, "lacquer-tune");
    lq_log_set_level(LQ_LOG_ERROR);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; nowhere >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(nowhere, fd);
    setpriority(PRIO_PROCESS, 0, NICE);
}

// Makes SIGIO end this process when the server closes its end of the pipe or dies. PR_SET_PDEATHSIG
// does not work: the kernel treats that signal as sent by the server, whose sandbox may not send
// signals to processes outside it.
static void end_with(int go)
{
    int flags = fcntl(go, F_GETFL);
    if (fcntl(go, F_SETOWN, getpid()) == 0)
        (void)!fcntl(go, F_SETFL, flags | O_ASYNC);
    struct pollfd closed = {go, 0, 0};
    if (poll(&closed, 1, 0) > 0)
        _exit(0); // it has already ended
}

// Waits for the message to start; a server that ends closes the pipe.
static _Noreturn void be_child(int go, int result, pid_t parent, struct keeping *keeping)
{
    struct found found = {.status = LQ_ERR_IO};
    char word;
    settle_in(parent);
    if (read(go, &word, 1) != 1)
        _exit(0);
    end_with(go);
    race(keeping, &found);
    _exit(lq_file_write_fd(result, &found, sizeof found) == LQ_OK ? 0 : 1);
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

void lq_tune_beside_fork(struct lq_tune_beside *beside, struct lq_cli_model *config,
                         int (*enter)(void *context, struct lq_error *err), void *context)
{
    int pipes[4];
    lq_cli_model_find_float(config);
    *beside = (struct lq_tune_beside){0};
    if (!lq_tune_is_open(config) || !config->options.cache_dir)
        return;
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return;
    if (pipe2(pipes + 2, O_CLOEXEC) != 0) {
        close_all(pipes, 2);
        return;
    }
    struct lq_cli_model copy = *config;
    struct keeping keeping = {.config = &copy, .enter = enter, .context = context};
    if (config->options.cache_dir == config->cache_dir)
        copy.options.cache_dir = copy.cache_dir;
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        close(pipes[1]);
        close(pipes[2]);
        be_child(pipes[0], pipes[3], parent, &keeping);
    }
    close(pipes[0]);
    close(pipes[3]);
    if (child < 0) {
        close_all(pipes + 1, 2);
        return;
    }
    beside->child = child;
    beside->go = pipes[1];
    beside->result = pipes[2];
}

// ---- the watch

// False if the server stops first.
static bool wait_for(const struct lq_tune_beside *beside, int fd, int timeout_ms)
{
    struct pollfd waits[] = {{beside->stop, POLLIN, 0}, {fd, POLLIN, 0}};
    while (poll(waits, fd >= 0 ? 2 : 1, timeout_ms) < 0 && errno == EINTR)
        ;
    return waits[0].revents == 0;
}

static bool needs_another_cap(const struct lq_tune_choice *choice)
{
    const char *now = getenv("ONEDNN_MAX_CPU_ISA"), *isa = choice->candidate.isa;
    return *isa && strcmp(now ? now : "ALL", isa) != 0;
}

static bool is_so_already(const struct lq_cli_model *now, const struct lq_cli_model *then)
{
    const char *a = now->path ? now->path : lq_model_default_path();
    const char *b = then->path ? then->path : lq_model_default_path();
    enum lq_precision precision = then->options.precision;
    return strcmp(a, b) == 0 && now->options.tune == then->options.tune &&
           (precision == now->options.precision ||
            (precision == LQ_PRECISION_F32 && now->options.precision == LQ_PRECISION_AUTO));
}

static void go_over(struct lq_tune_beside *beside, const struct lq_tune_choice *choice)
{
    struct lq_cli_model then = *beside->config;
    struct lq_error why;
    char name[128];
    lq_tune_candidate_name(&choice->candidate, lq_tune_path(&then, &choice->candidate), name,
                           sizeof name);
    if (needs_another_cap(choice)) {
        lq_log_info("%s is the fastest here, but needs another instruction set than this process "
                    "started with; it is used from the next start", name);
        return;
    }
    lq_tune_choice_use(choice, &then);
    if (is_so_already(beside->config, &then)) {
        lq_log_debug("tuned: the present configuration is the fastest, %s", name);
        return;
    }
    if (lq_cli_model_open_tried(&then, &beside->model, &why) != LQ_OK) {
        lq_log_warn("keeping the present configuration instead of %s: %s", name, why.text);
        return;
    }
    lq_server_offer_model(beside->server, beside->model);
    lq_log_info("using %s from now on, the fastest configuration on this machine", name);
}

static void conclude(struct lq_tune_beside *beside)
{
    struct found found = {.status = LQ_ERR_IO};
    if (read(beside->result, &found, sizeof found) != (ssize_t)sizeof found)
        lq_log_warn("tuning in the background ended early; run `lacquer tune` to see why");
    else if (found.status != LQ_OK)
        lq_log_warn("tuning in the background failed: %s", found.error.text);
    else if (!found.kept)
        lq_log_warn("cannot save the result of tuning: %s", found.error.text);
    if (waitpid(beside->child, NULL, 0) == beside->child)
        beside->child = 0;
    if (found.status == LQ_OK)
        go_over(beside, &found.choice);
}

static void *watch(void *context)
{
    struct lq_tune_beside *beside = context;
    if (!wait_for(beside, -1, beside->after_s * 1000))
        return NULL;
    beside->racing = true;
    if (write(beside->go, "", 1) != 1)
        return NULL;
    if (wait_for(beside, beside->result, -1))
        conclude(beside);
    return NULL;
}

void lq_tune_beside_watch(struct lq_tune_beside *beside, const struct lq_cli_model *config,
                          struct lq_server *server, int after_s)
{
    if (beside->child <= 0)
        return;
    beside->config = config;
    beside->server = server;
    beside->after_s = after_s;
    beside->stop = eventfd(0, EFD_CLOEXEC);
    beside->watching =
        beside->stop >= 0 && pthread_create(&beside->thread, NULL, watch, beside) == 0;
}

void lq_tune_beside_end(struct lq_tune_beside *beside)
{
    const uint64_t one = 1;
    if (beside->watching) {
        (void)!write(beside->stop, &one, sizeof one);
        pthread_join(beside->thread, NULL);
        close(beside->stop);
    }
    if (beside->go > 0)
        close_all((int[]){beside->go, beside->result}, 2);
    // A child that races is ended by SIGIO; one that still waits ends because the pipe was closed.
    if (beside->child > 0 && !beside->racing)
        waitpid(beside->child, NULL, 0);
    *beside = (struct lq_tune_beside){.model = beside->model};
}

void lq_tune_beside_release(struct lq_tune_beside *beside)
{
    lq_model_leave(beside->model);
    beside->model = NULL;
}
