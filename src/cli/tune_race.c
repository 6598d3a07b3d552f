#include "cli/tune_race.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The leading candidates are measured again, so that other load on this machine does not decide …
enum { FINALISTS = 3 };
// … if their score is within this factor of the leader's.
#define CLOSE_BY 1.25
// A later candidate, which changes more, wins only if it is faster by more than chance.
#define BETTER_BY 0.98
// Several cores per frame must save at least a tenth of the time.
#define WORTH_ALL 0.9

const char *lq_tune_verdict_name(enum lq_tune_verdict verdict)
{
    static const char *const names[] = {"failed", "differs", "unproven", "fine", "reference"};
    return names[verdict];
}

static double alone_ms(const struct lq_tune_times *times)
{
    return fmin(times->one_ms, times->all_ms);
}

double lq_tune_score(const struct lq_tune_times *times)
{
    return times->side_fps > 0 ? sqrt(alone_ms(times) * 1000 / times->side_fps) : HUGE_VAL;
}

static bool is_usable(const struct lq_tune_entry *entry)
{
    return entry->verdict == LQ_TUNE_FINE || entry->verdict == LQ_TUNE_REFERENCE;
}

// The fastest candidate so far, without those marked in `left_out`; -1: none.
static int best_of(const struct lq_tune_race *race, const bool *left_out)
{
    int best = -1;
    for (int i = 0; i < race->count; i++) {
        if (!is_usable(&race->entries[i]) || (left_out && left_out[i]))
            continue;
        if (best < 0 || lq_tune_score(&race->entries[i].times) <
                            lq_tune_score(&race->entries[best].times) * BETTER_BY)
            best = i;
    }
    return best;
}

// ---- one candidate

struct references {
    int named_fd, float_fd; // masks of each file's reference
};

static int first_of(const struct lq_tune_race *race, bool floats)
{
    for (int i = 0; i < race->count; i++)
        if (race->entries[i].candidate.floats == floats)
            return i;
    return -1;
}

// The user chose the int8 file of a pair, whatever its distance from f32 (ours was measured against
// drawn masks). So a candidate of the float file that is at least as close to f32 is accepted.
static double least_iou(const struct lq_tune_race *race, const struct lq_tune_entry *entry)
{
    double shipped = race->entries[first_of(race, false)].iou_float;
    return race->here.pair && entry->candidate.floats && shipped >= 0
               ? fmin(shipped, LQ_TUNE_IOU_MIN)
               : LQ_TUNE_IOU_MIN;
}

static enum lq_tune_verdict judge(const struct lq_tune_race *race,
                                  const struct lq_tune_entry *entry)
{
    return entry->iou < 0                        ? LQ_TUNE_UNPROVEN
           : entry->iou < least_iou(race, entry) ? LQ_TUNE_DIFFERS
                                                 : LQ_TUNE_FINE;
}

static struct lq_tune_trial trial_of(const struct lq_tune_race *race,
                                     const struct lq_tune_candidate *candidate)
{
    return (struct lq_tune_trial){.config = race->config, .candidate = *candidate,
                                  .pictures = race->pictures, .enter = race->enter,
                                  .context = race->context};
}

static void try_entry(struct lq_tune_race *race, struct lq_tune_entry *entry, bool reference,
                      const struct references *references)
{
    struct lq_error why = {0};
    struct lq_tune_trial trial = trial_of(race, &entry->candidate);
    trial.masks = reference ? LQ_TUNE_MASKS_WRITE : LQ_TUNE_MASKS_COMPARE;
    trial.masks_fd = entry->candidate.floats ? references->float_fd : references->named_fd;
    trial.float_fd = race->here.pair ? references->float_fd : references->named_fd;
    entry->iou = entry->iou_float = -1;
    if (lq_tune_trial_run(&trial, &why) != LQ_OK) {
        entry->verdict = LQ_TUNE_FAILED;
        snprintf(entry->reason, sizeof entry->reason, "%.255s", why.text);
        return;
    }
    entry->times = trial.times;
    entry->iou = trial.iou;
    entry->iou_float = trial.iou_float;
    entry->verdict = reference ? LQ_TUNE_REFERENCE : judge(race, entry);
}

// ---- all of them

static void report_progress(const struct lq_tune_race *race, int done)
{
    if (race->step)
        race->step(race, done);
}

