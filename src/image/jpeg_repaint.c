// libjpeg encodes the changed blocks as a separate picture, 16x16 pixels each, one below the other.
// The resulting coefficients are copied among the frame's own, and these are written.
#include "image/jpeg_repaint.h"

#include <stdlib.h>
#include <string.h>

#include "image/jpeg_decoder.h"

#include <turbojpeg.h>

enum {
    MCU = 16,              // side in pixels of the unit that 4:2:0 encodes together
    PIXELS_MAX = 4 << 20,  // per frame; coefficients take three bytes per pixel
    CHANGED_MAX = 4000,    // because a JPEG is at most 65500 pixels high
};

// Bounds of the mean ratio between the frame's quantisation steps and those of the requested
// quality. A finer frame makes the response large, a coarser one makes the polish look poor.
static const double FINEST = 0.75, COARSEST = 1.6;

// ---- whether repainting is possible

// `sum`: of ITU-T T.81's table K.1 or K.2, which quality 50 uses unchanged.
static bool as_fine(const JQUANT_TBL *table, double sum, int quality)
{
    double steps = 0, target = sum * jpeg_quality_scaling(quality) / 100.0;
    for (int i = 0; table && i < DCTSIZE2; i++)
        steps += table->quantval[i];
    return steps >= FINEST * target && steps <= COARSEST * target;
}

static const JQUANT_TBL *table_of(const struct jpeg_decompress_struct *header, int component)
{
    int at = header->comp_info[component].quant_tbl_no;
    return at >= 0 && at < NUM_QUANT_TBLS ? header->quant_tbl_ptrs[at] : NULL;
}

static bool samples(const jpeg_component_info *component, int side)
{
    return component->h_samp_factor == side && component->v_samp_factor == side;
}

bool lq_jpeg_repaint_fits(const struct jpeg_decompress_struct *header, void *quality)
{
    const jpeg_component_info *parts = header->comp_info;
    const int *aim = quality;
    return header->num_components == 3 && header->comps_in_scan == 3 &&
           header->jpeg_color_space == JCS_YCbCr && !header->progressive_mode &&
           (size_t)header->image_width * header->image_height <= PIXELS_MAX &&
           samples(&parts[0], 2) && samples(&parts[1], 1) && samples(&parts[2], 1) &&
           as_fine(table_of(header, 0), 3688, *aim) && as_fine(table_of(header, 1), 5505, *aim);
}

// ---- the library's objects, released on any failure

struct guard {
    struct jpeg_error_mgr errors; // must come first: callbacks cast its address to this struct
    jmp_buf failed;
};

static void fail(j_common_ptr lib)
{
    longjmp(((struct guard *)(void *)lib->err)->failed, 1);
}

static void ignore_message(j_common_ptr lib, int level)
{
    (void)lib;
    (void)level;
}

static struct jpeg_error_mgr *guard_init(struct guard *guard)
{
    jpeg_std_error(&guard->errors);
    guard->errors.error_exit = fail;
    guard->errors.emit_message = ignore_message;
    return &guard->errors;
}

// Where the library writes a file: the buffer's memory, or memory of its own if that is too small.
struct destination {
    struct lq_buf *file;
    unsigned char *bytes;
    unsigned long len;
};

// Sets up a compressor with the frame's tables and sampling, for a file of up to this many pixels.
static bool begin(struct jpeg_compress_struct *lib, struct lq_jpeg_decoder *frame, int width,
                  int height, struct destination *to)
{
    to->len = tjBufSize(width, height, TJSAMP_420);
    if (lq_buf_resize(to->file, to->len) != LQ_OK)
        return false;
    to->bytes = to->file->data;
    jpeg_create_compress(lib);
    jpeg_mem_dest(lib, &to->bytes, &to->len);
    jpeg_copy_critical_parameters(&frame->lib, lib);
    return true;
}

static bool end(const struct destination *to)
{
    bool fits = to->bytes == to->file->data;
    if (!fits)
        free(to->bytes);
    return fits && lq_buf_resize(to->file, to->len) == LQ_OK;
}

