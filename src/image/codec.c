#include "image/codec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "image/avif.h"
#include "image/color.h"
#include "image/foreign.h"
#include "image/heic.h"
#include "image/jpeg.h"
#include "image/orient.h"
#include "image/png.h"
#include "image/webp.h"

enum {
    ICC_HEAD_BYTES = 128,             // ICC.1, clause 7.2
    ICC_SPACE_OFFSET = 16,
};

struct lq_codec {
    struct lq_jpeg jpeg;
    struct lq_color *color;
    struct lq_buf scratch; // to rotate a picture upright; swapped with the caller's memory
};

void lq_picture_info_init(struct lq_picture_info *info)
{
    *info = (struct lq_picture_info){.orientation = 1, .shrunk = 1};
    lq_buf_init(&info->icc, LQ_PROFILE_BYTES_MAX);
}

void lq_picture_info_release(struct lq_picture_info *info)
{
    lq_buf_release(&info->icc);
    lq_picture_info_init(info);
}

// ISO/IEC 14496-12: the first box lists the brands that the file conforms to.
static enum lq_picture_kind sniff_boxes(const uint8_t *bytes, size_t len)
{
    static const char *const brands[] = {"avif", "avis", "heic", "heix", "heim", "heis",
                                         "hevc", "hevx", "mif1", "msf1"};
    enum { AVIF_BRANDS = 2 };
    if (len < 16 || memcmp(bytes + 4, "ftyp", 4) != 0)
        return LQ_PICTURE_UNKNOWN;
    size_t size = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
                  bytes[3];
    size = size < len ? size : len;
    for (size_t i = 0; i < LQ_COUNT(brands); i++) {
        for (size_t at = 8; at + 4 <= size; at += at == 8 ? 8 : 4) { // skip its version
            if (memcmp(bytes + at, brands[i], 4) == 0)
                return i < AVIF_BRANDS ? LQ_PICTURE_AVIF : LQ_PICTURE_HEIC;
        }
    }
    return LQ_PICTURE_UNKNOWN;
}

