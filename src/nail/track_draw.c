// A tracked nail's mask: its last outline moved with the picture, blended with the detected one.
#include <math.h>
#include <string.h>

#include "nail/tracks.h"

static const float KEEP_S = 0.25f;          // an outline's memory
static const float MATCH_GOOD = 0.7f;       // of lq_motion.match; above LQ_TRACK_MATCH_MIN
static const float AGREE_MIN = 0.3f, AGREE_GOOD = 0.6f;  // of lq_blend_agreement
static const float COARSE_SHARE = 0.25f;    // weight of an outline from a whole frame after one
                                            // from a region
static const float FIRST_KEEP = 0.3f;       // of an outline from whole frames, at the first one
                                            // from a region

struct lq_shown_mask lq_track_shown_mask(const struct lq_tracker *tracker,
                                         const struct lq_track *track)
{
    const struct lq_nail *nail = &track->nail;
    return (struct lq_shown_mask){nail->crop,
                                  nail->alpha_stride,
                                  tracker->alpha.data + track->alpha_at,
                                  nail->center_x,
                                  nail->center_y};
}

static float ramp(float value, float from, float to)
{
    float t = (value - from) / (to - from);
    return t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
}

// The weight of a detected outline: 1 if the last one cannot be trusted any more.
static float share_of(const struct lq_track_update *update, const struct lq_track_step *step,
                      float agreement)
{
    const struct lq_track *track = &update->tracker->tracks[step->track];
    float since_s = (float)(update->time_us - track->found_us) * 1e-6f;
    float keep = expf(-since_s / KEEP_S) *
                 ramp(step->motion.match, LQ_TRACK_MATCH_MIN, MATCH_GOOD);
    if (!update->region && track->multiscale_us &&
        update->time_us - track->multiscale_us <= lq_track_hold_us(update->tracker))
        return COARSE_SHARE * (1.0f - keep);
    keep *= ramp(agreement, AGREE_MIN, AGREE_GOOD);
    if (update->region && !track->multiscale_us)
        keep *= FIRST_KEEP;
    float confidence = step->found->confidence / fmaxf(track->nail.confidence, 0.05f);
    return (1.0f - keep) * fminf(fmaxf(confidence, 0.3f), 1.0f);
}

void lq_track_copy_rows(const struct lq_nail *nail, const struct lq_pixel_box *box, uint8_t *out,
                        size_t stride)
{
    memset(out, 0, stride * (size_t)box->height);
    out += (size_t)(nail->crop.y - box->y) * stride + (size_t)(nail->crop.x - box->x);
    for (int y = 0; y < nail->crop.height; y++)
        memcpy(out + (size_t)y * stride, nail->alpha + (size_t)y * nail->alpha_stride,
               (size_t)nail->crop.width);
}

size_t lq_track_stride(const struct lq_track_step *step)
{
    return ((size_t)step->box.width + 15) & ~(size_t)15;
}

int lq_track_draw(struct lq_track_update *update, const struct lq_track_step *step, uint8_t *out)
{
    struct lq_tracker *tracker = update->tracker;
    const struct lq_pixel_box *box = &step->box;
    size_t stride = lq_track_stride(step), n = stride * (size_t)box->height;
    if (!step->moved) {
        lq_track_copy_rows(step->found, box, out, stride);
        return LQ_OK;
    }
    struct lq_shown_mask mask = lq_track_shown_mask(tracker, &tracker->tracks[step->track]);
    int status = lq_buf_resize(&tracker->scratch, 2 * n);
    if (status != LQ_OK)
        return status;
    uint8_t *moved = tracker->scratch.data, *found = moved + n;
    memset(moved, 0, n);
    lq_shown_mask_move(&mask, &step->motion, box, moved, stride);
    if (!step->found) {
        lq_blend(moved, moved, out, n, 0.0f, lq_blend_softening(&step->motion));
        return LQ_OK;
    }
    lq_track_copy_rows(step->found, box, found, stride);
    lq_blend(moved, found, out, n, share_of(update, step, lq_blend_agreement(moved, found, n)),
             lq_blend_softening(&step->motion));
    return LQ_OK;
}
