// Decodes only a part of a JPEG: it equals that part of the whole picture, with black around it.
// Also tests files for which that is not possible, and damaged ones.
#include "image/jpeg.h"

#include <turbojpeg.h>

#include "base/limits.h"
#include "unit/image/pictures.h"

enum { WIDTH = 211, HEIGHT = 163, NEAR = 64 }; // NEAR: two of the widest blocks, of 4:1:1

static struct lq_codec *codec;
static struct lq_error error;
static struct lq_buf file, edited, pixels, whole_pixels;
static struct lq_image image, whole;
static struct lq_picture_info info;
static struct lq_pixel_box wanted;
static int asked;
static struct lq_buf *const bufs[] = {&file, &edited, &pixels, &whole_pixels};
static const struct codec_fixture fixture = {&codec, bufs, LQ_COUNT(bufs), &info, &error};

// Encodes a noisy picture and decodes it into `whole`.
static void make_file(int subsampling, int flags)
{
    static uint8_t noise[WIDTH * HEIGHT * 3];
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    uint32_t seed = 5;
    tjhandle handle = tjInitCompress();
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(unit_random(&seed) >> 24);
    assert_int_equal(tjCompress2(handle, noise, WIDTH, 0, HEIGHT, TJPF_RGB, &bytes, &len,
                                 subsampling, 90, flags), 0);
    lq_buf_clear(&file);
    assert_ok(lq_buf_append(&file, bytes, len));
    tjFree(bytes);
    tjDestroy(handle);
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                              &whole_pixels, &whole, NULL, &error));
}

static bool choose(void *context, int width, int height, struct lq_pixel_box *part)
{
    assert_ptr_equal(context, &wanted);
    assert_int_equal(width, WIDTH);
    assert_int_equal(height, HEIGHT);
    *part = wanted;
    asked++;
    return wanted.width > 0;
}

static int decode(const struct lq_buf *from, const struct lq_pixel_box *part)
{
    wanted = *part;
    info.choose_part = choose;
    info.part_context = &wanted;
    asked = 0;
    // The buffer's old contents must not remain visible.
    if (pixels.len)
        memset(pixels.data, 0x5a, pixels.len);
    return lq_codec_decode(codec, &(struct lq_picture_file){from->data, from->len, 1 << 20},
                           &pixels, &image, &info, &error);
}

static void assert_part(const struct lq_pixel_box *part)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const uint8_t *is = lq_image_row(&image, y) + 3 * x;
            const uint8_t *was = lq_image_row(&whole, y) + 3 * x;
            int right = part->x + part->width, bottom = part->y + part->height;
            bool inside = x >= part->x && x < right && y >= part->y && y < bottom;
            bool far = x < part->x - NEAR || x >= right + NEAR || y < part->y - 1 ||
                       y >= bottom + 1;
            if (inside && memcmp(is, was, 3) != 0)
                fail_msg("(%d, %d) of %dx%d at (%d, %d) differs", x, y, part->width, part->height,
                         part->x, part->y);
            if (far && (is[0] || is[1] || is[2]))
                fail_msg("(%d, %d) is not black", x, y);
        }
}

static const struct lq_pixel_box parts[] = {
    {40, 50, 60, 40}, {0, 0, WIDTH, HEIGHT}, {0, 0, 1, 1}, {WIDTH - 1, HEIGHT - 1, 1, 1},
    {17, 0, 33, HEIGHT}, {0, 31, WIDTH, 33}, {100, 15, 15, 17}, {16, 16, 16, 16},
    {WIDTH - 40, 3, 40, 100},
};

static void a_part_is_as_in_the_whole(void **state)
{
    (void)state;
    static const int kinds[] = {TJSAMP_420, TJSAMP_422, TJSAMP_444, TJSAMP_440, TJSAMP_411,
                                TJSAMP_GRAY};
    for (size_t kind = 0; kind < LQ_COUNT(kinds); kind++) {
        make_file(kinds[kind], 0);
        for (size_t i = 0; i < LQ_COUNT(parts); i++) {
            assert_ok(decode(&file, &parts[i]));
            assert_true(info.is_part);
            assert_int_equal(asked, 1);
            assert_part(&parts[i]);
        }
    }
}

static void the_whole_where_no_part_is_wanted(void **state)
{
    (void)state;
    make_file(TJSAMP_420, 0);
    assert_ok(decode(&file, &(struct lq_pixel_box){0}));
    assert_false(info.is_part);
    assert_int_equal(picture_difference(&image, &whole), 0);
}

// Several scans, a picture to be rotated, one to be repainted.
static void decodes_the_whole_if_a_part_is_not_possible(void **state)
{
    (void)state;
    make_file(TJSAMP_420, TJFLAG_PROGRESSIVE);
    assert_ok(decode(&file, &parts[0]));
    assert_false(info.is_part);
    assert_int_equal(picture_difference(&image, &whole), 0);
    make_file(TJSAMP_420, 0);
    info.repaint_quality = 90;
    assert_ok(decode(&file, &parts[0]));
    assert_false(info.is_part);
    assert_int_equal(picture_difference(&image, &whole), 0);
    info.repaint_quality = 0;
    uint8_t segment[10 + EXIF_TIFF_LEN] = {0xff, 0xe1, 0, 8 + EXIF_TIFF_LEN, 'E', 'x', 'i', 'f'};
    exif_tiff(segment + 10, 3, 0);
    file_insert(&file, 2, segment, sizeof(segment));
    assert_ok(decode(&file, &parts[0]));
    assert_false(info.is_part);
}

// A file cut anywhere is an error, as for a whole picture; so is damage before the part's last row.
static void a_truncated_file_is_an_error(void **state)
{
    (void)state;
    make_file(TJSAMP_420, 0);
    for (size_t len = 3; len < file.len - 2; len += 97) {
        file_copy(&edited, &file);
        edited.len = len;
        assert_int_equal(decode(&edited, &parts[0]), LQ_ERR_CORRUPT);
    }
    size_t scan = jpeg_find(&file, 0xda); // the part ends at 90 of 163 rows
    for (size_t len = scan + 20; len < scan + (file.len - scan) / 2; len += 97) {
        file_copy(&edited, &file);
        edited.len = len;
        assert_ok(lq_buf_append(&edited, (const uint8_t[]){0xff, 0xd9}, 2));
        assert_int_equal(decode(&edited, &parts[0]), LQ_ERR_CORRUPT);
    }
}

static void survives_damage(void **state)
{
    (void)state;
    uint32_t seed = 9;
    make_file(TJSAMP_420, 0);
    for (int round = 0; round < 500; round++) {
        file_copy(&edited, &file);
        for (int i = 0; i < 1 + round % 4; i++)
            edited.data[3 + unit_random(&seed) % (edited.len - 3)] = (uint8_t)unit_random(&seed);
        info.choose_part = NULL;
        int status = lq_codec_decode(codec,
                                     &(struct lq_picture_file){edited.data, edited.len, 1 << 20},
                                     &pixels, &image, &info, &error);
        if (status == LQ_OK && image.width == WIDTH && image.height == HEIGHT)
            assert_true(decode(&edited, &parts[round % LQ_COUNT(parts)]) == LQ_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_as_in_the_whole),
        cmocka_unit_test(the_whole_where_no_part_is_wanted),
        cmocka_unit_test(decodes_the_whole_if_a_part_is_not_possible),
        cmocka_unit_test(a_truncated_file_is_an_error),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, codec_set_up, codec_tear_down);
}
