#include "paint/paint.h"

#include <math.h>
#include <stdlib.h>

#include "image/box.h"
#include "paint/accent.h"
#include "paint/extend.h"
#include "paint/finish.h"
#include "paint/noise.h"
#include "paint/scene.h"
#include "paint/transfer.h"

struct lq_painter {
    struct lq_buf planes;
    struct lq_buf covers;  // of an extended nail: the natural one, then the whole
    struct lq_buf spans;   // of the nail's rows
    struct lq_extent extents[LQ_NAILS_MAX];
    bool extended[LQ_NAILS_MAX];
    enum lq_finger worn[LQ_NAILS_MAX]; // which finger's polish each nail wears
    struct lq_scene scene;
    struct lq_pixel_box parts[2 * LQ_NAILS_MAX]; // painted, or in shadow
    int part_count;
};

// Planes of one float per pixel, and of two; rows: the painted ones, and those of the finish.
enum { PLANES = 9, PAIRS = 2, ROWS = 3 + LQ_FINISH_ROWS };

// Rows are processed in whole vectors, so that no kernel has a remainder. Results beyond a row's
// end (from whatever the planes contain there) are never written to the picture.
enum { LANES = 16 };

// Width in pixels of an edge in a sharp picture. On a softer picture, highlights are blurred alike.
static const float SHARP_EDGE = 2.0f;

int lq_painter_new(struct lq_painter **painter)
{
    *painter = calloc(1, sizeof(**painter));
    if (!*painter)
        return LQ_ERR_MEMORY;
    lq_buf_init(&(*painter)->planes,
                (size_t)LQ_PICTURE_PIXELS_MAX * (PLANES + 2 * PAIRS + 1) * sizeof(float));
    lq_buf_init(&(*painter)->covers, (size_t)LQ_PICTURE_PIXELS_MAX * 2);
    lq_buf_init(&(*painter)->spans, (size_t)LQ_PICTURE_PIXELS_MAX * sizeof(struct lq_span));
    lq_transfer_init();
    return LQ_OK;
}

void lq_painter_free(struct lq_painter *painter)
{
    if (!painter)
        return;
    lq_buf_release(&painter->planes);
    lq_buf_release(&painter->covers);
    lq_buf_release(&painter->spans);
    free(painter);
}

static int check(const struct lq_image *picture, const struct lq_nails *nails,
                 const struct lq_look *look, struct lq_error *err)
{
    if (picture->channels < 3 || (picture->depth != 8 && picture->depth != 16))
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot paint: the picture is not RGB or RGBA");
    for (int i = LQ_FINGER_UNKNOWN; i < LQ_FINGER_COUNT; i++) {
        int finish = (int)lq_look_polish(look, (enum lq_finger)i)->finish;
        if ((unsigned)finish >= LQ_FINISH_COUNT)
            return lq_fail(err, LQ_ERR_ARGUMENT, "cannot paint: unknown finish %d", finish);
    }
    for (int i = 0; i < nails->count; i++) {
        const struct lq_pixel_box *crop = &nails->items[i].crop;
        if (crop->x < 0 || crop->y < 0 || crop->width < 1 || crop->height < 1 ||
            crop->width > picture->width - crop->x || crop->height > picture->height - crop->y)
            return lq_fail(err, LQ_ERR_ARGUMENT, "cannot paint: nail %d leaves the picture",
                           nails->items[i].id);
    }
    return LQ_OK;
}

static int make_room(struct lq_painter *painter, const struct lq_nail *nail)
{
    size_t width = (size_t)nail->crop.width, height = (size_t)nail->crop.height;
    size_t floats = ((width * height + 15) & ~(size_t)15) * (PLANES + 2 * PAIRS) +
                    (width + LANES) * ROWS + (size_t)lq_box_scratch(nail->crop.width, 2);
    int status = lq_buf_resize(&painter->spans, height * sizeof(struct lq_span));
    return status == LQ_OK ? lq_buf_resize(&painter->planes, floats * sizeof(float)) : status;
}

