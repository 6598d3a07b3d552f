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

// As liblacquer wrote it: a small number, not negative.
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
        .no_landmarks = true, // that network is our own
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
    struct lq_check_answer answer = {0};
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(LQ_CHECK_MS_MAX / 1000 + 5); // the host may be gone by then
    lq_log_set_level(LQ_LOG_ERROR);
    answer.status = try_model(argv, &err);
    snprintf(answer.text, sizeof answer.text, "%s", err.text);
    bool told = lq_file_write_fd(LQ_CHECK_FD, &answer, sizeof answer) == LQ_OK;
    _exit(told ? 0 : 1); // the engine's own end is nobody's concern here
}