// Tries a reference. If it fails, the file's other candidates have nothing to be compared with.
static int try_reference(struct lq_tune_race *race, bool floats,
                         const struct references *references, struct lq_error *err)
{
    struct lq_tune_entry *entry = &race->entries[first_of(race, floats)];
    try_entry(race, entry, true, references);
    if (entry->verdict != LQ_TUNE_FAILED)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_MODEL, "%s", entry->reason);
}

// The float file of a user's pair cannot be used: the int8 file is then judged as a single file.
static void give_up_floats(struct lq_tune_race *race, const struct lq_error *why)
{
    race->here.pair = false;
    for (int i = 0; i < race->count; i++)
        if (race->entries[i].candidate.floats) {
            race->entries[i].verdict = LQ_TUNE_FAILED;
            snprintf(race->entries[i].reason, sizeof race->entries[i].reason, "%.255s", why->text);
        }
}

// Tries references first, beginning with the f32 network's: the others are compared with them.
static int try_all(struct lq_tune_race *race, const struct references *references,
                   struct lq_error *err)
{
    int done = 0, status = LQ_OK, floats = race->here.pair ? first_of(race, true) : -1;
    if (floats >= 0) {
        report_progress(race, done++);
        status = try_reference(race, true, references, err);
        if (status != LQ_OK && race->here.ours)
            return status;
        if (status != LQ_OK)
            give_up_floats(race, err);
    }
    int named = first_of(race, false);
    report_progress(race, done++);
    status = try_reference(race, false, references, err);
    for (int i = 0; i < race->count && status == LQ_OK; i++) {
        bool lost = race->entries[i].candidate.floats && !race->here.pair;
        if (i == floats || i == named || lost)
            continue;
        report_progress(race, done++);
        try_entry(race, &race->entries[i], false, references);
    }
    return status;
}

// Keeps the better of the two times.
static void try_again(struct lq_tune_race *race, struct lq_tune_entry *entry)
{
    struct lq_error why;
    struct lq_tune_trial trial = trial_of(race, &entry->candidate);
    struct lq_tune_times *times = &entry->times;
    if (lq_tune_trial_run(&trial, &why) != LQ_OK)
        return; // the first measurement stays
    times->one_ms = fmin(times->one_ms, trial.times.one_ms);
    times->all_ms = fmin(times->all_ms, trial.times.all_ms);
    times->side_fps = fmax(times->side_fps, trial.times.side_fps);
}

static void run_final(struct lq_tune_race *race)
{
    bool done[LQ_TUNE_CANDIDATES_MAX] = {false};
    int finalists[FINALISTS], count = 0;
    for (int next; count < FINALISTS && (next = best_of(race, done)) >= 0;) {
        if (count > 0 && lq_tune_score(&race->entries[next].times) >
                             lq_tune_score(&race->entries[finalists[0]].times) * CLOSE_BY)
            break;
        done[next] = true;
        finalists[count++] = next;
    }
    for (int i = 0; i < count && count > 1; i++) {
        report_progress(race, race->count + i);
        try_again(race, &race->entries[finalists[i]]);
    }
    race->best = best_of(race, NULL);
}

int lq_tune_race_run(struct lq_tune_race *race, struct lq_error *err)
{
    struct lq_tune_candidate all[LQ_TUNE_CANDIDATES_MAX];
    const struct references references = {memfd_create("masks", MFD_CLOEXEC),
                                          memfd_create("masks-float", MFD_CLOEXEC)};
    const char *path = race->config->path ? race->config->path : lq_model_default_path();
    lq_tune_case_here(&race->here, path, !race->config->path);
    race->here.pair |= race->here.quantised && race->config->float_path[0];
    race->count = lq_tune_candidates(&race->here, all);
    for (int i = 0; i < race->count; i++)
        race->entries[i] = (struct lq_tune_entry){.candidate = all[i]};
    int status = references.named_fd < 0 || references.float_fd < 0
                     ? lq_fail(err, LQ_ERR_IO, "no file in memory: %s", strerror(errno))
                     : try_all(race, &references, err);
    if (status == LQ_OK)
        run_final(race);
    if (references.named_fd >= 0)
        close(references.named_fd);
    if (references.float_fd >= 0)
        close(references.float_fd);
    return status;
}

void lq_tune_race_choice(const struct lq_tune_race *race, struct lq_tune_choice *choice)
{
    const struct lq_tune_entry *best = &race->entries[race->best];
    *choice = (struct lq_tune_choice){
        .candidate = best->candidate,
        .one_core = best->times.all_ms > best->times.one_ms * WORTH_ALL,
        .alone_ms = alone_ms(&best->times),
        .side_fps = best->times.side_fps,
    };
}
