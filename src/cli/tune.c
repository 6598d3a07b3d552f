// lacquer tune: finds the fastest way to compute a model on this machine, and stores it.
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "cli/cli.h"
#include "cli/model_check.h"
#include "cli/tune_race.h"

// By which factor a stored choice may be slower than the best one.
#define BEHIND_MAX 1.05

struct tune {
    struct lq_cli_model model;
    const char *images;
    bool json, check;
};

static const struct lq_cli_option options[] = {
    {"images", "DIR",
     "Pictures with nails to compare candidates on (default: rendered hands inside the program)",
     1, LQ_CLI_TAKE_TEXT(struct tune, images)},
    {"cache-dir", "DIR", "Folder for the result (default ~/.cache/lacquer)", 1,
     LQ_CLI_TAKE_TEXT(struct tune, model.options.cache_dir)},
    {"score", "0..1", "Least confidence of a detection, or a mask's threshold", 1,
     LQ_CLI_TAKE_NUMBER(struct tune, model.options.score_min, 0.001, 1)},
    {"check", NULL,
     "Save nothing; print how far the saved result is behind the best, and fail beyond 5 %", 1,
     LQ_CLI_TAKE_ON(struct tune, check)},
    {"json", NULL, "Print JSON", 1, LQ_CLI_TAKE_ON(struct tune, json)},
    {0}};


static void show_step(const struct lq_tune_race *race, int done)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (done < race->count)
        fprintf(stderr, "\rtrying %d of %d…  ", done + 1, race->count);
    else
        fprintf(stderr, "\rthe best once more…");
}

static void print_entry(const struct lq_tune_race *race, int index)
{
    const struct lq_tune_entry *entry = &race->entries[index];
    char name[128], iou[16] = "-";
    lq_tune_candidate_name(&entry->candidate, lq_tune_path(race->config, &entry->candidate), name,
                           sizeof name);
    if (entry->verdict == LQ_TUNE_FAILED) {
        printf("%-48s not measured: %s\n", name, entry->reason);
        return;
    }
    if (entry->iou_float >= 0)
        snprintf(iou, sizeof iou, "%.4f", entry->iou_float);
    printf("%-48s %9.2f %9.2f %12.1f %9s  %s%s\n", name, entry->times.one_ms, entry->times.all_ms,
           entry->times.side_fps, iou, index == race->best ? "taken, " : "",
           lq_tune_verdict_name(entry->verdict));
}

static void print_notes(const struct tune *tune, const struct lq_tune_race *race)
{
    bool unproven = false;
    for (int i = 0; i < race->count; i++)
        unproven |= race->entries[i].verdict == LQ_TUNE_UNPROVEN;
    if (race->here.ours)
        printf("(nail.onnx is compared with itself as it usually runs, IoU >= 0.995: its accuracy "
               "on drawn masks is in docs/ACCURACY.md.\n The float file must come as near to f32 "
               "as nail.onnx does.)\n");
    if (unproven)
        printf("No nail was found in these pictures, so nothing proves that half precision finds "
               "the same%s.\n", tune->images ? "" : "; give some of your own with --images DIR");
}

static void print_table(const struct tune *tune, const struct lq_tune_race *race)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%20s\r", "");
    printf("%-48s %9s %9s %12s %9s  %s\n", "", "ms alone,", "ms alone,", "frames/s",
           "IoU to", "");
    char cores[32];
    snprintf(cores, sizeof cores, "%d cores", lq_cpu_count());
    printf("%-48s %9s %9s %12s %9s  %s\n", "candidate", "1 core", cores, "side by side", "f32",
           "verdict");
    for (int i = 0; i < race->count; i++)
        print_entry(race, i);
    print_notes(tune, race);
}

static json_t *entry_json(const struct lq_tune_race *race, int index)
{
    const struct lq_tune_entry *entry = &race->entries[index];
    json_t *one = json_pack(
        "{s:s, s:s, s:s, s:s}", "file", lq_tune_path(race->config, &entry->candidate), "precision",
        lq_precision_name(entry->candidate.precision), "isa", entry->candidate.isa, "verdict",
        lq_tune_verdict_name(entry->verdict));
    if (entry->verdict == LQ_TUNE_FAILED) {
        json_object_set_new(one, "reason", json_string(entry->reason));
        return one;
    }
    json_object_update_new(
        one, json_pack("{s:f, s:f, s:f, s:f, s:b}", "one_core_ms", entry->times.one_ms,
                       "all_cores_ms", entry->times.all_ms, "side_by_side_fps",
                       entry->times.side_fps, "score_ms", lq_tune_score(&entry->times), "taken",
                       index == race->best));
    json_object_set_new(one, "iou_own",
                        entry->iou < 0 ? json_null() : json_real(entry->iou));
    json_object_set_new(one, "iou_f32",
                        entry->iou_float < 0 ? json_null() : json_real(entry->iou_float));
    return one;
}

