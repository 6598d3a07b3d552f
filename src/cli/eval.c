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

static const struct lq_cli_option options[] = {
    {"images", "DIR", "Pictures (.jpg, .jpeg, .png)", 1,
     LQ_CLI_TAKE_TEXT(struct command, options.images)},
    {"masks", "DIR",
     "Drawn masks with the pictures' file stems (.png; nail where >= 128). Without this option the "
     "pictures count as showing no nails", 1, LQ_CLI_TAKE_TEXT(struct command, options.masks)},
    {"directions", "FILE",
     "JSON with the true direction and finger of each picture's nails (docs/ACCURACY.md has its "
     "form), to measure the estimates of both", 1,
     LQ_CLI_TAKE_TEXT(struct command, options.directions)},
    {"write-masks", "DIR", "Write the predicted masks as PNG", 1,
     LQ_CLI_TAKE_TEXT(struct command, options.write)},
    {"raw", NULL,
     "Measure the network only, without the nail stage that drops specks and refines edges", 1,
     LQ_CLI_TAKE_ON(struct command, options.raw)},
    {"fast", NULL,
     "Run the network once per picture. By default a multi-scale pass follows, as in `lacquer "
     "apply`", 1, LQ_CLI_TAKE_ON(struct command, options.fast)},
    {"live", NULL,
     "Treat each picture as the first frame of a video: the network runs once, and once more on "
     "the region around the nails, or, if they are large, on the mirrored picture", 1,
     LQ_CLI_TAKE_ON(struct command, options.live)},
    {"sequence", NULL,
     "The pictures are frames of one video in the order of their names: nails are tracked as in a "
     "live session, and flicker, lag and flips of direction are measured too", 1,
     LQ_CLI_TAKE_ON(struct command, options.sequence)},
    {"fps", "N", "Frames a second of the video (default 30)", 1,
     LQ_CLI_TAKE_NUMBER(struct command, options.fps, 1, 1000)},
    {"every", "N",
     "Run the network on each Nth frame of the video and propagate the nails in between, as a busy "
     "server does (1 to 3, default 1)", 1,
     LQ_CLI_TAKE_INTEGER(struct command, options.every, 1, LQ_PROPAGATED_FRAMES_MAX + 1)},
    {"no-smoothing", NULL, "Do not smooth outlines from frame to frame", 1,
     LQ_CLI_TAKE_OFF(struct command, options.steady)},
    {"json", NULL, "Print the figures as JSON", 1, LQ_CLI_TAKE_ON(struct command, json)},
    {0}};

static void refuse_word(struct argp_state *state, void *input, char *word)
{
    (void)input;
    argp_error(state, "'%s' is not an option; see --images and --masks", word);
}

static void check(struct argp_state *state, void *input)
{
    const struct lq_eval_options *given = &((const struct command *)input)->options;
    if (!given->images)
        argp_error(state, "no pictures given: use --images DIR and --masks DIR");
    if (given->live && (given->fast || given->sequence))
        argp_error(state, "--live excludes --fast and --sequence");
    if (given->sequence && !given->masks)
        argp_error(state, "--sequence needs --masks: they say how the nails really move");
}


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
    lq_model_leave(model);
    return result;
}

static int run_command(int argc, char **argv)
{
    struct command eval = {.options = {.steady = true, .fps = 30, .every = 1}};
    lq_cli_model_init(&eval.model);
    lq_cli_parse(&lq_eval_command.line, argc, argv, &eval);

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

static const struct lq_cli_part parts[] = {
    {&lq_cli_model_spec, offsetof(struct command, model)}, {0}};

const struct lq_command lq_eval_command = {
    "eval", "measure a model against hand-drawn masks", run_command,
    {.options = options, .parts = parts, .argument = refuse_word, .check = check,
     .doc = "Finds nails in every picture of a folder and compares them with drawn masks at "
            "full picture size: intersection over union over all pixels, its mean over "
            "pictures, boundary F at 2 px, nails found, missed and false, and paint on "
            "pictures without nails; and the same by skin tone (ITA), nail size and light, "
            "which are estimated beside the drawn nails."}};