static struct lq_shade cut_planes(struct lq_painter *painter, const struct lq_nail *nail,
                                  bool extended, float **rows)
{
    size_t n = ((size_t)nail->crop.width * (size_t)nail->crop.height + 15) & ~(size_t)15;
    float *p = (float *)(void *)painter->planes.data;
    struct lq_span *spans = (struct lq_span *)(void *)painter->spans.data;
    lq_span_all(nail, spans);
    *rows = p + n * (PLANES + 2 * PAIRS) + (size_t)lq_box_scratch(nail->crop.width, 2);
    return (struct lq_shade){
        .red = p, .green = p + n, .blue = p + 2 * n, .cover = p + 3 * n, .slow = p + 4 * n,
        .detail = p + 5 * n, .shine = p + 6 * n, .rim = p + 7 * n,
        .own = extended ? p + 8 * n : p + 3 * n, .pairs = p + 9 * n, .means = p + 11 * n,
        .scratch = p + 13 * n, .spans = spans,
    };
}

// If the tip's end is unknown, leaves out what needs it, rather than painting it at the cuticle.
static void leave_out_tip(struct lq_coat *coat)
{
    coat->french.on = coat->ombre.on = false;
    coat->number[LQ_EFFECT_OFFSET] = 0.5f;
}

// Prepares a polish for this nail and its light.
static struct lq_coat mix_coat(const struct lq_image *picture, const struct lq_polish *polish,
                               const struct lq_scene *scene, int index,
                               const struct lq_nail *nail, float end)
{
    const struct lq_light *light = &scene->light;
    const struct lq_shade_fit *fit = &scene->fits[index];
    float relative = lq_scene_relative(scene, fit);
    // A nail of a few pixels (far away, or seen from the side) cannot show a highlight.
    float sheen = polish->sheen ? lq_clamp01((nail->width - 5.0f) * 0.1f) : 0.0f;
    // The axis of a nail as wide as long is unreliable: a rounder highlight suits any axis.
    float width = fmaxf(nail->width, 1.0f), aspect = nail->length / width;
    float high = (float)picture->height;
    float x = (nail->center_x - 0.5f * (float)picture->width) / high;
    float y = nail->center_y / high - 0.5f;
    float away_u = x * nail->axis_x + y * nail->axis_y;
    float away_w = y * nail->axis_x - x * nail->axis_y;
    // The lamp is near, so its direction changes with the nail's position; and the nail's own
    // shading shows where its light comes from.
    float own_w = fminf(fmaxf(fit->c[2], -0.6f), 0.6f);
    struct lq_coat coat = {
        .kept = sheen,
        .added = sheen,
        .sun_w = 0.75f * (light->dir_x * -nail->axis_y + light->dir_y * nail->axis_x) -
                 0.40f * away_w + 0.30f * own_w,
        .sun_u = 0.30f * (light->dir_x * nail->axis_x + light->dir_y * nail->axis_y) -
                 0.15f * away_u,
        .axis_x = nail->axis_x,
        .axis_y = nail->axis_y,
        .away_u = away_u,
        .away_w = away_w,
        .surround = &scene->surround,
        .outlook = lq_outlook_of(picture, nail->center_x, nail->center_y, nail->axis_x,
                                 nail->axis_y),
        .stretch = aspect < 1.35f ? 1.0f + 2.0f * (1.35f - aspect) : 1.0f,
        .aspect = aspect,
        .pixel = 2.0f / width,
        .blur = fmaxf(nail->edge - SHARP_EDGE, 0.0f) * 2.0f / width,
        .cuticle = nail->tip_known ? 1.0f : 0.0f,
        .whole_u = 2.0f / (end + 1.0f),
        .whole_u0 = 2.0f / (end + 1.0f) - 1.0f,
    };
    for (int k = 0; k < 3; k++) {
        coat.light[k] = light->exposure * light->tint[k] * relative;
        coat.bed[k] = fit->bed[k];
    }
    lq_coat_mix(&coat, polish, width);
    if (!nail->tip_known)
        leave_out_tip(&coat);
    return coat;
}

