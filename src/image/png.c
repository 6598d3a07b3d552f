#include "image/png.h"

#include <stdbool.h>
#include <string.h>

#include <spng.h>

#include "base/limits.h"
#include "image/color.h"
#include "image/orient.h"

enum {
    CHUNK_BYTES_MAX = 16 * 1024 * 1024,       // for one profile or text, unpacked
    CHUNKS_BYTES_MAX = 2 * CHUNK_BYTES_MAX,   // for all that is kept while decoding
    EXIF_BYTES_MAX = 1024 * 1024,
    HEADER_BYTES = 8 + 25,                    // signature and IHDR
    DEFLATE_RATIO_MAX = 1032,                 // 258 bytes for two bits (RFC 1951)
    // For photographs of 0.2 and 0.7 megapixels, level 2 with the filter "up" takes 14 and 30 ms.
    // Level 6 with all filters takes 57 and 258 ms, for files 6 % larger and 5 % smaller.
    COMPRESSION_LEVEL = 2,
};

static int fail_spng(struct lq_error *err, int code)
{
    int status = LQ_ERR_CORRUPT;
    if (code == SPNG_EMEM)
        status = LQ_ERR_MEMORY;
    if (code == SPNG_EUSER_WIDTH || code == SPNG_EUSER_HEIGHT || code == SPNG_ECHUNK_LIMITS)
        status = LQ_ERR_TOO_LARGE;
    return lq_fail(err, status, "cannot decode the PNG: %s", spng_strerror(code));
}

static int channels_of(const struct spng_ihdr *ihdr)
{
    switch (ihdr->color_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE: return 1;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA: return 2;
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA: return 4;
    case SPNG_COLOR_TYPE_TRUECOLOR: return 3;
    default: return 3; // palette
    }
}

// Rejects a header that promises more pixels than deflate can unpack from `len` bytes.
static bool file_can_hold(const struct spng_ihdr *ihdr, size_t len)
{
    size_t samples = ihdr->color_type == SPNG_COLOR_TYPE_INDEXED ? 1 : (size_t)channels_of(ihdr);
    size_t row = 1 + (ihdr->width * samples * ihdr->bit_depth + 7) / 8;
    return row * ihdr->height / DEFLATE_RATIO_MAX <= len;
}

static uint32_t big_endian32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int read_header(spng_ctx *ctx, const struct lq_picture_file *file, struct spng_ihdr *ihdr,
                       struct lq_error *err)
{
    const uint8_t *bytes = file->bytes;
    const size_t len = file->len;
    // The size has a fixed place; check it before the library sees the file.
    if (len < HEADER_BYTES || memcmp(bytes + 12, "IHDR", 4) != 0)
        return fail_spng(err, SPNG_ENOIHDR);
    int status = lq_image_check_size(big_endian32(bytes + 16), big_endian32(bytes + 20),
                                     file->pixels_max, err);
    if (status != LQ_OK)
        return status;
    int code = spng_set_image_limits(ctx, LQ_PICTURE_SIDE_MAX, LQ_PICTURE_SIDE_MAX);
    if (code == 0)
        code = spng_set_chunk_limits(ctx, CHUNK_BYTES_MAX, CHUNKS_BYTES_MAX);
    if (code == 0)
        code = spng_set_png_buffer(ctx, bytes, len);
    if (code == 0)
        code = spng_get_ihdr(ctx, ihdr);
    if (code != 0)
        return fail_spng(err, code);
    if (!file_can_hold(ihdr, len))
        return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the PNG: too short for %ux%u pixels",
                       ihdr->width, ihdr->height);
    return LQ_OK;
}

// The format in which the library writes rows, and the one that we keep.
struct layout {
    int format;
    int flags;
    int row_channels; // written by the library
    int channels;     // kept
    int depth;
};

static struct layout layout_of(const struct spng_ihdr *ihdr, bool transparent)
{
    bool alpha = transparent || channels_of(ihdr) == 2 || channels_of(ihdr) == 4;
    struct layout layout = {.flags = transparent ? SPNG_DECODE_TRNS : 0,
                            .channels = alpha ? 4 : 3,
                            .depth = ihdr->bit_depth == 16 ? 16 : 8};
    layout.row_channels = layout.channels;
    if (layout.depth == 8) {
        layout.format = alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
    } else if (!alpha && ihdr->color_type == SPNG_COLOR_TYPE_TRUECOLOR) {
        layout.format = SPNG_FMT_PNG;
    } else { // the library's only other 16-bit format
        layout.format = SPNG_FMT_RGBA16;
        layout.row_channels = 4;
    }
    return layout;
}

