#include "image/color.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lcms2.h>

#include "base/limits.h"

enum {
    BLOCK = 256,      // pixels at a time
    STEPS = 5,        // test colours per channel
    SAME_LEVELS = 2,  // of 255: allows for rounding and the variants of sRGB profiles
    FLAGS = cmsFLAGS_NOCACHE,
};

static const double SRGB_XY[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};

struct lq_color {
    cmsContext context;
    cmsHPROFILE linear, srgb;
    struct lq_buf icc;            // the profile that the transforms were made from
    enum lq_color_kind kind;
    cmsHTRANSFORM read, store;    // profile to linear light and back, floats
    cmsHTRANSFORM shown8, shown16; // profile to sRGB
    cmsHTRANSFORM bare8;          // CMYK with 255 meaning no ink
};

// ---- profiles of our own ------------------------------------------------------------------------

static cmsToneCurve *curve_of(cmsContext context, double gamma)
{
    static const double srgb[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    return gamma > 0 ? cmsBuildGamma(context, gamma)
                     : cmsBuildParametricToneCurve(context, 4, srgb);
}

static cmsHPROFILE matrix_profile(cmsContext context, const double xy[8], double gamma)
{
    const cmsCIExyY white = {xy[0], xy[1], 1};
    const cmsCIExyYTRIPLE primaries = {{xy[2], xy[3], 1}, {xy[4], xy[5], 1}, {xy[6], xy[7], 1}};
    cmsToneCurve *curve = curve_of(context, gamma);
    if (!curve)
        return NULL;
    cmsToneCurve *const curves[3] = {curve, curve, curve};
    cmsHPROFILE profile = cmsCreateRGBProfileTHR(context, &white, &primaries, curves);
    cmsFreeToneCurve(curve);
    return profile;
}

static bool makes_sense(const double xy[8], double gamma)
{
    for (int i = 0; i < 8; i += 2) {
        if (!(xy[i] >= -0.5 && xy[i] <= 1.5 && xy[i + 1] > 0.0001 && xy[i + 1] <= 1.5))
            return false;
    }
    double area = (xy[4] - xy[2]) * (xy[7] - xy[3]) - (xy[6] - xy[2]) * (xy[5] - xy[3]);
    return fabs(area) > 0.001 && (gamma == 0 || (gamma > 0.2 && gamma < 5));
}

static bool is_srgb(const double xy[8], double gamma)
{
    for (int i = 0; i < 8; i++) {
        if (fabs(xy[i] - SRGB_XY[i]) > 0.002)
            return false;
    }
    return gamma == 0 || fabs(gamma - 2.2) < 0.03; // the value that programs write for sRGB
}

int lq_color_profile(const double xy[8], double gamma, struct lq_buf *icc)
{
    cmsUInt32Number len = 0;
    if (!makes_sense(xy, gamma) || is_srgb(xy, gamma))
        return LQ_OK;
    cmsContext context = cmsCreateContext(NULL, NULL);
    cmsHPROFILE profile = context ? matrix_profile(context, xy, gamma) : NULL;
    int status = context ? LQ_OK : LQ_ERR_MEMORY;
    size_t before = icc->len;
    if (profile && cmsSaveProfileToMem(profile, NULL, &len))
        status = lq_buf_resize(icc, before + len);
    if (len && status == LQ_OK && !cmsSaveProfileToMem(profile, icc->data + before, &len))
        icc->len = before;
    if (profile)
        cmsCloseProfile(profile);
    if (context)
        cmsDeleteContext(context);
    return status;
}

int lq_color_profile_of_codes(int primaries, int transfer, struct lq_buf *icc)
{
    static const struct {
        int code;
        double xy[8];
    } known[] = {
        {4, {0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08}},
        {5, {0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06}},
        {6, {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
        {7, {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
        {9, {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046}},
        {11, {0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
        {12, {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
    };
    const double *xy = SRGB_XY;
    double gamma = transfer == 4 ? 2.2 : transfer == 5 ? 2.8 : transfer == 8 ? 1 : 0;
    for (size_t i = 0; i < LQ_COUNT(known); i++)
        xy = known[i].code == primaries ? known[i].xy : xy;
    return lq_color_profile(xy, gamma, icc);
}

// ---- a picture's profile ------------------------------------------------------------------------

static void forget(struct lq_color *color)
{
    cmsHTRANSFORM *all[] = {&color->read, &color->store, &color->shown8, &color->shown16,
                            &color->bare8};
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        if (*all[i])
            cmsDeleteTransform(*all[i]);
        *all[i] = NULL;
    }
    color->kind = LQ_COLOR_SRGB;
}

int lq_color_new(struct lq_color **out)
{
    struct lq_color *color = calloc(1, sizeof *color);
    if (!color)
        return LQ_ERR_MEMORY;
    lq_buf_init(&color->icc, LQ_PROFILE_BYTES_MAX);
    color->context = cmsCreateContext(NULL, NULL);
    if (color->context) {
        color->linear = matrix_profile(color->context, SRGB_XY, 1);
        color->srgb = matrix_profile(color->context, SRGB_XY, 0);
    }
    if (!color->linear || !color->srgb) {
        lq_color_free(color);
        return LQ_ERR_MEMORY;
    }
    *out = color;
    return LQ_OK;
}

void lq_color_free(struct lq_color *color)
{
    if (!color)
        return;
    forget(color);
    if (color->linear)
        cmsCloseProfile(color->linear);
    if (color->srgb)
        cmsCloseProfile(color->srgb);
    if (color->context)
        cmsDeleteContext(color->context);
    lq_buf_release(&color->icc);
    free(color);
}

static cmsHTRANSFORM between(const struct lq_color *color, cmsHPROFILE from, cmsUInt32Number in,
                             cmsHPROFILE to, cmsUInt32Number out)
{
    cmsUInt32Number flags = FLAGS | (cmsGetColorSpace(from) == cmsSigCmykData
                                         ? cmsFLAGS_BLACKPOINTCOMPENSATION : 0);
    return cmsCreateTransformTHR(color->context, from, in, to, out,
                                 INTENT_RELATIVE_COLORIMETRIC, flags);
}

static void trial_colours(uint8_t rgb[STEPS * STEPS * STEPS * 3])
{
    for (int i = 0; i < STEPS * STEPS * STEPS; i++) {
        rgb[3 * i] = (uint8_t)(i % STEPS * 255 / (STEPS - 1));
        rgb[3 * i + 1] = (uint8_t)(i / STEPS % STEPS * 255 / (STEPS - 1));
        rgb[3 * i + 2] = (uint8_t)(i / STEPS / STEPS * 255 / (STEPS - 1));
    }
}

static bool shows_as_srgb(const struct lq_color *color)
{
    enum { COUNT = STEPS * STEPS * STEPS };
    uint8_t own[COUNT * 3], shown[COUNT * 3];
    trial_colours(own);
    cmsDoTransform(color->shown8, own, shown, COUNT);
    for (int i = 0; i < COUNT * 3; i++) {
        if (abs(own[i] - shown[i]) > SAME_LEVELS)
            return false;
    }
    return true;
}

// Whether linear light can be converted back to the profile's own values.
static bool is_invertible(const struct lq_color *color)
{
    enum { COUNT = STEPS * STEPS * STEPS };
    uint8_t own[COUNT * 3];
    float before[COUNT * 3], light[COUNT * 3], after[COUNT * 3];
    if (!color->read || !color->store)
        return false;
    trial_colours(own);
    for (int i = 0; i < COUNT * 3; i++)
        before[i] = (float)own[i] / 255.0f;
    cmsDoTransform(color->read, before, light, COUNT);
    cmsDoTransform(color->store, light, after, COUNT);
    for (int i = 0; i < COUNT * 3; i++) {
        if (!(fabsf(before[i] - after[i]) < 2.0f / 255.0f))
            return false;
    }
    return true;
}

static enum lq_color_kind kind_of_rgb(struct lq_color *color, cmsHPROFILE profile)
{
    color->shown8 = between(color, profile, TYPE_RGB_8, color->srgb, TYPE_RGB_8);
    if (!color->shown8 || shows_as_srgb(color))
        return LQ_COLOR_SRGB;
    color->read = between(color, profile, TYPE_RGB_FLT, color->linear, TYPE_RGB_FLT);
    color->store = between(color, color->linear, TYPE_RGB_FLT, profile, TYPE_RGB_FLT);
    if (is_invertible(color))
        return LQ_COLOR_BOTH_WAYS;
    color->shown16 = between(color, profile, TYPE_RGB_16, color->srgb, TYPE_RGB_16);
    return color->shown16 ? LQ_COLOR_READ_ONLY : LQ_COLOR_SRGB;
}

static enum lq_color_kind kind_of_profile(struct lq_color *color, cmsHPROFILE profile)
{
    switch (cmsGetColorSpace(profile)) {
    case cmsSigRgbData:
        return kind_of_rgb(color, profile);
    case cmsSigGrayData:
        color->shown8 = between(color, profile, TYPE_GRAY_8, color->srgb, TYPE_RGB_8);
        color->shown16 = between(color, profile, TYPE_GRAY_16, color->srgb, TYPE_RGB_16);
        return color->shown8 && color->shown16 ? LQ_COLOR_GREY : LQ_COLOR_SRGB;
    case cmsSigCmykData:
        color->shown8 = between(color, profile, TYPE_CMYK_8, color->srgb, TYPE_RGB_8);
        color->bare8 = between(color, profile, TYPE_CMYK_8_REV, color->srgb, TYPE_RGB_8);
        return color->shown8 && color->bare8 ? LQ_COLOR_INKS : LQ_COLOR_SRGB;
    default:
        return LQ_COLOR_SRGB;
    }
}

static bool is_of_a_device(cmsHPROFILE profile)
{
    cmsProfileClassSignature kind = cmsGetDeviceClass(profile);
    return kind == cmsSigInputClass || kind == cmsSigDisplayClass || kind == cmsSigOutputClass ||
           kind == cmsSigColorSpaceClass;
}

enum lq_color_kind lq_color_set(struct lq_color *color, const uint8_t *icc, size_t len)
{
    if (len == 0)
        return LQ_COLOR_SRGB;
    if (len == color->icc.len && memcmp(icc, color->icc.data, len) == 0)
        return color->kind;
    forget(color);
    lq_buf_clear(&color->icc);
    if (lq_buf_append(&color->icc, icc, len) != LQ_OK)
        return LQ_COLOR_SRGB;
    cmsHPROFILE profile = cmsOpenProfileFromMemTHR(color->context, color->icc.data,
                                                   (cmsUInt32Number)len);
    if (profile && is_of_a_device(profile))
        color->kind = kind_of_profile(color, profile);
    if (profile)
        cmsCloseProfile(profile);
    return color->kind;
}

// ---- pixels -------------------------------------------------------------------------------------

static inline float clamp_light(float x)
{
    x = x > 0.0f ? x : 0.0f; // also turns NaN into 0
    return x < 1.0f ? x : 1.0f;
}

// Copies the first `channels` samples of n pixels to an array without gaps.
static void copy_samples(const struct lq_image *image, const uint8_t *pixels, int n, int channels,
                         void *samples)
{
    size_t from = lq_image_pixel_bytes(image), to = (size_t)channels * (size_t)image->depth / 8;
    for (size_t i = 0; i < (size_t)n; i++)
        memcpy((uint8_t *)samples + i * to, pixels + i * from, to);
}

static void put_samples(const struct lq_image *image, uint8_t *pixels, int n, const void *rgb)
{
    size_t to = lq_image_pixel_bytes(image), from = 3 * (size_t)image->depth / 8;
    for (size_t i = 0; i < (size_t)n; i++)
        memcpy(pixels + i * to, (const uint8_t *)rgb + i * from, from);
}

// Converts n pixels to linear light, as interleaved RGB.
static void read_block(const struct lq_color *color, const struct lq_image *image,
                       const uint8_t *pixels, int n, float light[BLOCK * 3])
{
    uint16_t samples[BLOCK * 3];
    float own[BLOCK * 3];
    copy_samples(image, pixels, n, 3, samples);
    for (int i = 0; i < n * 3; i++)
        own[i] = image->depth == 8 ? (float)((const uint8_t *)samples)[i] / 255.0f
                                   : (float)samples[i] / 65535.0f;
    cmsDoTransform(color->read, own, light, (cmsUInt32Number)n);
}

static inline int block_at(int from, int n)
{
    return n - from < BLOCK ? n - from : BLOCK;
}

void lq_color_read(const struct lq_color *color, const struct lq_image *image,
                   const uint8_t *pixels, const struct lq_rgb_row *row)
{
    float light[BLOCK * 3];
    for (int from = 0; from < row->count; from += BLOCK) {
        int n = block_at(from, row->count);
        const struct lq_rgb_row to = lq_rgb_row_part(row, from, n);
        read_block(color, image, pixels + (size_t)from * lq_image_pixel_bytes(image), n, light);
        for (int i = 0; i < n; i++) {
            to.red[i] = clamp_light(light[3 * i]);
            to.green[i] = clamp_light(light[3 * i + 1]);
            to.blue[i] = clamp_light(light[3 * i + 2]);
        }
    }
}

void lq_color_store(const struct lq_color *color, const struct lq_rgb_row *row)
{
    float light[BLOCK * 3], own[BLOCK * 3];
    for (int from = 0; from < row->count; from += BLOCK) {
        int count = block_at(from, row->count);
        float *planes[3] = {row->red + from, row->green + from, row->blue + from};
        for (int i = 0; i < count * 3; i++)
            light[i] = clamp_light(planes[i % 3][i / 3]);
        cmsDoTransform(color->store, light, own, (cmsUInt32Number)count);
        for (int i = 0; i < count * 3; i++)
            planes[i % 3][i / 3] = clamp_light(own[i]);
    }
}

static void narrow(const uint16_t *wide, uint8_t *samples, int n)
{
    for (int i = 0; i < n; i++)
        samples[i] = (uint8_t)((wide[i] * 255u + 32895u) >> 16);
}

static void show_block(const struct lq_color *color, const struct lq_image *image,
                       const uint8_t *pixels, const struct lq_image *srgb, uint8_t *to, int n)
{
    uint16_t own[BLOCK * 3], shown[BLOCK * 3];
    uint8_t own8[BLOCK * 3];
    copy_samples(image, pixels, n, 3, own);
    if (image->depth == 16 && srgb->depth == 8)
        narrow(own, own8, n * 3);
    if (image->depth == 16 && srgb->depth == 16)
        cmsDoTransform(color->shown16, own, shown, (cmsUInt32Number)n);
    else
        cmsDoTransform(color->shown8, image->depth == 16 ? (void *)own8 : own, shown,
                       (cmsUInt32Number)n);
    put_samples(srgb, to, n, shown);
}

void lq_color_to_srgb(const struct lq_color *color, const struct lq_image *image,
                      const struct lq_image *srgb)
{
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = lq_image_row(image, y);
        uint8_t *to = lq_image_row(srgb, y);
        for (int from = 0; from < image->width; from += BLOCK)
            show_block(color, image, row + (size_t)from * lq_image_pixel_bytes(image), srgb,
                       to + (size_t)from * lq_image_pixel_bytes(srgb),
                       block_at(from, image->width));
    }
}

static void show_grey_block(const struct lq_color *color, const struct lq_image *image,
                            uint8_t *pixels, int n)
{
    uint16_t grey[BLOCK], shown[BLOCK * 3];
    copy_samples(image, pixels, n, 1, grey);
    cmsDoTransform(image->depth == 16 ? color->shown16 : color->shown8, grey, shown,
                   (cmsUInt32Number)n);
    put_samples(image, pixels, n, shown);
}

void lq_color_grey_to_srgb(const struct lq_color *color, const struct lq_image *image)
{
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = lq_image_row(image, y);
        for (int from = 0; from < image->width; from += BLOCK)
            show_grey_block(color, image, row + (size_t)from * lq_image_pixel_bytes(image),
                            block_at(from, image->width));
    }
}

void lq_color_inks_to_srgb(const struct lq_color *color, bool inverted, const uint8_t *inks,
                           uint8_t *rgb, int n)
{
    cmsDoTransform(inverted ? color->bare8 : color->shown8, inks, rgb, (cmsUInt32Number)n);
}