static void paint_nail(const struct lq_shade *shade, const struct lq_coat *coat,
                       struct lq_image *picture, const struct lq_nail *nail, float *rows)
{
    struct lq_nail_map map = lq_nail_map_of(nail);
    size_t width = (size_t)nail->crop.width;
    size_t step = width + LANES;
    float *red = rows, *green = rows + step, *blue = rows + 2 * step, *scratch = rows + 3 * step;
    for (int j = 0; j < nail->crop.height; j++) {
        const uint8_t *alpha = nail->alpha + (size_t)j * nail->alpha_stride;
        struct lq_span span = shade->spans[j];
        size_t at = (size_t)j * width + (size_t)span.from;
        float x = (float)(nail->crop.x + span.from) + 0.5f, y = (float)(nail->crop.y + j) + 0.5f;
        struct lq_coat_row row = {
            shade->red + at, shade->green + at, shade->blue + at, shade->cover + at,
            shade->slow + at, shade->detail + at, shade->shine + at, shade->rim + at,
            lq_nail_row_at(&map, x, y, (span.count + LANES - 1) & ~(LANES - 1)),
            shade->own == shade->cover ? NULL : shade->own + at};
        if (span.count == 0)
            continue;
        lq_finish_row(coat, &row, scratch, red, green, blue);
        lq_transfer_write(picture, nail->crop.x + span.from, nail->crop.y + j, alpha + span.from,
                          &(struct lq_rgb_row){red, green, blue, span.count});
    }
}

// Chooses and measures the nails to extend, and darkens the picture by their shadows before any
// polish is painted.
static void measure_extents(struct lq_painter *painter, struct lq_image *picture,
                            const struct lq_nails *nails, const struct lq_extension *extension)
{
    const struct lq_light *light = &painter->scene.light;
    bool chosen[LQ_NAILS_MAX];
    lq_extend_choose(nails, chosen);
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        struct lq_extent *extent = &painter->extents[i];
        painter->extended[i] = chosen[i] && lq_extend_measure(extent, extension, picture, nail);
        if (painter->extended[i])
            lq_extend_shadow(extent, picture, nail, light->dir_x, light->dir_y,
                             &painter->parts[painter->part_count++]);
    }
}

// Replaces the nail's crop and coverage by those of the extended nail.
static int extend(struct lq_painter *painter, const struct lq_extent *extent, struct lq_nail *nail)
{
    size_t pixels = (size_t)extent->width * (size_t)extent->height;
    int status = lq_buf_resize(&painter->covers, 2 * pixels);
    if (status != LQ_OK)
        return status;
    uint8_t *covers = painter->covers.data;
    lq_extend_draw(extent, nail, covers, covers + pixels);
    nail->crop = (struct lq_pixel_box){extent->x, extent->y, extent->width, extent->height};
    nail->alpha = covers + pixels;
    nail->alpha_stride = (size_t)extent->width;
    return LQ_OK;
}

int lq_paint(struct lq_painter *painter, struct lq_image *picture, const struct lq_nails *nails,
             const struct lq_look *look, struct lq_error *err)
{
    int status = check(picture, nails, look, err);
    painter->part_count = 0;
    if (status != LQ_OK || nails->count == 0)
        return status;
    struct lq_scene *scene = &painter->scene;
    lq_scene_judge(scene, picture, nails, NULL);
    measure_extents(painter, picture, nails, &look->extension);
    lq_accent_choose(look, nails, painter->worn);
    for (int i = 0; i < nails->count; i++) {
        struct lq_nail nail = nails->items[i];
        bool extended = painter->extended[i];
        float *rows, end = extended ? painter->extents[i].end : 1.0f;
        if (extended)
            status = extend(painter, &painter->extents[i], &nail);
        if (status == LQ_OK)
            status = make_room(painter, &nail);
        if (status != LQ_OK)
            return lq_fail(err, status, "cannot paint: %s", lq_status_text(status));
        const uint8_t *own = extended ? painter->covers.data : NULL;
        struct lq_shade shade = cut_planes(painter, &nail, extended, &rows);
        lq_shade_split(&shade, &scene->fits[i], picture, &nail, own);
        const struct lq_polish *polish = lq_look_polish(look, painter->worn[i]);
        struct lq_coat coat = mix_coat(picture, polish, scene, i, &nail, end);
        paint_nail(&shade, &coat, picture, &nail, rows);
        painter->parts[painter->part_count++] = nail.crop;
    }
    return LQ_OK;
}

const struct lq_pixel_box *lq_painter_parts(const struct lq_painter *painter, int *count)
{
    *count = painter->part_count;
    return painter->parts;
}