static void drop_alpha16(const struct lq_image *wide, const struct lq_image *image)
{
    for (int y = 0; y < image->height; y++) {
        const uint16_t *from = (const uint16_t *)lq_image_row(wide, y);
        uint16_t *to = (uint16_t *)lq_image_row(image, y);
        for (int x = 0; x < image->width; x++, from += 4, to += 3) {
            for (int c = 0; c < 3; c++)
                to[c] = from[c];
        }
    }
}

static int decode_rows(spng_ctx *ctx, const struct layout *layout, const struct lq_image *rows,
                       struct lq_error *err)
{
    size_t row_len = (size_t)rows->width * lq_image_pixel_bytes(rows);
    int code = spng_decode_image(ctx, NULL, 0, layout->format,
                                 layout->flags | SPNG_DECODE_PROGRESSIVE);
    while (code == 0) {
        struct spng_row_info row;
        code = spng_get_row_info(ctx, &row);
        if (code == 0) // interlaced pictures visit a row more than once
            code = spng_decode_row(ctx, lq_image_row(rows, (int)row.row_num), row_len);
    }
    if (code == SPNG_EOI) // also require what follows the pixels: their checksum and the end chunk
        code = spng_decode_chunks(ctx);
    return code == 0 ? LQ_OK : fail_spng(err, code);
}

static int decode_pixels(spng_ctx *ctx, const struct spng_ihdr *ihdr, struct lq_buf *pixels,
                         struct lq_image *image, struct lq_error *err)
{
    struct spng_trns trns;
    int code = spng_get_trns(ctx, &trns); // reads all chunks before the pixels
    if (code != 0 && code != SPNG_ECHUNKAVAIL)
        return fail_spng(err, code);
    struct layout layout = layout_of(ihdr, code == 0);
    int width = (int)ihdr->width, height = (int)ihdr->height;
    int status = lq_image_alloc(image, pixels, width, height, layout.channels, layout.depth);
    if (status == LQ_OK && layout.row_channels == layout.channels)
        return decode_rows(ctx, &layout, image, err);
    struct lq_buf wide_pixels;
    struct lq_image wide;
    lq_buf_init(&wide_pixels, pixels->max + pixels->max / 2);
    if (status == LQ_OK)
        status = lq_image_alloc(&wide, &wide_pixels, width, height, layout.row_channels, 16);
    if (status != LQ_OK) {
        lq_buf_release(&wide_pixels);
        return lq_fail(err, status, "no room for the picture");
    }
    status = decode_rows(ctx, &layout, &wide, err);
    if (status == LQ_OK)
        drop_alpha16(&wide, image);
    lq_buf_release(&wide_pixels);
    return status;
}

// The library returns the bare TIFF data; lq_exif_orientation expects JPEG's "Exif" prefix.
static int read_orientation(spng_ctx *ctx)
{
    struct spng_exif exif;
    struct lq_buf named;
    if (spng_get_exif(ctx, &exif) != 0)
        return 1;
    int orientation = 1;
    lq_buf_init(&named, EXIF_BYTES_MAX);
    if (lq_buf_append(&named, "Exif\0", 6) == LQ_OK &&
        lq_buf_append(&named, exif.data, exif.length) == LQ_OK)
        orientation = lq_exif_orientation(named.data, named.len);
    lq_buf_release(&named);
    return orientation;
}

// Makes a profile from gAMA and cHRM, if neither iCCP nor sRGB overrides them.
static int profile_of_chunks(spng_ctx *ctx, struct lq_buf *icc)
{
    double xy[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06}, gamma = 0;
    struct spng_chrm chrm;
    uint8_t intent;
    if (spng_get_srgb(ctx, &intent) == 0 || spng_get_gama(ctx, &gamma) != 0 || gamma <= 0)
        return LQ_OK;
    if (spng_get_chrm(ctx, &chrm) == 0)
        memcpy(xy, (double[]){chrm.white_point_x, chrm.white_point_y, chrm.red_x, chrm.red_y,
                              chrm.green_x, chrm.green_y, chrm.blue_x, chrm.blue_y}, sizeof xy);
    return lq_color_profile(xy, 1 / gamma, icc);
}