// ---- the changed blocks

struct grid {
    int width, height; // blocks
    uint8_t *changed;
    int count;         // changed blocks
};

static bool mark(struct grid *grid, const struct lq_painted_image *painted, struct lq_buf *room)
{
    const struct lq_image *image = painted->image;
    grid->width = (image->width + MCU - 1) / MCU;
    grid->height = (image->height + MCU - 1) / MCU;
    size_t all = (size_t)grid->width * (size_t)grid->height;
    if (lq_buf_resize(room, all) != LQ_OK)
        return false;
    grid->changed = room->data;
    memset(grid->changed, 0, all);
    for (int i = 0; i < painted->part_count; i++) {
        const struct lq_pixel_box *part = &painted->parts[i];
        if (part->width < 1 || part->height < 1)
            continue;
        for (int y = part->y / MCU; y <= (part->y + part->height - 1) / MCU; y++)
            for (int x = part->x / MCU; x <= (part->x + part->width - 1) / MCU; x++)
                grid->changed[(size_t)y * (size_t)grid->width + (size_t)x] = 1;
    }
    grid->count = 0;
    for (size_t i = 0; i < all; i++)
        grid->count += grid->changed[i];
    return grid->count <= CHANGED_MAX && (size_t)grid->count * 2 <= all;
}

// The rows of a block in place, or a copy with the edge repeated if the block extends beyond the
// picture.
static void rows_of(const struct lq_image *image, int x, int y, uint8_t edge[MCU][3 * MCU],
                    JSAMPROW rows[MCU])
{
    bool whole = x + MCU <= image->width && y + MCU <= image->height;
    for (int j = 0; j < MCU; j++) {
        uint8_t *row = lq_image_row(image, y + j < image->height ? y + j : image->height - 1);
        rows[j] = whole ? row + 3 * x : edge[j];
        for (int i = 0; !whole && i < MCU; i++)
            memcpy(edge[j] + 3 * i, row + 3 * (x + i < image->width ? x + i : image->width - 1), 3);
    }
}

static void write_changed(struct jpeg_compress_struct *lib, const struct lq_image *image,
                          const struct grid *grid)
{
    uint8_t edge[MCU][3 * MCU];
    JSAMPROW rows[MCU];
    lib->image_width = MCU;
    lib->image_height = (JDIMENSION)(MCU * grid->count);
    lib->input_components = 3;
    lib->in_color_space = JCS_RGB;
    jpeg_start_compress(lib, TRUE);
    for (int y = 0; y < grid->height; y++)
        for (int x = 0; x < grid->width; x++)
            if (grid->changed[(size_t)y * (size_t)grid->width + (size_t)x]) {
                rows_of(image, x * MCU, y * MCU, edge, rows);
                jpeg_write_scanlines(lib, rows, MCU);
            }
    jpeg_finish_compress(lib);
}

static bool encode_changed(struct lq_jpeg_decoder *frame, const struct lq_image *image,
                           const struct grid *grid, struct lq_buf *strip)
{
    struct guard guard;
    struct jpeg_compress_struct lib = {.err = guard_init(&guard)};
    struct destination to = {.file = strip};
    volatile bool done = false;
    if (setjmp(guard.failed) == 0 && begin(&lib, frame, MCU, MCU * grid->count, &to)) {
        write_changed(&lib, image, grid);
        done = true;
    }
    jpeg_destroy_compress(&lib);
    return done && end(&to);
}

// ---- inserting them into the frame

// A picture's coefficients in the library's form: an array of blocks per component.
struct coefficients {
    struct jpeg_decompress_struct *lib;
    jvirt_barray_ptr *arrays;
};

static JBLOCKROW row_of(const struct coefficients *picture, int component, int y, bool write)
{
    struct jpeg_decompress_struct *lib = picture->lib;
    return lib->mem->access_virt_barray((j_common_ptr)lib, picture->arrays[component],
                                        (JDIMENSION)y, 1, write)[0];
}

