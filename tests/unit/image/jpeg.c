#include "image/jpeg.h"

#include <turbojpeg.h>

#include "base/limits.h"
#include "unit/image/pictures.h"

static struct lq_codec *codec;
static struct lq_error error;
static struct lq_buf source_buf, file, edited, pixels, whole_pixels;
static struct lq_image source, image, whole;
static struct lq_buf *const bufs[] = {&source_buf, &file, &edited, &pixels, &whole_pixels};
static const struct codec_fixture fixture = {&codec, bufs, LQ_COUNT(bufs), NULL, &error};

static int decode(const struct lq_buf *from)
{
    return lq_codec_decode(codec,
                           &(struct lq_picture_file){from->data, from->len, LQ_FRAME_PIXELS_MAX},
                           &pixels, &image, NULL, &error);
}

static void compress(const void *from, int width, int height, int format, int subsampling,
                     int flags)
{
    tjhandle handle = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    assert_int_equal(tjCompress2(handle, from, width, 0, height, format, &bytes, &len, subsampling,
                                 90, flags), 0);
    lq_buf_clear(&file);
    assert_ok(lq_buf_append(&file, bytes, len));
    tjFree(bytes);
    tjDestroy(handle);
}

// Encodes a noisy picture of 43x27 pixels in `file` and decodes it into `whole`.
static void make_file(int channels, int subsampling, int flags)
{
    static uint8_t noise[43 * 27 * 3];
    uint32_t seed = 5;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)(unit_random(&seed) >> 24);
    compress(noise, 43, 27, channels == 1 ? TJPF_GRAY : TJPF_RGB, subsampling, flags);
    if (lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                        &whole_pixels, &whole, NULL, &error) != LQ_OK)
        fail_msg("not decoded: %s", error.text);
}

static void assert_same_as_whole(const struct lq_buf *changed)
{
    int status = decode(changed);
    if (status != LQ_OK)
        fail_msg("not decoded: %s", error.text);
    assert_int_equal(picture_difference(&image, &whole), 0);
}

static void turns_upright(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        // One stored corner is red: the one that this orientation shows at the top left.
        static const int corners[9][2] = {{0}, {0, 0}, {1, 0}, {1, 1}, {0, 1},
                                          {0, 0}, {0, 1}, {1, 1}, {1, 0}};
        picture_make(&source, &source_buf, 64, 32, 3);
        memset(source_buf.data, 0, source_buf.len);
        for (int y = 0; y < 16; y++) {
            for (int x = 0; x < 16; x++)
                lq_image_row(&source, y + 16 * corners[orientation][1])
                    [3 * (x + 48 * corners[orientation][0])] = 255;
        }
        lq_buf_clear(&file);
        assert_ok(lq_codec_encode_jpeg(codec, &source, 90, NULL, &file, &error));
        uint8_t segment[10 + EXIF_TIFF_LEN] = {0xff, 0xe1, 0, 8 + EXIF_TIFF_LEN,
                                               'E', 'x', 'i', 'f'};
        exif_tiff(segment + 10, orientation, orientation % 2);
        file_insert(&file, 2, segment, sizeof(segment));
        struct lq_picture_info info;
        lq_picture_info_init(&info);
        assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                                  &pixels, &image, &info, &error));
        assert_int_equal(info.orientation, orientation);
        assert_int_equal(info.kind, LQ_PICTURE_JPEG);
        assert_int_equal(image.width, orientation < 5 ? 64 : 32);
        assert_int_equal(image.height, orientation < 5 ? 32 : 64);
        assert_true(lq_image_row(&image, 4)[3 * 4] > 200);
        assert_true(lq_image_row(&image, 4)[3 * (image.width - 5)] < 50);
        assert_true(lq_image_row(&image, image.height - 5)[3 * 4] < 50);
        lq_picture_info_release(&info);
    }
}

static void widens_grey(void **state)
{
    (void)state;
    make_file(1, TJSAMP_GRAY, 0);
    struct lq_picture_info info;
    lq_picture_info_init(&info);
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 20},
                              &pixels, &image, &info, &error));
    assert_int_equal(info.source_channels, 1);
    assert_int_equal(image.channels, 3);
    for (int y = 0; y < image.height; y++) {
        for (int x = 0; x < image.width; x++) {
            const uint8_t *pixel = lq_image_row(&image, y) + 3 * x;
            assert_true(pixel[0] == pixel[1] && pixel[1] == pixel[2]);
        }
    }
    lq_picture_info_release(&info);
}

