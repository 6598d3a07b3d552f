#include "image/jpeg.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include "base/limits.h"
#include "image/jpeg_map.h"
#include "image/jpeg_read.h"
#include "image/orient.h"

enum {
    SCRATCH_BYTES_MAX = 512 * 1024 * 1024, // LQ_PICTURE_PIXELS_MAX at tjBufSize's 6 bytes each
    FULL_CHROMA_QUALITY = 92,
    LARGEST_SCANS = 16, // for the largest picture allowed; encoders write up to about a dozen
    ARITHMETIC_COST = 8, // an arithmetic scan counts as so many: its end is not noticed
    ICC_PART_BYTES_MAX = 65535 - 2 - 14,
    JFIF_END = 20, // SOI and the JFIF segment, with which every file written by libjpeg begins
};

void lq_jpeg_init(struct lq_jpeg *jpeg)
{
    *jpeg = (struct lq_jpeg){0};
    lq_buf_init(&jpeg->scratch, SCRATCH_BYTES_MAX);
    lq_jpeg_repaint_room_init(&jpeg->room);
}

void lq_jpeg_forget(struct lq_jpeg *jpeg)
{
    if (jpeg->decoder.kept)
        lq_jpeg_decoder_release(&jpeg->decoder);
}

void lq_jpeg_release(struct lq_jpeg *jpeg)
{
    if (jpeg->encoder)
        tjDestroy(jpeg->encoder);
    lq_jpeg_forget(jpeg);
    lq_jpeg_repaint_room_release(&jpeg->room);
    lq_buf_release(&jpeg->scratch);
    lq_jpeg_init(jpeg);
}

static int fail_damaged(struct lq_error *err, const char *why)
{
    return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the JPEG: %s", why);
}

static int fail_room(struct lq_error *err, int status)
{
    return lq_fail(err, status, "no room for the picture");
}

static bool is_arithmetic(const struct lq_jpeg_map *map)
{
    return map->process >= 0xc9;
}

// A block of 8x8 samples takes at least one bit of Huffman code. A header that promises more than a
// short file can hold is refused before memory is allocated.
static bool file_can_hold(const struct lq_jpeg_map *map)
{
    return is_arithmetic(map) || (size_t)map->width * (size_t)map->height / (64 * 8) <= map->len;
}

static int check_map(const struct lq_jpeg_map *map, size_t pixels_max,
                     struct lq_picture_info *info, struct lq_error *err)
{
    if (!map->process)
        return fail_damaged(err, "it ends before its header does");
    int status = lq_picture_check_size((uint32_t)map->width, (uint32_t)map->height, pixels_max,
                                       info, err);
    if (status != LQ_OK)
        return status;
    bool known = map->process <= 0xc2 || map->process == 0xc9 || map->process == 0xca;
    if (!known || map->precision != 8)
        return lq_fail(err, LQ_ERR_FORMAT, "JPEG process %02x with %d bits is not supported",
                       (unsigned)map->process, map->precision);
    if (map->components != 1 && map->components != 3 && map->components != 4)
        return lq_fail(err, LQ_ERR_FORMAT, "JPEG of %d components is not supported",
                       map->components);
    // Each scan visits every block, however little data it has, so limiting both limits the
    // decoder's time.
    size_t pixels = (size_t)map->width * (size_t)map->height;
    size_t scans = (size_t)map->scans * (is_arithmetic(map) ? ARITHMETIC_COST : 1);
    size_t shrunk = info ? (size_t)(info->shrunk * info->shrunk) : 1;
    if (map->scans > LQ_JPEG_SCANS_MAX || scans * pixels / LARGEST_SCANS > pixels_max * shrunk)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "JPEG of %dx%d pixels has too many scans: %d",
                       map->width, map->height, map->scans);
    // An arithmetic decoder does not notice the end of its data, so the end marker must exist.
    if (!map->covered || (!map->ended && (!map->whole || is_arithmetic(map))))
        return fail_damaged(err, "it ends early");
    if (!file_can_hold(map))
        return fail_damaged(err, "it is too short for its size in pixels");
    return LQ_OK;
}

// Adobe's four-colour files store 255 for no ink, others for full ink. Without a profile, uses the
// common approximation: the product of the light that each ink lets through.
static void rgb_from_cmyk(const struct lq_image *cmyk, const struct lq_color *profile,
                          bool inverted, const struct lq_image *rgb)
{
    unsigned flip = inverted ? 0 : 255;
    for (int y = 0; y < rgb->height; y++) {
        const uint8_t *from = lq_image_row(cmyk, y);
        uint8_t *to = lq_image_row(rgb, y);
        if (profile)
            lq_color_inks_to_srgb(profile, inverted, from, to, rgb->width);
        for (int x = 0; x < rgb->width && !profile; x++, from += 4, to += 3) {
            unsigned k = from[3] ^ flip;
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)(((from[c] ^ flip) * k + 127) / 255);
        }
    }
}