// Copies MCU `at` of the strip to MCU (x, y) of the frame.
static void put_block(const struct coefficients *strip, int at, const struct coefficients *frame,
                      int x, int y)
{
    for (int c = 0; c < 3; c++) {
        int side = c == 0 ? 2 : 1;
        for (int j = 0; j < side; j++)
            memcpy(row_of(frame, c, y * side + j, true) + x * side,
                   row_of(strip, c, at * side + j, false), (size_t)side * sizeof(JBLOCK));
    }
}

static bool put_changed(const struct coefficients *frame, const struct grid *grid,
                        const struct lq_buf *strip)
{
    struct guard guard;
    struct jpeg_decompress_struct lib = {.err = guard_init(&guard)};
    volatile bool done = false;
    if (setjmp(guard.failed) == 0) {
        jpeg_create_decompress(&lib);
        jpeg_mem_src(&lib, strip->data, strip->len);
        jpeg_read_header(&lib, TRUE);
        const struct coefficients changed = {&lib, jpeg_read_coefficients(&lib)};
        for (int y = 0, at = 0; y < grid->height; y++)
            for (int x = 0; x < grid->width; x++)
                if (grid->changed[(size_t)y * (size_t)grid->width + (size_t)x])
                    put_block(&changed, at++, frame, x, y);
        done = true;
    }
    jpeg_destroy_decompress(&lib);
    return done;
}

static bool write_all(struct lq_jpeg_decoder *frame, jvirt_barray_ptr *coefficients,
                      struct lq_buf *file)
{
    struct guard guard;
    struct jpeg_compress_struct lib = {.err = guard_init(&guard)};
    struct destination to = {.file = file};
    volatile bool done = false;
    if (setjmp(guard.failed) == 0 && begin(&lib, frame, (int)frame->lib.image_width,
                                           (int)frame->lib.image_height, &to)) {
        jpeg_write_coefficients(&lib, coefficients);
        jpeg_finish_compress(&lib);
        done = true;
    }
    jpeg_destroy_compress(&lib);
    return done && end(&to);
}

// The frame's coefficients; NULL on failure. The data after the last block was read earlier.
static jvirt_barray_ptr *read_coefficients(struct lq_jpeg_decoder *frame)
{
    if (setjmp(frame->failed) != 0)
        return NULL;
    jpeg_finish_output(&frame->lib);
    return jpeg_read_coefficients(&frame->lib);
}

static bool repaint(struct lq_jpeg_decoder *frame, const struct lq_image *image,
                    const struct grid *grid, struct lq_buf *strip, struct lq_buf *file)
{
    jvirt_barray_ptr *coefficients = read_coefficients(frame);
    if (!coefficients || (grid->count > 0 && !encode_changed(frame, image, grid, strip)))
        return false;
    if (setjmp(frame->failed) != 0)
        return false;
    const struct coefficients all = {&frame->lib, coefficients};
    return (grid->count == 0 || put_changed(&all, grid, strip)) &&
           write_all(frame, coefficients, file);
}

void lq_jpeg_repaint_room_init(struct lq_jpeg_repaint_room *room)
{
    lq_buf_init(&room->changed, PIXELS_MAX / MCU); // a row of blocks may be one pixel wide
    lq_buf_init(&room->strip, (size_t)CHANGED_MAX * MCU * MCU * 6 + 4096); // what tjBufSize returns
}

void lq_jpeg_repaint_room_release(struct lq_jpeg_repaint_room *room)
{
    lq_buf_release(&room->changed);
    lq_buf_release(&room->strip);
}

bool lq_jpeg_repaint(struct lq_jpeg_decoder *decoder, const struct lq_painted_image *painted,
                     struct lq_jpeg_repaint_room *room, struct lq_buf *file)
{
    const struct lq_image *image = painted->image;
    struct grid grid;
    return decoder->kept && image->channels == 3 && image->depth == 8 &&
           image->width == (int)decoder->lib.image_width &&
           image->height == (int)decoder->lib.image_height &&
           mark(&grid, painted, &room->changed) &&
           repaint(decoder, image, &grid, &room->strip, file);
}