static void fill_inks(uint8_t *inks, size_t count, const uint8_t ink[4])
{
    for (size_t i = 0; i < count; i++)
        memcpy(inks + 4 * i, ink, 4);
}

static void assert_colour(int red, int green, int blue)
{
    const int wanted[3] = {red, green, blue};
    for (int c = 0; c < 3; c++)
        assert_true(abs(lq_image_row(&image, 7)[3 * 9 + c] - wanted[c]) <= 4);
}

static void converts_four_colours(void **state)
{
    (void)state;
    static uint8_t inks[4 * 32 * 16];
    fill_inks(inks, 32 * 16, (const uint8_t[]){250, 60, 130, 200}); // as Adobe stores: paper is 255
    compress(inks, 32, 16, TJPF_CMYK, TJSAMP_444, 0);
    assert_ok(decode(&file));
    assert_int_equal(image.channels, 3);
    assert_colour(250 * 200 / 255, 60 * 200 / 255, 130 * 200 / 255);

    // Grey inks read the same in YCCK as in CMYK, so dropping Adobe's segment leaves a plain file.
    fill_inks(inks, 32 * 16, (const uint8_t[]){128, 128, 128, 55});
    compress(inks, 32, 16, TJPF_CMYK, TJSAMP_444, 0);
    assert_ok(decode(&file));
    assert_colour(128 * 55 / 255, 128 * 55 / 255, 128 * 55 / 255);
    size_t at = jpeg_find(&file, 0xee);
    size_t len = 2 + ((size_t)file.data[at + 2] << 8 | file.data[at + 3]);
    memmove(file.data + at, file.data + at + len, file.len - at - len);
    file.len -= len;
    assert_ok(decode(&file));
    assert_colour(127 * 200 / 255, 127 * 200 / 255, 127 * 200 / 255);
}

static void reads_every_subsampling(void **state)
{
    (void)state;
    for (int subsampling = 0; subsampling < TJ_NUMSAMP; subsampling++) {
        for (int progressive = 0; progressive < 2; progressive++) {
            picture_make(&source, &source_buf, 67, 41, 3);
            static uint8_t packed[67 * 41 * 3];
            for (int y = 0; y < 41; y++)
                memcpy(packed + y * 67 * 3, lq_image_row(&source, y), 67 * 3);
            compress(packed, 67, 41, TJPF_RGB, subsampling, progressive ? TJFLAG_PROGRESSIVE : 0);
            assert_ok(decode(&file));
            assert_int_equal(image.width, 67);
            if (subsampling != TJSAMP_GRAY)
                assert_true(picture_difference(&source, &image) <= 16);
        }
    }
}

// A file cut anywhere gives an error or, if only its end marker is missing, every pixel.
static void never_half_a_picture(void **state)
{
    (void)state;
    static const int kinds[][3] = {{3, TJSAMP_420, 0}, {3, TJSAMP_444, 0}, {1, TJSAMP_GRAY, 0},
                                   {3, TJSAMP_420, TJFLAG_PROGRESSIVE},
                                   {1, TJSAMP_GRAY, TJFLAG_PROGRESSIVE}};
    for (size_t kind = 0; kind < LQ_COUNT(kinds); kind++) {
        make_file(kinds[kind][0], kinds[kind][1], kinds[kind][2]);
        for (size_t len = 0; len < file.len; len++) {
            file_copy(&edited, &file);
            edited.len = len;
            int status = decode(&edited);
            if (len < 3)
                assert_int_equal(status, LQ_ERR_FORMAT);
            else if (status != LQ_OK)
                assert_int_equal(status, LQ_ERR_CORRUPT);
            else
                assert_int_equal(picture_difference(&image, &whole), 0);
            assert_false(status == LQ_OK && len < file.len - 2);
        }
        // The same cuts, closed with an end marker.
        for (size_t len = 3; len < file.len - 2; len++) {
            file_copy(&edited, &file);
            edited.len = len;
            assert_ok(lq_buf_append(&edited, (const uint8_t[]){0xff, 0xd9}, 2));
            if (kinds[kind][2] == 0)
                assert_int_equal(decode(&edited), LQ_ERR_CORRUPT);
            else
                (void)!decode(&edited); // scans to come may be left out by design
        }
    }
}

