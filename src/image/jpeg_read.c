#include "image/jpeg_read.h"

#include <string.h>

#include "image/jpeg_decoder.h"

#include <jerror.h>

enum { ROWS = 16 }; // read at a time

static struct lq_jpeg_decoder *decoder_of(j_common_ptr lib)
{
    return (struct lq_jpeg_decoder *)lib->client_data;
}

static void keep_reason(j_common_ptr lib)
{
    char text[JMSG_LENGTH_MAX];
    struct lq_jpeg_read *read = decoder_of(lib)->read;
    if (!read || read->why[0])
        return;
    lib->err->format_message(lib, text);
    snprintf(read->why, sizeof read->why, "%s", text);
}

static void fail(j_common_ptr lib)
{
    keep_reason(lib);
    longjmp(decoder_of(lib)->failed, 1);
}

static bool blocks_complete(const struct lq_jpeg_decoder *decoder)
{
    const struct jpeg_decompress_struct *lib = &decoder->lib;
    return lib->input_scan_number >= decoder->read->scans &&
           lib->input_iMCU_row >= lib->total_iMCU_rows;
}

// Warnings about what cameras write and nobody misses: bytes between segments before the first
// scan, unused parameters of a sequential scan, an unknown JFIF version. After the last block no
// warning matters.
static bool harmless(const struct lq_jpeg_decoder *decoder, int code)
{
    return code == JWRN_NOT_SEQUENTIAL || code == JWRN_JFIF_MAJOR ||
           (code == JWRN_EXTRANEOUS_DATA && decoder->lib.input_scan_number == 0) ||
           blocks_complete(decoder);
}

static void warn(j_common_ptr lib, int level)
{
    struct lq_jpeg_decoder *decoder = decoder_of(lib);
    if (!decoder->read) // the picture was complete before
        return;
    if (lib->err->msg_code == JWRN_EXTRANEOUS_DATA && blocks_complete(decoder))
        decoder->read->spare = (size_t)lib->err->msg_parm.i[0];
    if (level >= 0 || harmless(decoder, lib->err->msg_code))
        return;
    keep_reason(lib);
    decoder->damaged = true;
}

static void discard_message(j_common_ptr lib)
{
    (void)lib;
}

// ---- the bytes ----------------------------------------------------------------------------------

static void source_begin(j_decompress_ptr lib)
{
    (void)lib;
}

