// lacquer eval: its options, the pictures of a folder, and the report.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "eval/eval.h"
#include "nail/track.h"

struct command {
    struct lq_cli_model model;
    struct lq_eval_options options;
    bool json;
};

enum { OPT_IMAGES = 0x200, OPT_MASKS, OPT_WRITE, OPT_RAW, OPT_JSON, OPT_SEQUENCE, OPT_FPS,
       OPT_NO_SMOOTHING, OPT_EVERY, OPT_FAST, OPT_DIRECTIONS };

static const struct argp_option table[] = {
    {"images", OPT_IMAGES, "DIR", 0, "Pictures (.jpg, .jpeg, .png)", 1},
    {"masks", OPT_MASKS, "DIR", 0,
     "Drawn masks with the pictures' file stems (.png; nail where >= 128). Without this option the "
     "pictures count as showing no nails", 1},
    {"directions", OPT_DIRECTIONS, "FILE", 0,
     "JSON with the true direction and finger of each picture's nails (docs/ACCURACY.md has its "
     "form), to measure the estimates of both", 1},
    {"write-masks", OPT_WRITE, "DIR", 0, "Write the predicted masks as PNG", 1},
    {"raw", OPT_RAW, NULL, 0,
     "Measure the network only, without the nail stage that drops specks and refines edges", 1},
    {"fast", OPT_FAST, NULL, 0,
     "Run the network once per picture, as for a frame of a video. By default a multi-scale pass "
     "follows, as in `lacquer apply`", 1},
    {"sequence", OPT_SEQUENCE, NULL, 0,
     "The pictures are frames of one video in the order of their names: nails are tracked as in a "
     "live session, and flicker, lag and flips of direction are measured too", 1},
    {"fps", OPT_FPS, "N", 0, "Frames a second of the video (default 30)", 1},
    {"every", OPT_EVERY, "N", 0,
     "Run the network on each Nth frame of the video and propagate the nails in between, as a busy "
     "server does (1 to 3, default 1)", 1},
    {"no-smoothing", OPT_NO_SMOOTHING, NULL, 0, "Do not smooth outlines from frame to frame", 1},
    {"json", OPT_JSON, NULL, 0, "Print the figures as JSON", 1},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command *eval = state->input;
    struct lq_eval_options *options = &eval->options;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &eval->model;
        return 0;
    case OPT_IMAGES:
        options->images = arg;
        return 0;
    case OPT_MASKS:
        options->masks = arg;
        return 0;
    case OPT_DIRECTIONS:
        options->directions = arg;
        return 0;
    case OPT_WRITE:
        options->write = arg;
        return 0;
    case OPT_RAW:
        options->raw = true;
        return 0;
    case OPT_JSON:
        eval->json = true;
        return 0;
    case OPT_FAST:
        options->fast = true;
        return 0;
    case OPT_SEQUENCE:
        options->sequence = true;
        return 0;
    case OPT_FPS:
        options->fps = lq_cli_number(state, "fps", arg, 1, 1000);
        return 0;
    case OPT_EVERY:
        options->every =
            (int)lq_cli_integer(state, "every", arg, 1, LQ_PROPAGATED_FRAMES_MAX + 1);
        return 0;
    case OPT_NO_SMOOTHING:
        options->steady = false;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not an option; see --images and --masks", arg);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!options->images)
            argp_error(state, "which pictures? give --images DIR and --masks DIR");
        if (options->sequence && !options->masks)
            argp_error(state, "--sequence needs --masks: they say how the nails really move");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&lq_cli_model_argp, 0, NULL, 0}, {0}};

const struct argp lq_eval_argp = {
    table, parse, NULL,
    "Finds nails in every picture of a folder and compares them with drawn masks at full picture "
    "size: intersection over union over all pixels, its mean over pictures, boundary F at 2 px, "
    "nails found, missed and false, and paint on pictures without nails; and the same by skin tone "
    "(ITA), nail size and light, which are estimated beside the drawn nails.",
    children, NULL, NULL};

static int is_picture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

static int measure_all(struct lq_eval *eval, struct dirent **names, int count)
{
    int failed = 0;
    struct lq_progress progress;
    lq_progress_start(&progress, count, false);
    for (int i = 0; i < count; i++) {
        struct lq_error err;
        if (lq_eval_picture(eval, names[i]->d_name, &err) != LQ_OK) {
            lq_progress_hide(&progress);
            lq_cli_error(&err);
            failed++;
        }
        lq_progress_step(&progress, i + 1);
    }
    lq_progress_hide(&progress);
    if (failed)
        fprintf(stderr, "lacquer: %d of %d pictures could not be measured\n", failed, count);
    return failed ? LQ_EXIT_FAILED : LQ_EXIT_OK;
}

static int run(struct command *command, struct dirent **names, int count)
{
    struct lq_error err;
    struct lq_model *model = NULL;
    struct lq_eval *eval = NULL;
    int result;
    if (lq_cli_model_open(&command->model, &model, &err) != LQ_OK)
        return lq_cli_error(&err);
    if (lq_eval_new(&eval, model, &command->options, &err) != LQ_OK) {
        result = lq_cli_error(&err);
    } else {
        result = measure_all(eval, names, count);
        if (command->json)
            lq_eval_print_json(lq_eval_figures(eval), lq_model_info(model));
        else
            lq_eval_print_table(lq_eval_figures(eval));
    }
    lq_eval_free(eval);
    lq_model_close(model);
    return result;
}

int lq_cli_eval(int argc, char **argv)
{
    struct command eval = {.options = {.steady = true, .fps = 30, .every = 1}};
    lq_cli_model_init(&eval.model);
    argp_parse(&lq_eval_argp, argc, argv, 0, NULL, &eval);

    struct dirent **names;
    struct lq_error err;
    int count = scandir(eval.options.images, &names, is_picture, alphasort);
    if (count <= 0) {
        lq_fail(&err, LQ_ERR_IO, "no pictures in '%s'%s%s", eval.options.images,
                count < 0 ? ": " : "",
                count < 0 ? strerror(errno) : "");
        if (count == 0)
            free(names);
        return lq_cli_error(&err);
    }
    int result = run(&eval, names, count);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return result;
}