static void survives_damage(void **state)
{
    (void)state;
    uint32_t seed = 9;
    for (int kind = 0; kind < 2; kind++) {
        make_file(3, TJSAMP_420, kind ? TJFLAG_PROGRESSIVE : 0);
        for (int round = 0; round < 3000; round++) {
            file_copy(&edited, &file);
            for (int i = 0; i < 1 + round % 4; i++)
                edited.data[3 + unit_random(&seed) % (edited.len - 3)] =
                    (uint8_t)unit_random(&seed);
            int status = decode(&edited);
            assert_true(status <= LQ_OK);
            assert_true(status == LQ_OK || strchr(error.text, '\n') == NULL);
        }
    }
}

static void forgives_what_cameras_write(void **state)
{
    (void)state;
    static const uint8_t dirt[7] = {0, 1, 2, 3, 0, 0, 9}, padding[300];
    make_file(3, TJSAMP_420, 0);
    file_copy(&edited, &file); // dirt between segments, and padding after the scan
    file_insert(&edited, jpeg_find(&edited, 0xc0), dirt, sizeof(dirt));
    assert_same_as_whole(&edited);
    file_insert(&edited, edited.len - 2, padding, sizeof(padding));
    assert_same_as_whole(&edited);
    file_copy(&edited, &file); // bytes after the end
    file_insert(&edited, edited.len, dirt, sizeof(dirt));
    assert_same_as_whole(&edited);
    file_copy(&edited, &file); // an unknown version, a scan's unused parameters, no end marker
    edited.data[jpeg_find(&edited, 0xe0) + 9] = 2;
    size_t scan = jpeg_find(&edited, 0xda);
    memset(edited.data + scan + 2 + 12 - 3, 0, 3);
    edited.len -= 2;
    assert_same_as_whole(&edited);
}

static void rejects_streams_with_missing_bytes(void **state)
{
    (void)state;
    make_file(3, TJSAMP_420, 0);
    size_t middle = file.len / 2;
    file_copy(&edited, &file); // a hole
    memmove(edited.data + middle, edited.data + middle + 400, edited.len - middle - 400);
    edited.len -= 400;
    assert_int_equal(decode(&edited), LQ_ERR_CORRUPT);
    file_copy(&edited, &file); // much more data than blocks
    file_insert(&edited, edited.len - 2, file.data + middle, 400);
    assert_int_equal(decode(&edited), LQ_ERR_CORRUPT);
}

// Appends what phones write after a picture: any bytes, some with markers in them.
static void append_trailer(struct lq_buf *jpeg, int kind)
{
    static const uint8_t thumb[] = {0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xdb, 0xff, 0xd9, 1};
    static const uint8_t reserved[] = {9, 8, 7, 0xff, 0xb6, 0xff, 0xd9, 0, 5};
    static const uint8_t restarts[] = {5, 0xff, 0xd0, 7, 0xff, 0xd3, 8, 0xff, 0xe3, 0xff, 0xff, 1};
    static const uint8_t comment[] = {0xff, 0xfe, 0, 4, 1, 2, 'S', 'E', 'F', 'T'};
    uint8_t noise[600];
    uint32_t seed = 77u * (uint32_t)kind + 5;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(unit_random(&seed) >> 24);
    noise[0] = 0xff; // so that no end marker comes first
    noise[1] = 0x4f;
    switch (kind) {
    case 0: break;
    case 1: assert_ok(lq_buf_append(jpeg, thumb, sizeof thumb)); break;
    case 2: assert_ok(lq_buf_append(jpeg, reserved, sizeof reserved)); break;
    case 3: assert_ok(lq_buf_append(jpeg, restarts, sizeof restarts)); break;
    case 4: assert_ok(lq_buf_append(jpeg, comment, sizeof comment)); break;
    case 5: assert_ok(lq_buf_append(jpeg, "no marker at all, but text", 26)); break;
    default: assert_ok(lq_buf_append(jpeg, noise, sizeof noise)); break;
    }
}

