#include "nail/region.h"

#include <math.h>

// Chosen on val, with its photos shown as videos and scaled down into other pictures.
static const float ROOM = 1.0f;        // around the nails, in sizes of the largest
static const float NAILS_MIN = 4.0f;   // across a region, in sizes of the largest
static const float SHARE_MAX = 0.75f;  // of the picture's longer side
static const float SHAPE_MAX = 4.0f / 3.0f; // longer side over shorter

void lq_region_add(struct lq_region *region, const struct lq_nail *nail, float shift_x,
                   float shift_y)
{
    float x0 = (float)nail->crop.x + shift_x, x1 = x0 + (float)nail->crop.width;
    float y0 = (float)nail->crop.y + shift_y, y1 = y0 + (float)nail->crop.height;
    bool first = !(region->largest > 0.0f);
    region->x0 = first ? x0 : fminf(region->x0, x0);
    region->y0 = first ? y0 : fminf(region->y0, y0);
    region->x1 = first ? x1 : fmaxf(region->x1, x1);
    region->y1 = first ? y1 : fmaxf(region->y1, y1);
    region->largest = fmaxf(region->largest, lq_nail_side(nail));
}

// A stretch of `side` around a middle, moved inside 0..limit; whole pixels.
static void place_stretch(float middle, float side, int limit, int *from, int *length)
{
    *length = (int)fminf(ceilf(side), (float)limit);
    float start = roundf(middle - 0.5f * (float)*length);
    *from = (int)fminf(fmaxf(start, 0.0f), (float)(limit - *length));
}

bool lq_region_place(const struct lq_region *region, const struct lq_image *picture,
                     struct lq_pixel_box *box)
{
    if (!(region->largest > 0.0f))
        return false;
    float least = NAILS_MIN * region->largest, room = 2.0f * ROOM * region->largest;
    float width = fmaxf(region->x1 - region->x0 + room, least);
    float height = fmaxf(region->y1 - region->y0 + room, least);
    width = fmaxf(width, height / SHAPE_MAX);
    height = fmaxf(height, width / SHAPE_MAX);
    float longer = (float)(picture->width > picture->height ? picture->width : picture->height);
    if (!(fmaxf(width, height) <= SHARE_MAX * longer))
        return false;
    place_stretch(0.5f * (region->x0 + region->x1), width, picture->width, &box->x, &box->width);
    place_stretch(0.5f * (region->y0 + region->y1), height, picture->height, &box->y,
                  &box->height);
    return true;
}

bool lq_region_is_whole(const struct lq_pixel_box *box, const struct lq_image *picture)
{
    return box->width == picture->width && box->height == picture->height;
}

bool lq_region_cuts(const struct lq_pixel_box *box, const struct lq_image *picture,
                    const struct lq_nail *nail)
{
    const struct lq_pixel_box *crop = &nail->crop;
    int right = box->x + box->width, bottom = box->y + box->height;
    return (box->x > 0 && crop->x <= box->x + 1) || (box->y > 0 && crop->y <= box->y + 1) ||
           (right < picture->width && crop->x + crop->width >= right - 1) ||
           (bottom < picture->height && crop->y + crop->height >= bottom - 1);
}

bool lq_touches_border(const struct lq_image *picture, const struct lq_nail *nail)
{
    const struct lq_pixel_box *crop = &nail->crop;
    return crop->x <= 1 || crop->y <= 1 || crop->x + crop->width >= picture->width - 1 ||
           crop->y + crop->height >= picture->height - 1;
}