// Some cameras pad a scan. Any other data left before the end marker means that the decoder stopped
// early because of damage.
static bool is_padding(const struct lq_jpeg_map *map, size_t spare)
{
    if (spare > map->scan_len)
        return false;
    const uint8_t *padding = map->scan + map->scan_len - spare;
    for (size_t i = 1; i < spare; i++) {
        if (padding[i] != padding[0])
            return false;
    }
    return true;
}

// What to decode, and how.
struct scope {
    int shrink;
    int quality;     // if the picture may be repainted: the quality of the new file; else 0
    const struct lq_pixel_box *part; // decode only this part (quality must be 0); NULL: all
};

// Accepts only a complete picture. If no end marker follows the last block, ignores what follows:
// phones append data of their own, some without a marker before it.
static int decode_whole(struct lq_jpeg *jpeg, const struct lq_jpeg_map *map,
                        const struct scope *scope, const struct lq_image *image,
                        struct lq_error *err)
{
    int quality = scope->quality;
    struct lq_jpeg_read read = {
        .bytes = map->bytes,
        .len = map->ended ? map->len : (size_t)(map->whole - map->bytes),
        .scans = map->scans,
        .data_end = map->ended ? map->scan + map->scan_len : NULL,
        .inks = image->channels == 4,
        .shrink = scope->shrink,
        .part = scope->part,
        .keeps = quality ? lq_jpeg_repaint_fits : NULL,
        .context = &quality,
    };
    int status = lq_jpeg_read(&read, image, &jpeg->decoder);
    if (status == LQ_ERR_MEMORY)
        return fail_room(err, status);
    if (status != LQ_OK)
        return fail_damaged(err, read.why);
    if (map->ended && !scope->part && !is_padding(map, read.spare)) {
        lq_jpeg_forget(jpeg);
        return fail_damaged(err, "bytes are left over, so some are damaged");
    }
    return LQ_OK;
}

static int decode_cmyk(struct lq_jpeg *jpeg, const struct lq_jpeg_map *map, int shrink,
                       const struct lq_color *profile, const struct lq_image *image,
                       struct lq_error *err)
{
    struct lq_image cmyk;
    int status = lq_image_alloc(&cmyk, &jpeg->scratch, image->width, image->height, 4, 8);
    if (status != LQ_OK)
        return fail_room(err, status);
    status = decode_whole(jpeg, map, &(struct scope){.shrink = shrink}, &cmyk, err);
    if (status == LQ_OK)
        rgb_from_cmyk(&cmyk, profile, map->adobe, image);
    return status;
}

static int fill_info(const struct lq_jpeg_map *map, struct lq_picture_info *info,
                     struct lq_error *err)
{
    if (!info)
        return LQ_OK;
    info->kind = LQ_PICTURE_JPEG;
    info->source_channels = map->components;
    info->source_depth = map->precision;
    int status = lq_jpeg_map_icc(map, &info->icc);
    return status == LQ_OK ? LQ_OK : lq_fail(err, status, "no room for the colour profile");
}

// Applies a CMYK profile, which the conversion to RGB uses up.
static const struct lq_color *ink_profile(struct lq_color *color, struct lq_picture_info *info)
{
    if (!info)
        return NULL;
    enum lq_color_kind kind = lq_color_set(color, info->icc.data, info->icc.len);
    lq_buf_clear(&info->icc);
    return kind == LQ_COLOR_INKS ? color : NULL;
}

// Decides whether to decode only a part of the picture: if the caller wants that and the file
// allows it.
static bool choose_part(const struct lq_jpeg_map *map, int orientation,
                        struct lq_picture_info *info, struct lq_pixel_box *part)
{
    bool one_scan = map->process <= 0xc1 && map->scans == 1 && map->ended;
    info->is_part = info->choose_part && one_scan && orientation == 1 && info->shrunk == 1 &&
                    !info->repaint_quality && map->components != 4 &&
                    info->choose_part(info->part_context, map->width, map->height, part);
    return info->is_part;
}

