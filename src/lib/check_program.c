// lacquer-check-model: opens a model and runs it once, so that liblacquer (check.c) sees whether
// that crashes the process. Prints nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "lib/check.h"
#include "model/trial.h"

// Parses a number that liblacquer wrote; it is small and not negative.
static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static int try_model(char **argv, struct lq_error *err)
{
    struct lq_model *model = NULL;
    const struct lq_model_options options = {
        .engine = "openvino",
        .precision = (enum lq_precision)number(argv[2]),
        .tune = (enum lq_tune)number(argv[3]),
        .threads = number(argv[4]),
        .cache_dir = argv[5][0] ? argv[5] : NULL,
        .no_landmarks = true, // Lacquer's own network needs no trial
    };
    int status = lq_model_open(&model, argv[1], &options, err);
    return status == LQ_OK ? lq_model_try(model, err) : status;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "lacquer-check-model is run by liblacquer\n");
        return 2;
    }
    const struct rlimit no_core = {0, 0};
    struct lq_error err = {0};
    struct lq_check_response response = {0};
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(LQ_CHECK_MS_MAX / 1000 + 5); // ends this process even if the host has died
    lq_log_set_level(LQ_LOG_ERROR);
    response.status = try_model(argv, &err);
    snprintf(response.text, sizeof response.text, "%s", err.text);
    bool sent = lq_file_write_fd(LQ_CHECK_FD, &response, sizeof response) == LQ_OK;
    _exit(sent ? 0 : 1); // skips the engine's cleanup, which might crash too
}