static int fill_info(spng_ctx *ctx, const struct spng_ihdr *ihdr, int channels,
                     struct lq_picture_info *info, struct lq_error *err)
{
    if (!info)
        return LQ_OK;
    info->kind = LQ_PICTURE_PNG;
    info->source_depth = ihdr->bit_depth;
    info->source_channels = channels_of(ihdr);
    if (channels == 4 && info->source_channels % 2) // from tRNS
        info->source_channels++;
    struct spng_iccp iccp;
    int status = LQ_OK;
    lq_buf_clear(&info->icc);
    if (spng_get_iccp(ctx, &iccp) != 0)
        status = profile_of_chunks(ctx, &info->icc);
    else if (iccp.profile_len <= info->icc.max)
        status = lq_buf_append(&info->icc, iccp.profile, iccp.profile_len);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "no room for the colour profile");
}

int lq_png_decode(const struct lq_picture_file *file, struct lq_stored_picture *picture,
                  struct lq_picture_info *info, struct lq_error *err)
{
    spng_ctx *ctx = spng_ctx_new(0);
    if (!ctx)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start the PNG decoder");
    struct spng_ihdr ihdr;
    int status = read_header(ctx, file, &ihdr, err);
    if (status == LQ_OK)
        status = decode_pixels(ctx, &ihdr, picture->pixels, &picture->image, err);
    if (status == LQ_OK) {
        picture->orientation = read_orientation(ctx);
        status = fill_info(ctx, &ihdr, picture->image.channels, info, err);
    }
    spng_ctx_free(ctx);
    return status;
}

struct sink {
    struct lq_buf *out;
    int status;
};

static int write_bytes(spng_ctx *ctx, void *user, void *bytes, size_t len)
{
    (void)ctx;
    struct sink *sink = user;
    sink->status = lq_buf_append(sink->out, bytes, len);
    return sink->status == LQ_OK ? 0 : SPNG_IO_ERROR;
}

static int write_header(spng_ctx *ctx, const struct lq_image *image, const struct lq_buf *icc)
{
    static const uint8_t types[5] = {[1] = SPNG_COLOR_TYPE_GRAYSCALE,
                                     [3] = SPNG_COLOR_TYPE_TRUECOLOR,
                                     [4] = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
    struct spng_ihdr ihdr = {.width = (uint32_t)image->width,
                             .height = (uint32_t)image->height,
                             .bit_depth = (uint8_t)image->depth,
                             .color_type = types[image->channels]};
    int code = spng_set_ihdr(ctx, &ihdr);
    if (code == 0)
        code = spng_set_option(ctx, SPNG_IMG_COMPRESSION_LEVEL, COMPRESSION_LEVEL);
    if (code == 0)
        code = spng_set_option(ctx, SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_UP);
    if (code == 0 && icc) {
        struct spng_iccp iccp = {.profile_name = "ICC profile", .profile_len = icc->len,
                                 .profile = (char *)icc->data};
        code = spng_set_iccp(ctx, &iccp);
    }
    return code;
}

static int write_rows(spng_ctx *ctx, const struct lq_image *image)
{
    size_t row_len = (size_t)image->width * lq_image_pixel_bytes(image);
    int code = spng_encode_image(ctx, NULL, 0, SPNG_FMT_PNG,
                                 SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
    for (int y = 0; y < image->height && code == 0; y++)
        code = spng_encode_row(ctx, lq_image_row(image, y), row_len);
    return code == SPNG_EOI ? 0 : code;
}

int lq_png_encode(const struct lq_image *image, const struct lq_buf *icc, struct lq_buf *out,
                  struct lq_error *err)
{
    spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
    if (!ctx)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start the PNG encoder");
    struct sink sink = {.out = out};
    size_t before = out->len;
    int code = spng_set_png_stream(ctx, write_bytes, &sink);
    if (code == 0)
        code = write_header(ctx, image, icc);
    if (code == 0)
        code = write_rows(ctx, image);
    spng_ctx_free(ctx);
    if (code == 0)
        return LQ_OK;
    out->len = before;
    return lq_fail(err, sink.status != LQ_OK ? sink.status : LQ_ERR_MEMORY,
                   "cannot encode the PNG: %s", spng_strerror(code));
}