static void what_follows_the_last_block_does_not_matter(void **state)
{
    (void)state;
    static const int kinds[][3] = {{3, TJSAMP_420, 0}, {1, TJSAMP_GRAY, 0},
                                   {3, TJSAMP_444, TJFLAG_PROGRESSIVE},
                                   {1, TJSAMP_GRAY, TJFLAG_PROGRESSIVE}};
    for (size_t kind = 0; kind < LQ_COUNT(kinds); kind++) {
        make_file(kinds[kind][0], kinds[kind][1], kinds[kind][2]);
        for (int trailer = 0; trailer < 40; trailer++) {
            file_copy(&edited, &file);
            edited.len -= 2;
            append_trailer(&edited, trailer);
            assert_same_as_whole(&edited);
            file_copy(&edited, &file);
            append_trailer(&edited, trailer);
            assert_same_as_whole(&edited);
            file_copy(&edited, &file); // a quarter is missing
            edited.len -= file.len / 4;
            append_trailer(&edited, trailer);
            assert_int_equal(decode(&edited), LQ_ERR_CORRUPT);
        }
    }
}

static void set_size(struct lq_buf *jpeg, int marker, unsigned width, unsigned height)
{
    uint8_t *size = jpeg->data + jpeg_find(jpeg, marker) + 5;
    size[0] = (uint8_t)(height >> 8);
    size[1] = (uint8_t)height;
    size[2] = (uint8_t)(width >> 8);
    size[3] = (uint8_t)width;
}

static void assert_refused_unspent(int status)
{
    lq_buf_release(&pixels);
    assert_int_equal(decode(&file), status);
    assert_int_equal(pixels.cap, 0);
}

static void measures_before_decoding(void **state)
{
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        int marker = progressive ? 0xc2 : 0xc0;
        make_file(3, TJSAMP_420, progressive ? TJFLAG_PROGRESSIVE : 0);
        set_size(&file, marker, 65535, 65535);
        assert_refused_unspent(LQ_ERR_TOO_LARGE);
        set_size(&file, marker, LQ_PICTURE_SIDE_MAX + 1, 1);
        assert_refused_unspent(LQ_ERR_TOO_LARGE);
        set_size(&file, marker, 4001, 4000);
        assert_refused_unspent(LQ_ERR_TOO_LARGE);
        set_size(&file, marker, 4000, 4000);
        assert_refused_unspent(LQ_ERR_CORRUPT);
        set_size(&file, marker, 43, 0);
        assert_refused_unspent(LQ_ERR_CORRUPT);
    }
    make_file(3, TJSAMP_420, 0);
    file.data[jpeg_find(&file, 0xc0) + 4] = 12;
    assert_refused_unspent(LQ_ERR_FORMAT);
    file.data[jpeg_find(&file, 0xc0) + 1] = 0xc3;
    assert_refused_unspent(LQ_ERR_FORMAT);
}

// crosses: JPEG_SCANS_MAX
static void limits_scans(void **state)
{
    (void)state;
    make_file(1, TJSAMP_GRAY, TJFLAG_PROGRESSIVE);
    size_t scan = file.len; // the last scan, which only refines: it may be sent again
    while (!(file.data[scan - 2] == 0xff && file.data[scan - 1] == 0xda))
        scan--;
    scan -= 2;
    file_copy(&edited, &file);
    size_t len = edited.len - 2 - scan;
    for (int i = 0; i < LQ_JPEG_SCANS_MAX; i++)
        file_insert(&edited, edited.len - 2, file.data + scan, len);
    assert_int_equal(decode(&edited), LQ_ERR_TOO_LARGE);
    assert_non_null(strstr(error.text, "scans"));
    // The largest allowed picture may have fewer scans, because each costs its whole size.
    file_copy(&edited, &file);
    for (int i = 0; i < 16; i++)
        file_insert(&edited, edited.len - 2, file.data + scan, len);
    assert_int_equal(lq_codec_decode(codec,
                                     &(struct lq_picture_file){edited.data, edited.len, 43 * 27},
                                     &pixels, &image, NULL, &error), LQ_ERR_TOO_LARGE);
    assert_int_equal(decode(&edited), LQ_ERR_CORRUPT); // the same scan twice
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_upright),
        cmocka_unit_test(widens_grey),
        cmocka_unit_test(converts_four_colours),
        cmocka_unit_test(reads_every_subsampling),
        cmocka_unit_test(never_half_a_picture),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(forgives_what_cameras_write),
        cmocka_unit_test(rejects_streams_with_missing_bytes),
        cmocka_unit_test(what_follows_the_last_block_does_not_matter),
        cmocka_unit_test(measures_before_decoding),
        cmocka_unit_test(limits_scans),
    };
    return cmocka_run_group_tests(tests, codec_set_up, codec_tear_down);
}
