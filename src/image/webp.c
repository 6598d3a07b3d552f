#include "image/webp.h"

#include <stdbool.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/encode.h>

#include "base/limits.h"
#include "image/orient.h"

enum {
    HEAD = 12,               // RIFF, size, WEBP
    CHUNK_HEAD = 8,
    VP8X_BYTES = 10,
    FLAG_ALPHA = 0x10, FLAG_ICC = 0x20,
    EXIF_BYTES_MAX = 1 << 20,
    METHOD = 4,              // libwebp's default balance of speed and size
};

static uint32_t little32(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

// The body of the first chunk of this name; NULL if there is none or it is cut off.
static const uint8_t *find_chunk(const uint8_t *bytes, size_t len, const char *name, size_t *size)
{
    for (size_t at = HEAD; at + CHUNK_HEAD <= len;) {
        size_t body = little32(bytes + at + 4), left = len - at - CHUNK_HEAD;
        if (body > left)
            return NULL;
        if (memcmp(bytes + at, name, 4) == 0) {
            *size = body;
            return bytes + at + CHUNK_HEAD;
        }
        at += CHUNK_HEAD + body + (body & 1 && body < left);
    }
    return NULL;
}

// Reads EXIF data with or without JPEG's "Exif" prefix.
static int read_orientation(const uint8_t *bytes, size_t len)
{
    size_t size = 0;
    struct lq_buf named;
    const uint8_t *exif = find_chunk(bytes, len, "EXIF", &size);
    if (!exif || size > EXIF_BYTES_MAX)
        return 1;
    if (size >= 6 && memcmp(exif, "Exif\0", 6) == 0)
        return lq_exif_orientation(exif, size);
    int orientation = 1;
    lq_buf_init(&named, EXIF_BYTES_MAX + 6);
    if (lq_buf_append(&named, "Exif\0", 6) == LQ_OK && lq_buf_append(&named, exif, size) == LQ_OK)
        orientation = lq_exif_orientation(named.data, named.len);
    lq_buf_release(&named);
    return orientation;
}

static int fail_code(struct lq_error *err, VP8StatusCode code)
{
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return lq_fail(err, LQ_ERR_MEMORY, "no room for the picture");
    return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the WebP: %s",
                   code == VP8_STATUS_NOT_ENOUGH_DATA ? "it ends early" : "it is damaged");
}

static int fill_info(const struct lq_picture_file *file, bool alpha, struct lq_picture_info *info,
                     struct lq_error *err)
{
    size_t size = 0;
    if (!info)
        return LQ_OK;
    info->kind = LQ_PICTURE_WEBP;
    info->source_channels = alpha ? 4 : 3;
    info->source_depth = 8;
    lq_buf_clear(&info->icc);
    const uint8_t *icc = find_chunk(file->bytes, file->len, "ICCP", &size);
    if (!icc || size > info->icc.max || lq_buf_append(&info->icc, icc, size) == LQ_OK)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_MEMORY, "no room for the colour profile");
}

static int decode_pixels(const struct lq_picture_file *file, WebPDecoderConfig *config,
                         const struct lq_image *image, struct lq_error *err)
{
    config->output.colorspace = image->channels == 4 ? MODE_RGBA : MODE_RGB;
    config->output.is_external_memory = 1;
    config->output.u.RGBA = (WebPRGBABuffer){image->data, (int)image->stride,
                                             image->stride * (size_t)image->height};
    VP8StatusCode code = WebPDecode(file->bytes, file->len, config);
    return code == VP8_STATUS_OK ? LQ_OK : fail_code(err, code);
}

int lq_webp_decode(const struct lq_picture_file *file, struct lq_stored_picture *picture,
                   struct lq_picture_info *info, struct lq_error *err)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this libwebp is older than the one built with");
    VP8StatusCode code = WebPGetFeatures(file->bytes, file->len, &config.input);
    if (code != VP8_STATUS_OK)
        return fail_code(err, code);
    if (config.input.has_animation)
        return lq_fail(err, LQ_ERR_FORMAT, "the file is an animated WebP: save one of its frames "
                       "as a JPEG, PNG or WebP");
    int width = config.input.width, height = config.input.height;
    int status = lq_picture_check_size((uint32_t)width, (uint32_t)height, file->pixels_max, info,
                                       err);
    if (status != LQ_OK)
        return status;
    if (info && info->shrunk > 1) {
        config.options.use_scaling = 1;
        config.options.scaled_width = width = (width + info->shrunk - 1) / info->shrunk;
        config.options.scaled_height = height = (height + info->shrunk - 1) / info->shrunk;
    }
    status = lq_image_alloc(&picture->image, picture->pixels, width, height,
                            config.input.has_alpha ? 4 : 3, 8);
    if (status != LQ_OK)
        return lq_fail(err, status, "no room for the picture");
    status = decode_pixels(file, &config, &picture->image, err);
    if (status == LQ_OK)
        status = fill_info(file, config.input.has_alpha, info, err);
    picture->orientation = read_orientation(file->bytes, file->len);
    return status;
}