int lq_jpeg_decode(struct lq_jpeg *jpeg, struct lq_color *color,
                   const struct lq_picture_file *file, struct lq_stored_picture *picture,
                   struct lq_picture_info *info, struct lq_error *err)
{
    struct lq_jpeg_map map;
    lq_jpeg_map_read(&map, file->bytes, file->len);
    lq_jpeg_forget(jpeg);
    int status = check_map(&map, file->pixels_max, info, err);
    if (status != LQ_OK)
        return status;
    int shrunk = info ? info->shrunk : 1;
    picture->orientation = map.exif ? lq_exif_orientation(map.exif, map.exif_len) : 1;
    int quality = info && shrunk == 1 && picture->orientation == 1 ? info->repaint_quality : 0;
    struct lq_image *image = &picture->image;
    status = lq_image_alloc(image, picture->pixels, (map.width + shrunk - 1) / shrunk,
                            (map.height + shrunk - 1) / shrunk, 3, 8);
    if (status != LQ_OK)
        return fail_room(err, status);
    struct lq_pixel_box part;
    bool is_part = info && choose_part(&map, picture->orientation, info, &part);
    status = fill_info(&map, info, err);
    if (status == LQ_OK && map.components == 4)
        status = decode_cmyk(jpeg, &map, shrunk, ink_profile(color, info), image, err);
    else if (status == LQ_OK)
        status = decode_whole(jpeg, &map, &(struct scope){shrunk, quality, is_part ? &part : NULL},
                              image, err);
    return status;
}

static int append_icc(struct lq_buf *out, const struct lq_buf *icc)
{
    size_t parts = (icc->len + ICC_PART_BYTES_MAX - 1) / ICC_PART_BYTES_MAX;
    if (parts > 255)
        return LQ_ERR_TOO_LARGE;
    int status = LQ_OK;
    for (size_t part = 0; part < parts && status == LQ_OK; part++) {
        size_t from = part * ICC_PART_BYTES_MAX;
        size_t len = icc->len - from < ICC_PART_BYTES_MAX ? icc->len - from : ICC_PART_BYTES_MAX;
        uint8_t head[18] = {0xff, 0xe2, (uint8_t)((len + 16) >> 8), (uint8_t)(len + 16)};
        memcpy(head + 4, "ICC_PROFILE", 12);
        head[16] = (uint8_t)(part + 1);
        head[17] = (uint8_t)parts;
        status = lq_buf_append(out, head, sizeof(head));
        if (status == LQ_OK)
            status = lq_buf_append(out, icc->data + from, len);
    }
    return status;
}

// Inserts the profile after the JFIF segment, which must come first.
static int append_file(struct lq_buf *out, const uint8_t *bytes, size_t len,
                       const struct lq_buf *icc)
{
    if (!icc)
        return lq_buf_append(out, bytes, len);
    int status = lq_buf_append(out, bytes, JFIF_END);
    if (status == LQ_OK)
        status = append_icc(out, icc);
    return status == LQ_OK ? lq_buf_append(out, bytes + JFIF_END, len - JFIF_END) : status;
}

static int append_whole(struct lq_buf *out, const uint8_t *bytes, size_t len,
                        const struct lq_buf *icc, struct lq_error *err)
{
    size_t before = out->len;
    int status = append_file(out, bytes, len, icc);
    if (status == LQ_OK)
        return LQ_OK;
    out->len = before;
    return lq_fail(err, status, "no room for the JPEG of %zu bytes", len);
}

int lq_jpeg_repaint_last(struct lq_jpeg *jpeg, const struct lq_painted_image *painted,
                         const struct lq_buf *icc, struct lq_buf *out, struct lq_error *err)
{
    bool done = lq_jpeg_repaint(&jpeg->decoder, painted, &jpeg->room, &jpeg->scratch);
    lq_jpeg_forget(jpeg);
    if (!done)
        return LQ_ERR_NOT_FOUND;
    return append_whole(out, jpeg->scratch.data, jpeg->scratch.len, icc, err);
}

int lq_jpeg_encode(struct lq_jpeg *jpeg, const struct lq_image *image, int quality,
                   const struct lq_buf *icc, struct lq_buf *out, struct lq_error *err)
{
    static const int formats[5] = {[1] = TJPF_GRAY, [3] = TJPF_RGB, [4] = TJPF_RGBX};
    if (!jpeg->encoder)
        jpeg->encoder = tjInitCompress();
    if (!jpeg->encoder)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot start the JPEG encoder");
    int subsampling = quality < FULL_CHROMA_QUALITY ? TJSAMP_420 : TJSAMP_444;
    if (image->channels == 1)
        subsampling = TJSAMP_GRAY;
    // Encode into scratch memory, not into `out`: the library needs room for the worst case, many
    // times the result's size, and only the thread should hold that much, not each session.
    unsigned long len = tjBufSize(image->width, image->height, subsampling);
    int status = lq_buf_resize(&jpeg->scratch, len);
    if (status != LQ_OK)
        return fail_room(err, status);
    unsigned char *bytes = jpeg->scratch.data;
    if (tjCompress2(jpeg->encoder, image->data, image->width, (int)image->stride, image->height,
                    formats[image->channels], &bytes, &len, subsampling, quality,
                    TJFLAG_NOREALLOC) != 0)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot encode the JPEG: %s",
                       tjGetErrorStr2(jpeg->encoder));
    return append_whole(out, bytes, len, icc, err);
}