enum lq_picture_kind lq_picture_sniff(const uint8_t *bytes, size_t len)
{
    static const uint8_t jpeg[3] = {0xff, 0xd8, 0xff};
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (len >= sizeof(jpeg) && memcmp(bytes, jpeg, sizeof(jpeg)) == 0)
        return LQ_PICTURE_JPEG;
    if (len >= sizeof(png) && memcmp(bytes, png, sizeof(png)) == 0)
        return LQ_PICTURE_PNG;
    if (len >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return LQ_PICTURE_WEBP;
    return sniff_boxes(bytes, len);
}

int lq_codec_new(struct lq_codec **codec, struct lq_error *err)
{
    *codec = calloc(1, sizeof(**codec));
    if (!*codec || lq_color_new(&(*codec)->color) != LQ_OK) {
        free(*codec);
        *codec = NULL;
        return lq_fail(err, LQ_ERR_MEMORY, "cannot make a picture codec");
    }
    lq_jpeg_init(&(*codec)->jpeg);
    lq_buf_init(&(*codec)->scratch, SIZE_MAX / 2);
    return LQ_OK;
}

void lq_codec_free(struct lq_codec *codec)
{
    if (!codec)
        return;
    lq_jpeg_release(&codec->jpeg);
    lq_color_free(codec->color);
    lq_buf_release(&codec->scratch);
    free(codec);
}

static void swap_memory(struct lq_buf *a, struct lq_buf *b)
{
    struct lq_buf before = *a;
    *a = *b;
    *b = before;
    b->max = a->max;
    a->max = before.max;
}

static int turn_upright(struct lq_codec *codec, struct lq_stored_picture *picture,
                        struct lq_error *err)
{
    if (picture->orientation == 1)
        return LQ_OK;
    int swaps = lq_orientation_swaps(picture->orientation);
    struct lq_image *image = &picture->image, upright;
    codec->scratch.max = picture->pixels->max;
    int status = lq_image_alloc(&upright, &codec->scratch, swaps ? image->height : image->width,
                                swaps ? image->width : image->height, image->channels,
                                image->depth);
    if (status != LQ_OK)
        return lq_fail(err, status, "no room to rotate the picture upright");
    lq_orient_upright(image, picture->orientation, &upright);
    swap_memory(picture->pixels, &codec->scratch);
    *image = upright;
    return LQ_OK;
}

// Applies the colour profile. If pixels cannot be converted back to the profile, converts them to
// sRGB now and drops it.
static void convert_colors(struct lq_codec *codec, struct lq_picture_info *info,
                           struct lq_image *image)
{
    switch (lq_color_set(codec->color, info->icc.data, info->icc.len)) {
    case LQ_COLOR_BOTH_WAYS:
        image->color = codec->color;
        break;
    case LQ_COLOR_READ_ONLY:
        lq_jpeg_forget(&codec->jpeg); // the pixels no longer match its coefficients
        lq_color_to_srgb(codec->color, image, image);
        lq_buf_clear(&info->icc);
        break;
    case LQ_COLOR_GREY:
        if (info->source_channels > 2)
            break;
        lq_color_grey_to_srgb(codec->color, image);
        lq_buf_clear(&info->icc);
        break;
    default:
        break;
    }
}

static int decode_stored(struct lq_codec *codec, const struct lq_picture_file *file,
                         struct lq_stored_picture *picture, struct lq_picture_info *info,
                         struct lq_error *err)
{
    switch (lq_picture_sniff(file->bytes, file->len)) {
    case LQ_PICTURE_JPEG:
        return lq_jpeg_decode(&codec->jpeg, codec->color, file, picture, info, err);
    case LQ_PICTURE_PNG:
        return lq_png_decode(file, picture, info, err);
    case LQ_PICTURE_WEBP:
        return lq_webp_decode(file, picture, info, err);
    case LQ_PICTURE_AVIF:
        return lq_avif_decode(file, picture, info, err);
    case LQ_PICTURE_HEIC:
        return lq_heic_decode(file, picture, info, err);
    default:
        return lq_picture_refuse(file->bytes, file->len, err);
    }
}

int lq_codec_decode(struct lq_codec *codec, const struct lq_picture_file *file,
                    struct lq_buf *pixels, struct lq_image *image, struct lq_picture_info *info,
                    struct lq_error *err)
{
    struct lq_stored_picture picture = {.pixels = pixels, .orientation = 1};
    lq_jpeg_forget(&codec->jpeg);
    if (info) {
        lq_buf_clear(&info->icc);
        info->shrunk = 1;
        info->is_part = false;
    }
    int status = decode_stored(codec, file, &picture, info, err);
    if (status == LQ_OK)
        status = turn_upright(codec, &picture, err);
    if (status != LQ_OK)
        return status;
    if (info) {
        info->orientation = picture.orientation;
        convert_colors(codec, info, &picture.image);
    }
    *image = picture.image;
    return LQ_OK;
}

// The profile, if it is for pixels with this number of channels: one for CMYK or grey does not fit
// RGB.
static const struct lq_buf *fitting_icc(const struct lq_buf *icc, int channels)
{
    if (!icc || icc->len < ICC_HEAD_BYTES)
        return NULL;
    const char *space = channels == 1 ? "GRAY" : "RGB ";
    return memcmp(icc->data + ICC_SPACE_OFFSET, space, 4) == 0 ? icc : NULL;
}

static int check_encodable(const struct lq_image *image, struct lq_error *err)
{
    bool channels = image->channels == 1 || image->channels == 3 || image->channels == 4;
    if (!channels || (image->depth != 8 && image->depth != 16) || image->width < 1 ||
        image->height < 1 || image->width > LQ_PICTURE_SIDE_MAX ||
        image->height > LQ_PICTURE_SIDE_MAX)
        return lq_fail(err, LQ_ERR_ARGUMENT, "cannot encode %dx%d pixels of %d channels, %d bits",
                       image->width, image->height, image->channels, image->depth);
    return LQ_OK;
}

static int check_jpeg(const struct lq_image *image, int quality, struct lq_error *err)
{
    int status = check_encodable(image, err);
    if (status != LQ_OK)
        return status;
    if (image->depth != 8)
        return lq_fail(err, LQ_ERR_ARGUMENT, "a JPEG holds 8 bits a sample, not %d", image->depth);
    if (quality < 1 || quality > 100)
        return lq_fail(err, LQ_ERR_ARGUMENT, "JPEG quality must be 1 to 100, not %d", quality);
    return LQ_OK;
}

int lq_codec_repaint_jpeg(struct lq_codec *codec, const struct lq_painted_image *painted,
                          int quality, const struct lq_buf *icc, struct lq_buf *out,
                          struct lq_error *err)
{
    const struct lq_image *image = painted->image;
    int status = check_jpeg(image, quality, err);
    if (status == LQ_OK)
        status = lq_jpeg_repaint_last(&codec->jpeg, painted, fitting_icc(icc, image->channels),
                                      out, err);
    return status == LQ_ERR_NOT_FOUND ? lq_codec_encode_jpeg(codec, image, quality, icc, out, err)
                                      : status;
}

int lq_codec_encode_jpeg(struct lq_codec *codec, const struct lq_image *image, int quality,
                         const struct lq_buf *icc, struct lq_buf *out, struct lq_error *err)
{
    int status = check_jpeg(image, quality, err);
    if (status != LQ_OK)
        return status;
    return lq_jpeg_encode(&codec->jpeg, image, quality, fitting_icc(icc, image->channels), out,
                          err);
}

int lq_codec_encode_png(struct lq_codec *codec, const struct lq_image *image,
                        const struct lq_buf *icc, struct lq_buf *out, struct lq_error *err)
{
    (void)codec;
    int status = check_encodable(image, err);
    if (status != LQ_OK)
        return status;
    return lq_png_encode(image, fitting_icc(icc, image->channels), out, err);
}

int lq_codec_encode_webp(struct lq_codec *codec, const struct lq_image *image, int quality,
                         const struct lq_buf *icc, struct lq_buf *out, struct lq_error *err)
{
    (void)codec;
    int status = check_encodable(image, err);
    if (status != LQ_OK)
        return status;
    return lq_webp_encode(image, quality, fitting_icc(icc, image->channels), out, err);
}