// ---- writing ------------------------------------------------------------------------------------

static int append_chunk(struct lq_buf *out, const char *name, const uint8_t *body, size_t size)
{
    const uint8_t head[CHUNK_HEAD] = {(uint8_t)name[0], (uint8_t)name[1], (uint8_t)name[2],
                                      (uint8_t)name[3], (uint8_t)size, (uint8_t)(size >> 8),
                                      (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
    int status = lq_buf_append(out, head, sizeof head);
    if (status == LQ_OK)
        status = lq_buf_append(out, body, size);
    return status == LQ_OK && size & 1 ? lq_buf_append(out, "", 1) : status;
}

// The library writes a file without a profile; a profile needs an extended header (VP8X) first.
static int append_file(struct lq_buf *out, const uint8_t *file, size_t len, bool alpha,
                       const struct lq_image *image, const struct lq_buf *icc)
{
    if (!icc)
        return lq_buf_append(out, file, len);
    unsigned right = (unsigned)image->width - 1, bottom = (unsigned)image->height - 1;
    const uint8_t extended[VP8X_BYTES] = {
        (uint8_t)(FLAG_ICC | (alpha ? FLAG_ALPHA : 0)), 0, 0, 0,
        (uint8_t)right, (uint8_t)(right >> 8), (uint8_t)(right >> 16),
        (uint8_t)bottom, (uint8_t)(bottom >> 8), (uint8_t)(bottom >> 16)};
    size_t before = out->len, from = HEAD;
    if (memcmp(file + HEAD, "VP8X", 4) == 0)
        from += CHUNK_HEAD + VP8X_BYTES;
    int status = lq_buf_append(out, file, HEAD);
    if (status == LQ_OK)
        status = append_chunk(out, "VP8X", extended, sizeof extended);
    if (status == LQ_OK)
        status = append_chunk(out, "ICCP", icc->data, icc->len);
    if (status == LQ_OK)
        status = lq_buf_append(out, file + from, len - from);
    size_t size = out->len - before - 8;
    for (int i = 0; i < 4 && status == LQ_OK; i++)
        out->data[before + 4 + (size_t)i] = (uint8_t)(size >> (8 * i));
    return status;
}

static bool encode(const struct lq_image *image, int quality, WebPMemoryWriter *writer)
{
    WebPConfig config;
    WebPPicture picture;
    if (!WebPConfigPreset(&config, WEBP_PRESET_PHOTO, (float)quality) || !WebPPictureInit(&picture))
        return false;
    config.method = METHOD;
    picture.width = image->width;
    picture.height = image->height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = writer;
    bool done = image->channels == 4
                    ? WebPPictureImportRGBA(&picture, image->data, (int)image->stride)
                    : WebPPictureImportRGB(&picture, image->data, (int)image->stride);
    done = done && WebPEncode(&config, &picture);
    WebPPictureFree(&picture);
    return done;
}

int lq_webp_encode(const struct lq_image *image, int quality, const struct lq_buf *icc,
                   struct lq_buf *out, struct lq_error *err)
{
    if (image->channels < 3 || image->depth != 8)
        return lq_fail(err, LQ_ERR_ARGUMENT, "a WebP holds colours of 8 bits");
    if (image->width > WEBP_MAX_DIMENSION || image->height > WEBP_MAX_DIMENSION)
        return lq_fail(err, LQ_ERR_TOO_LARGE,
                       "a WebP holds at most %d pixels a side; write a .jpg or .png",
                       WEBP_MAX_DIMENSION);
    WebPMemoryWriter writer;
    WebPMemoryWriterInit(&writer);
    size_t before = out->len;
    int status = LQ_ERR_MEMORY;
    if (encode(image, quality, &writer) && writer.size > HEAD + CHUNK_HEAD)
        status = append_file(out, writer.mem, writer.size, image->channels == 4, image, icc);
    WebPMemoryWriterClear(&writer);
    if (status == LQ_OK)
        return LQ_OK;
    out->len = before;
    return lq_fail(err, status, "no room for the WebP");
}