// Prints "one" if a single frame uses one core, else "all".
static void print_json(const struct lq_tune_race *race, const struct lq_tune_choice *choice,
                       double behind)
{
    json_t *all = json_array();
    for (int i = 0; i < race->count; i++)
        json_array_append_new(all, entry_json(race, i));
    json_t *chosen = json_pack("{s:s, s:s, s:s, s:s}", "file",
                               lq_tune_path(race->config, &choice->candidate), "precision",
                               lq_precision_name(choice->candidate.precision), "isa",
                               choice->candidate.isa, "threads", choice->one_core ? "one" : "all");
    // "answer" is what 1.0.0-rc1 calls it; one version keeps both.
    json_t *root = json_pack("{s:o, s:O, s:o}", "candidates", all, "answer", chosen, "choice",
                             chosen);
    if (behind > 0)
        json_object_set_new(root, "kept_is_behind", json_real(behind - 1));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7));
    putchar('\n');
    json_decref(root);
}

// Computes the stored choice's time divided by the best one's; NOT_FOUND if none is stored.
static int compare_kept(const struct lq_tune_race *race, const char *cache, uint64_t key,
                        double *behind, struct lq_error *err)
{
    struct lq_tune_choice kept;
    if (!lq_tune_choice_read(cache, key, &kept))
        return lq_fail(err, LQ_ERR_NOT_FOUND, "no result is saved for this model on this machine; "
                                              "run `lacquer tune` first");
    for (int i = 0; i < race->count; i++) {
        const struct lq_tune_entry *entry = &race->entries[i];
        if (memcmp(&entry->candidate, &kept.candidate, sizeof kept.candidate) != 0)
            continue;
        *behind = lq_tune_score(&entry->times) / lq_tune_score(&race->entries[race->best].times);
        return entry->verdict >= LQ_TUNE_FINE
                   ? LQ_OK
                   : lq_fail(err, LQ_ERR_MODEL, "the saved result cannot be used any more: %s",
                             lq_tune_verdict_name(entry->verdict));
    }
    return lq_fail(err, LQ_ERR_NOT_FOUND, "the saved result is no longer among the candidates; run "
                                          "`lacquer tune` again");
}

static int conclude(const struct tune *tune, const struct lq_tune_race *race, const char *cache,
                    uint64_t key, struct lq_error *err)
{
    struct lq_tune_choice choice;
    double behind = 0;
    lq_tune_race_choice(race, &choice);
    int status = tune->check ? compare_kept(race, cache, key, &behind, err)
                             : lq_tune_choice_write(cache, key, &choice, err);
    if (tune->json)
        print_json(race, &choice, behind);
    else
        print_table(tune, race);
    if (status != LQ_OK || tune->json)
        return status == LQ_OK && behind > BEHIND_MAX
                   ? lq_fail(err, LQ_ERR_ENGINE, "the stored choice is %.0f %% behind",
                             behind * 100 - 100)
                   : status;
    if (!tune->check) {
        printf("Kept: `serve` and `apply` compute so from their next start.\n");
        return LQ_OK;
    }
    printf("The stored choice takes %.1f %% longer than the best.\n", behind * 100 - 100);
    return behind <= BEHIND_MAX ? LQ_OK
                                : lq_fail(err, LQ_ERR_ENGINE, "that is more than 5 %%; run "
                                          "`lacquer tune` again");
}

static int run(struct tune *tune, struct lq_error *err)
{
    struct lq_tune_pictures pictures;
    struct lq_tune_race race = {.config = &tune->model, .pictures = &pictures, .step = show_step};
    const char *cache = lq_cli_model_cache(&tune->model);
    lq_cli_model_find_float(&tune->model);
    uint64_t key = lq_tune_key(&tune->model);
    if (!cache && !tune->check)
        return lq_fail(err, LQ_ERR_IO, "cannot save the result: '%.200s' cannot be written; name "
                                       "another folder with --cache-dir",
                       tune->model.options.cache_dir ? tune->model.options.cache_dir : "");
    int status = lq_tune_pictures_read(&pictures, tune->images, err);
    if (status == LQ_OK && pictures.left_out > 0)
        fprintf(stderr, "lacquer: the first %d pictures of '%s' are taken, %d are left out\n",
                pictures.count, tune->images, pictures.left_out);
    if (status == LQ_OK)
        status = lq_cli_model_check(&tune->model, NULL, NULL, err);
    if (status == LQ_OK)
        status = lq_tune_race_run(&race, err);
    if (status == LQ_OK)
        status = conclude(tune, &race, cache, key, err);
    lq_tune_pictures_release(&pictures);
    return status;
}

static int run_command(int argc, char **argv)
{
    struct tune tune = {0};
    struct lq_error err;
    lq_cli_model_init(&tune.model);
    lq_cli_parse(&lq_tune_command.line, argc, argv, &tune);
    return run(&tune, &err) == LQ_OK ? LQ_EXIT_OK : lq_cli_error(&err);
}

const struct lq_command lq_tune_command = {
    "tune", "find the fastest way to run a model on this machine", run_command,
    {.options = options, .args_doc = "[MODEL]",
     .words = {1, {offsetof(struct tune, model.path)}, "one model at a time"},
     .doc = "Measures which model file, precision, instruction set and number of cores per "
            "frame run a model (default: Lacquer's own) fastest on this machine. A candidate "
            "that does not find the same nails as the network in f32 (intersection over union "
            "below 0.995) is rejected. The result is saved for this processor, version and "
            "model; `serve` and `apply` then use it, except with --precision, --threads or "
            "LACQUER_TUNE=off."}};
