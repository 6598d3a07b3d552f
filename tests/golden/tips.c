// How often the tip's side and the finger are told, and told right, on rendered hands whose meta
// says both: those of this folder one by one, then the video of tests/e2e with and without
// tracking. A tip is right when the axis points within 60 degrees of the true one; nails of less
// than 50 pixels are not counted. All of that twice: by the looks of the nails, and by the hands
// behind them (nail/hand.h).
// Usage: tips [FOLDER]    FOLDER: images/S.jpg, masks/S.png and meta/S.json by train/synth.
#include "golden/hand.h"
#include "nail/track.h"

static struct lq_hand_finder *hands; // NULL: by the looks of the nails alone

static const double TIP_RIGHT_MIN = 0.95, FINGER_RIGHT_MIN = 0.90;
static const double TIP_TOLD_MIN = 0.75, FINGER_TOLD_MIN = 0.60;
static const int64_t AREA_MIN = 50;

struct tally {
    int nails, tips, tips_right, fingers, fingers_right;
};

static const json_t *nearest(const json_t *truth, const struct lq_nail *nail)
{
    const json_t *best = NULL, *each;
    double least = 0.5 * (double)fmaxf(nail->length, nail->width);
    size_t k;
    json_array_foreach(truth, k, each) {
        const json_t *box = json_object_get(each, "box");
        double x0 = json_number_value(json_array_get(box, 0));
        double y0 = json_number_value(json_array_get(box, 1));
        double x1 = json_number_value(json_array_get(box, 2));
        double y1 = json_number_value(json_array_get(box, 3));
        double off = hypot((x0 + x1) / 2 - (double)nail->center_x,
                           (y0 + y1) / 2 - (double)nail->center_y);
        if (json_integer_value(json_object_get(each, "pixels")) > 0 && off < least) {
            least = off;
            best = each;
        }
    }
    return best;
}

static void count(struct tally *tally, const struct lq_nails *nails, const json_t *truth)
{
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        const json_t *true_nail = nearest(truth, nail);
        if (!true_nail || nail->area < AREA_MIN)
            continue;
        const json_t *axis = json_object_get(true_nail, "axis");
        double along = json_number_value(json_array_get(axis, 0)) * (double)nail->axis_x +
                       json_number_value(json_array_get(axis, 1)) * (double)nail->axis_y;
        const char *finger = json_string_value(json_object_get(true_nail, "finger"));
        bool named = nail->finger != LQ_FINGER_UNKNOWN;
        tally->nails++;
        tally->tips += nail->tip_known;
        tally->tips_right += nail->tip_known && along > 0.5;
        tally->fingers += named;
        tally->fingers_right += named && finger &&
                                strcmp(lq_finger_name(nail->finger), finger) == 0;
    }
}

static int report(const char *name, const struct tally *tally, bool judged)
{
    double tips = fmax(tally->tips, 1), fingers = fmax(tally->fingers, 1);
    double nails = fmax(tally->nails, 1);
    printf("%-16s %5d nails: tip told on %5.1f %%, right on %5.1f %%; finger told on %5.1f %%, "
           "right on %5.1f %%\n", name, tally->nails, 100 * tally->tips / nails,
           100 * tally->tips_right / tips, 100 * tally->fingers / nails,
           100 * tally->fingers_right / fingers);
    return judged && !(tally->tips_right / tips >= TIP_RIGHT_MIN &&
                       tally->fingers_right / fingers >= FINGER_RIGHT_MIN &&
                       tally->tips / nails >= TIP_TOLD_MIN &&
                       tally->fingers / nails >= FINGER_TOLD_MIN);
}

static int add_picture(struct stage *stage, const struct hand_files *files, void *tally)
{
    json_t *root;
    int status = find_files(stage, files, 0, &root);
    if (status == LQ_OK && hands)
        status = lq_hand_estimate(hands, &stage->hand, &stage->nails, NULL, &stage->err);
    if (status == LQ_OK)
        count(tally, &stage->nails, json_object_get(root, "nails"));
    json_decref(root);
    return status;
}