// At the end of the data, returns end markers forever.
static boolean source_fill(j_decompress_ptr lib)
{
    static const JOCTET end[2] = {0xff, JPEG_EOI};
    lib->src->next_input_byte = end;
    lib->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void source_skip(j_decompress_ptr lib, long count)
{
    struct jpeg_source_mgr *source = lib->src;
    if (count <= 0)
        return;
    if ((size_t)count > source->bytes_in_buffer) {
        source_fill(lib);
        return;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

static void open_decoder(struct lq_jpeg_decoder *decoder, struct lq_jpeg_read *read)
{
    jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = fail;
    decoder->errors.emit_message = warn;
    decoder->errors.output_message = discard_message;
    decoder->lib.err = &decoder->errors;
    decoder->lib.client_data = decoder;
    decoder->read = read;
    decoder->source = (struct jpeg_source_mgr){
        .next_input_byte = read->bytes,
        .bytes_in_buffer = read->len,
        .init_source = source_begin,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_begin,
    };
}

// ---- the samples --------------------------------------------------------------------------------

static void read_rows(struct jpeg_decompress_struct *lib, const struct lq_image *image)
{
    JSAMPROW rows[ROWS];
    while (lib->output_scanline < lib->output_height) {
        int from = (int)lib->output_scanline, count = image->height - from;
        count = count < ROWS ? count : ROWS;
        for (int i = 0; i < count; i++)
            rows[i] = lq_image_row(image, from + i);
        jpeg_read_scanlines(lib, rows, (JDIMENSION)count);
    }
}

// The library crops columns to whole blocks and smooths the first and last without their
// neighbours. With one more block on each side, the wanted columns are as in a whole picture.
static void place_columns(const struct jpeg_decompress_struct *lib,
                          const struct lq_pixel_box *part, JDIMENSION *from, JDIMENSION *count)
{
    int block = lib->max_h_samp_factor * DCTSIZE, width = (int)lib->output_width;
    int left = part->x - block > 0 ? part->x - block : 0;
    int right = part->x + part->width + block < width ? part->x + part->width + block : width;
    *from = (JDIMENSION)left;
    *count = (JDIMENSION)(right - left);
}

// Reads one more row above and below, for the same reason.
static void read_part(struct jpeg_decompress_struct *lib, const struct lq_image *image,
                      const struct lq_pixel_box *part)
{
    JDIMENSION from, count;
    int top = part->y > 0 ? part->y - 1 : 0, bottom = part->y + part->height + 1;
    bottom = bottom < image->height ? bottom : image->height;
    place_columns(lib, part, &from, &count);
    jpeg_crop_scanline(lib, &from, &count);
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = lq_image_row(image, y);
        if (y == top)
            jpeg_skip_scanlines(lib, (JDIMENSION)top);
        if (y < top || y >= bottom) {
            memset(row, 0, (size_t)image->width * 3);
            continue;
        }
        JSAMPROW at = row + 3 * (size_t)from;
        memset(row, 0, 3 * (size_t)from);
        memset(at + 3 * (size_t)count, 0, 3 * ((size_t)image->width - from - count));
        jpeg_read_scanlines(lib, &at, 1);
    }
}

static bool has_expected_size(struct lq_jpeg_decoder *decoder, const struct lq_image *image)
{
    const struct jpeg_decompress_struct *lib = &decoder->lib;
    if ((int)lib->output_width == image->width && (int)lib->output_height == image->height &&
        lib->output_components == image->channels)
        return true;
    snprintf(decoder->read->why, sizeof decoder->read->why, "its sizes differ");
    return false;
}

// Without the fast DCT: with vector units it saves no time and costs a grey level of accuracy.
static bool decode(struct lq_jpeg_decoder *decoder, const struct lq_image *image)
{
    struct jpeg_decompress_struct *lib = &decoder->lib;
    struct lq_jpeg_read *read = decoder->read;
    jpeg_create_decompress(lib);
    lib->src = &decoder->source;
    jpeg_read_header(lib, TRUE);
    lib->out_color_space = read->inks ? JCS_CMYK : JCS_RGB;
    lib->scale_num = 1;
    lib->scale_denom = (unsigned)read->shrink;
    decoder->kept = read->keeps && read->keeps(lib, read->context);
    lib->buffered_image = decoder->kept; // keeps the coefficients
    jpeg_start_decompress(lib);
    if (decoder->kept)
        jpeg_start_output(lib, 1);
    if (!has_expected_size(decoder, image))
        return false;
    if (read->part) {
        read_part(lib, image, read->part);
        return !decoder->damaged;
    }
    read_rows(lib, image);
    const uint8_t *at = decoder->source.next_input_byte;
    if (!jpeg_has_multiple_scans(lib) && at >= read->bytes && at < read->data_end)
        read->spare = (size_t)(read->data_end - at);
    return !decoder->damaged;
}

void lq_jpeg_decoder_release(struct lq_jpeg_decoder *decoder)
{
    jpeg_destroy_decompress(&decoder->lib);
    decoder->kept = false;
}

int lq_jpeg_read(struct lq_jpeg_read *read, const struct lq_image *image,
                 struct lq_jpeg_decoder *decoder)
{
    volatile int status = LQ_ERR_CORRUPT;
    *decoder = (struct lq_jpeg_decoder){0};
    read->why[0] = 0;
    read->spare = 0;
    open_decoder(decoder, read);
    if (setjmp(decoder->failed) == 0 && decode(decoder, image))
        status = LQ_OK;
    if (decoder->errors.msg_code == JERR_OUT_OF_MEMORY)
        status = LQ_ERR_MEMORY;
    if (status != LQ_OK || !decoder->kept)
        lq_jpeg_decoder_release(decoder);
    decoder->read = NULL; // belongs to the caller
    return status;
}
