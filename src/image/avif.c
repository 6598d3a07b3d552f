#include "image/avif.h"

#include <avif/avif.h>

#include "base/limits.h"
#include "image/color.h"

static int fail_result(struct lq_error *err, avifResult result)
{
#if AVIF_VERSION >= 100000 // 0.10
    if (result == AVIF_RESULT_OUT_OF_MEMORY)
        return lq_fail(err, LQ_ERR_MEMORY, "no room for the picture");
#endif
    return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the AVIF: %s", avifResultToString(result));
}

// Limits the sides of a picture; 0: no limit. libavif before 0.11 has no such limit: there
// check_size checks the container, and `imageSizeLimit` the AV1 frame.
static void limit_sides(avifDecoder *decoder, uint32_t side_max)
{
#if AVIF_VERSION >= 110000
    decoder->imageDimensionLimit = side_max;
#else
    (void)decoder, (void)side_max;
#endif
}

static avifDecoder *open_decoder(size_t pixels_max)
{
    avifDecoder *decoder = avifDecoderCreate();
    if (!decoder)
        return NULL;
    decoder->codecChoice = AVIF_CODEC_CHOICE_DAV1D;
    decoder->maxThreads = 1;
    decoder->ignoreXMP = AVIF_TRUE;
    decoder->ignoreExif = AVIF_TRUE;
    decoder->imageSizeLimit = (uint32_t)pixels_max;
    limit_sides(decoder, LQ_PICTURE_SIDE_MAX);
    decoder->imageCountLimit = 1000;
    // Some encoders leave these out, and browsers do not insist on them.
    decoder->strictFlags = AVIF_STRICT_ENABLED & ~(avifStrictFlags)(AVIF_STRICT_PIXI_REQUIRED |
                                                                    AVIF_STRICT_CLAP_VALID);
    return decoder;
}

// The container rotates counter-clockwise, then mirrors. Returns the equivalent EXIF orientation.
static int orientation_of(const avifImage *image)
{
    static const int rotated[4] = {1, 8, 3, 6};
    // mirrored top to bottom, or left to right
    static const int mirrored[2][4] = {{4, 5, 2, 7}, {2, 7, 4, 5}};
    int angle = image->transformFlags & AVIF_TRANSFORM_IROT ? image->irot.angle & 3 : 0;
    if (!(image->transformFlags & AVIF_TRANSFORM_IMIR))
        return rotated[angle];
#if AVIF_VERSION >= 1000000
    return mirrored[image->imir.axis & 1][angle];
#else
    return mirrored[image->imir.mode & 1][angle];
#endif
}

static int parse(avifDecoder *decoder, const struct lq_picture_file *file, struct lq_error *err)
{
    avifResult result = avifDecoderSetIOMemory(decoder, file->bytes, file->len);
    if (result == AVIF_RESULT_OK)
        result = avifDecoderParse(decoder);
    if (result == AVIF_RESULT_BMFF_PARSE_FAILED && decoder->diag.error[0])
        return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the AVIF: %s", decoder->diag.error);
    return result == AVIF_RESULT_OK ? LQ_OK : fail_result(err, result);
}

// The file is parsed twice. First without our limit, because the library would not report why it
// refuses; the limit itself also applies to the AV1 data.
static int check_size(const struct lq_picture_file *file, struct lq_error *err)
{
    avifDecoder *decoder = open_decoder(AVIF_DEFAULT_IMAGE_SIZE_LIMIT);
    if (!decoder)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start the AVIF decoder");
    limit_sides(decoder, 0);
    int status = parse(decoder, file, err);
    if (status == LQ_OK)
        status = lq_image_check_size(decoder->image->width, decoder->image->height,
                                     file->pixels_max, err);
    avifDecoderDestroy(decoder);
    return status;
}

static int read_pixels(avifDecoder *decoder, struct lq_buf *pixels, struct lq_image *image,
                       struct lq_error *err)
{
    avifResult result = avifDecoderNextImage(decoder);
    if (result != AVIF_RESULT_OK)
        return fail_result(err, result);
    const avifImage *from = decoder->image;
    int channels = from->alphaPlane ? 4 : 3;
    int status = lq_image_alloc(image, pixels, (int)from->width, (int)from->height, channels, 8);
    if (status != LQ_OK)
        return lq_fail(err, status, "no room for the picture");
    avifRGBImage rgb;
    avifRGBImageSetDefaults(&rgb, from);
    rgb.format = channels == 4 ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
    rgb.depth = 8;
    rgb.pixels = image->data;
    rgb.rowBytes = (uint32_t)image->stride;
    result = avifImageYUVToRGB(from, &rgb);
    return result == AVIF_RESULT_OK ? LQ_OK : fail_result(err, result);
}

static int fill_info(const avifImage *image, struct lq_picture_info *info, struct lq_error *err)
{
    if (!info)
        return LQ_OK;
    info->kind = LQ_PICTURE_AVIF;
    info->source_channels = (image->yuvFormat == AVIF_PIXEL_FORMAT_YUV400 ? 1 : 3) +
                            (image->alphaPlane ? 1 : 0);
    info->source_depth = (int)image->depth;
    int status = LQ_OK;
    lq_buf_clear(&info->icc);
    if (image->icc.size > 0 && image->icc.size <= info->icc.max)
        status = lq_buf_append(&info->icc, image->icc.data, image->icc.size);
    else if (image->icc.size == 0)
        status = lq_color_profile_of_codes(image->colorPrimaries, image->transferCharacteristics,
                                           &info->icc);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "no room for the colour profile");
}

int lq_avif_decode(const struct lq_picture_file *file, struct lq_stored_picture *picture,
                   struct lq_picture_info *info, struct lq_error *err)
{
    int status = check_size(file, err);
    if (status != LQ_OK)
        return status;
    avifDecoder *decoder = open_decoder(file->pixels_max);
    if (!decoder)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start the AVIF decoder");
    status = parse(decoder, file, err);
    if (status == LQ_OK)
        status = read_pixels(decoder, picture->pixels, &picture->image, err);
    if (status == LQ_OK) {
        picture->orientation = orientation_of(decoder->image);
        status = fill_info(decoder->image, info, err);
    }
    avifDecoderDestroy(decoder);
    return status;
}
