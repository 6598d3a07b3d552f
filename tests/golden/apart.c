// Fingers side by side and folded fingers: every nail is found once, as the renderer counts them,
// and lies as it says, whatever the fineness of the grid. Two golden hands are judged: `closed`,
// whose index, middle and ring nails are one blob in the mask, and `folded`, with stubby nails and
// a thumb's tip that touches the index's nail. With a FOLDER (images/S.jpg, masks/S.png and
// meta/S.json by train/synth) its pictures are measured.
// Usage: apart [FOLDER]    Threads: one.
#include "golden/hand.h"

static const double OFF_MAX = 35.0;   // degrees between a nail's axis and the true one, either way
static const int64_t AREA_MIN = 100, POINTS_MIN = 12; // pixels, grid points: what must be found
static const double SHARE_MIN = 0.6;  // of the true nail's pixels, and no more than 1 / this

struct tally {
    int true_nails, found, missed, false_nails, off, turned;
    double worst;
};

static double number(const json_t *object, const char *key, size_t i)
{
    return json_number_value(json_array_get(json_object_get(object, key), i));
}

// Of the nails found, the one about whose middle the true nail lies; -1: none.
static int find_true(const struct lq_nails *nails, const json_t *truth, bool *taken)
{
    int best = -1;
    double x = (number(truth, "box", 0) + number(truth, "box", 2)) / 2;
    double y = (number(truth, "box", 1) + number(truth, "box", 3)) / 2, least = 1e9;
    double pixels = json_number_value(json_object_get(truth, "pixels"));
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        double off = hypot(x - (double)nail->center_x, y - (double)nail->center_y);
        double share = (double)nail->area / pixels;
        if (!taken[i] && off < least && off < 0.5 * (double)nail->width && share > SHARE_MIN &&
            share < 1.0 / SHARE_MIN) {
            least = off;
            best = i;
        }
    }
    return best;
}

static void judge(struct tally *tally, const struct lq_nail *nail, const json_t *truth)
{
    double along = number(truth, "axis", 0) * (double)nail->axis_x +
                   number(truth, "axis", 1) * (double)nail->axis_y;
    double off = acos(fmin(fabs(along), 1.0)) * 57.29578;
    tally->worst = fmax(tally->worst, off);
    tally->off += off > OFF_MAX;
    tally->turned += nail->tip_known && along < 0.0;
}

static void compare_nails(struct tally *tally, const struct lq_nails *nails, const json_t *truths,
                          int cell)
{
    int64_t least = POINTS_MIN * cell * cell > AREA_MIN ? POINTS_MIN * cell * cell : AREA_MIN;
    bool taken[LQ_NAILS_MAX] = {0};
    const json_t *truth;
    size_t k;
    json_array_foreach(truths, k, truth) {
        int64_t pixels = json_integer_value(json_object_get(truth, "pixels"));
        int i = find_true(nails, truth, taken);
        if (i >= 0) {
            taken[i] = true;
            judge(tally, &nails->items[i], truth);
        }
        tally->true_nails += i >= 0 || pixels >= least;
        tally->found += i >= 0;
        tally->missed += i < 0 && pixels >= least;
    }
    for (int i = 0; i < nails->count; i++)
        tally->false_nails += !taken[i] && nails->items[i].area >= least;
}

static int one(struct stage *stage, const struct hand_files *files, int cell, struct tally *tally)
{
    json_t *root;
    int status = find_files(stage, files, cell, &root);
    if (status == LQ_OK)
        compare_nails(tally, &stage->nails, json_object_get(root, "nails"), cell);
    json_decref(root);
    return status;
}

// What may be turned round: the thumb of `folded`, which points at the others.
static const int TURNED_MAX = 1;

static bool report(const char *name, int cell, const struct tally *tally)
{
    printf("%-24s cell %d: %3d nails, %d missed, %d false, %d axes off by more than %.0f degrees "
           "(worst %.0f), %d turned round\n", name, cell, tally->true_nails, tally->missed,
           tally->false_nails, tally->off, OFF_MAX, tally->worst, tally->turned);
    return tally->true_nails > 0 && !tally->missed && !tally->false_nails && !tally->off &&
           tally->turned <= TURNED_MAX;
}

struct folder {
    int cell;
    struct tally all;
};

static int add_picture(struct stage *stage, const struct hand_files *files, void *context)
{
    struct folder *folder = context;
    struct tally tally = {0}, *all = &folder->all;
    int status = one(stage, files, folder->cell, &tally);
    report(strrchr(files->meta, '/') + 1, folder->cell, &tally);
    all->true_nails += tally.true_nails;
    all->found += tally.found;
    all->missed += tally.missed;
    all->false_nails += tally.false_nails;
    all->off += tally.off;
    all->turned += tally.turned;
    all->worst = fmax(all->worst, tally.worst);
    return status;
}

static int measure_folder(struct stage *stage, const char *path, int cell)
{
    struct folder folder = {.cell = cell};
    int status = each_of_folder(stage, path, add_picture, &folder);
    report("all", cell, &folder.all);
    return status;
}

static int golden_hands(struct stage *stage, bool *good)
{
    static const char *const hands[] = {"closed", "folded"};
    int status = LQ_OK;
    for (size_t h = 0; status == LQ_OK && h < LQ_COUNT(hands); h++)
        for (int cell = 2; status == LQ_OK && cell <= 4; cell++) {
            struct tally tally = {0};
            struct hand_files files = golden_files(hands[h]);
            status = one(stage, &files, cell, &tally);
            if (status == LQ_OK)
                *good &= report(hands[h], cell, &tally);
        }
    return status;
}

int main(int argc, char **argv)
{
    static struct stage stage;
    bool good = true;
    int status = stage_init(&stage);
    if (status == LQ_OK && argc > 1)
        for (int cell = 2; status == LQ_OK && cell <= 4; cell++)
            status = measure_folder(&stage, argv[1], cell);
    else if (status == LQ_OK)
        status = golden_hands(&stage, &good);
    if (status != LQ_OK)
        fprintf(stderr, "%s\n", stage.err.text);
    stage_release(&stage);
    return status == LQ_OK && good ? 0 : 1;
}