static int golden_hands(struct stage *stage, struct tally *tally)
{
    static const char *const names[] = {"very-light", "light", "intermediate", "tan", "brown",
                                        "dark", "very-dark", "polished", "large"};
    int status = LQ_OK;
    for (size_t h = 0; status == LQ_OK && h < LQ_COUNT(names); h++) {
        struct hand_files files = golden_files(names[h]);
        status = add_picture(stage, &files, tally);
    }
    return status;
}

// The length of the JPEG at the start of `data`, by its end-of-image marker.
static size_t jpeg_length(const uint8_t *data, size_t size)
{
    for (size_t i = 2; i + 1 < size; i++)
        if (data[i] == 0xff && data[i + 1] == 0xd9)
            return i + 2;
    return 0;
}

static int film(struct stage *stage, struct lq_tracker *tracker, struct tally *tally)
{
    struct lq_buf all;
    struct lq_tracked tracked;
    lq_buf_init(&all, 64 << 20);
    lq_tracked_init(&tracked);
    json_t *root = json_load_file("tests/e2e/hand-masks/frames.json", 0, NULL);
    const json_t *frames = json_object_get(root, "frames");
    int status = root ? lq_file_read("tests/e2e/hand.mjpeg", &all, &stage->err) : LQ_ERR_IO;
    size_t at = 0;
    for (size_t k = 0; status == LQ_OK && k < json_array_size(frames); k++) {
        char mask[64];
        size_t length = jpeg_length(all.data + at, all.len - at);
        const struct lq_picture_file file = {all.data + at, length, LQ_PICTURE_PIXELS_MAX};
        status = lq_codec_decode(stage->codec, &file, &stage->hand_pixels, &stage->hand, NULL,
                                 &stage->err);
        at += length;
        snprintf(mask, sizeof(mask), "tests/e2e/hand-masks/%04zu.png", k);
        if (status == LQ_OK)
            status = find_nails(stage, mask, 2);
        if (status == LQ_OK && tracker && hands)
            status = lq_hand_follow(hands, lq_tracker_hands(tracker), &stage->hand, &stage->nails,
                                    k * 33333, &stage->err);
        if (status == LQ_OK && tracker)
            status = lq_tracker_update(tracker, &stage->hand, &stage->nails, k * 33333, true,
                                       &tracked);
        if (status == LQ_OK)
            count(tally, tracker ? &tracked.nails : &stage->nails,
                  json_object_get(json_array_get(frames, k), "nails"));
    }
    json_decref(root);
    lq_tracked_release(&tracked);
    lq_buf_release(&all);
    return status;
}

static int judge_all(struct stage *stage, const char *folder, int *failed)
{
    struct tally pictures = {0}, frames = {0}, tracked = {0};
    struct lq_tracker *tracker = NULL;
    if (folder) {
        int status = each_of_folder(stage, folder, add_picture, &pictures);
        report(folder, &pictures, false);
        return status;
    }
    int status = golden_hands(stage, &pictures);
    if (status == LQ_OK && !hands)
        status = film(stage, NULL, &frames);
    if (status == LQ_OK)
        status = lq_tracker_new(&tracker);
    if (status == LQ_OK)
        status = film(stage, tracker, &tracked);
    *failed += report("pictures", &pictures, true) + report("film, tracked", &tracked, true);
    if (!hands)
        *failed += report("film", &frames, true);
    lq_tracker_free(tracker);
    return status;
}

int main(int argc, char **argv)
{
    static struct stage stage;
    const struct lq_engine_options plain = {.threads = 0};
    const char *folder = argc > 1 ? argv[1] : NULL;
    struct lq_landmarks *landmarks = NULL;
    int status = stage_init(&stage), failed = 0;
    if (status == LQ_OK)
        status = judge_all(&stage, folder, &failed);
    if (status == LQ_OK)
        status = lq_landmarks_open(&landmarks, "models/hand.onnx", &plain, &stage.err);
    if (status == LQ_OK)
        status = lq_hand_finder_new(&hands, landmarks, &stage.err);
    if (status == LQ_OK) {
        puts("by the hands behind them:");
        status = judge_all(&stage, folder, &failed);
    }
    if (status != LQ_OK)
        fprintf(stderr, "%s\n", stage.err.text);
    lq_hand_finder_free(hands);
    lq_landmarks_close(landmarks);
    stage_release(&stage);
    return failed || status != LQ_OK;
}
