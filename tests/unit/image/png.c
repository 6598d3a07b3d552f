#include "image/png.h"

#include "base/limits.h"
#include "image/orient.h"
#include "unit/image/pictures.h"

static struct lq_codec *codec;
static struct lq_error error;
static struct lq_buf file, raw, packed, edited, pixels;
static struct lq_image image;
static struct lq_buf *const bufs[] = {&file, &raw, &packed, &edited, &pixels};
static const struct codec_fixture fixture = {&codec, bufs, LQ_COUNT(bufs), NULL, &error};

static int decode(const struct lq_buf *from, struct lq_picture_info *info)
{
    return lq_codec_decode(codec,
                           &(struct lq_picture_file){from->data, from->len, LQ_FRAME_PIXELS_MAX},
                           &pixels, &image, info, &error);
}

// An independent PNG writer, so that the library does not test itself (RFC 2083, 1950 and 1951).

static void put(struct lq_buf *buf, const void *bytes, size_t len)
{
    assert_ok(lq_buf_append(buf, bytes, len));
}

static void put32(struct lq_buf *buf, uint32_t value)
{
    put(buf, (const uint8_t[]){(uint8_t)(value >> 24), (uint8_t)(value >> 16),
                               (uint8_t)(value >> 8), (uint8_t)value}, 4);
}

static uint32_t crc32_of(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void put_chunk(const char *type, const void *bytes, size_t len)
{
    put32(&file, (uint32_t)len);
    size_t start = file.len;
    put(&file, type, 4);
    put(&file, bytes, len);
    put32(&file, crc32_of(file.data + start, file.len - start));
}

// Writes a zlib stream of stored blocks.
static void zlib_stored(const struct lq_buf *from)
{
    uint32_t a = 1, b = 0;
    lq_buf_clear(&packed);
    put(&packed, (const uint8_t[]){0x78, 0x01}, 2);
    for (size_t at = 0, len; at < from->len; at += len) {
        len = from->len - at < 65535 ? from->len - at : 65535;
        uint8_t last = at + len == from->len;
        put(&packed, (const uint8_t[]){last, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)~len,
                                       (uint8_t)(~len >> 8)}, 5);
        put(&packed, from->data + at, len);
    }
    for (size_t i = 0; i < from->len; i++) {
        a = (a + from->data[i]) % 65521;
        b = (b + a) % 65521;
    }
    put32(&packed, b << 16 | a);
}

struct bits {
    uint32_t held;
    int count;
};

static void put_bit(struct bits *bits, unsigned bit)
{
    bits->held |= bit << bits->count++;
    if (bits->count == 8) {
        put(&packed, &(uint8_t){(uint8_t)bits->held}, 1);
        *bits = (struct bits){0};
    }
}

// Writes a small zlib stream that expands to about `len` zeros: one literal, then copies of 258 (13
// bits each).
static void zlib_bomb(size_t len)
{
    struct bits bits = {0};
    lq_buf_clear(&packed);
    put(&packed, (const uint8_t[]){0x78, 0x01}, 2);
    static const char head[] = "110" "00110000"; // last block, fixed codes, literal 0
    for (const char *bit = head; *bit; bit++)
        put_bit(&bits, *bit == '1');
    for (size_t done = 1; done < len; done += 258) {
        for (const char *bit = "11000101" "00000"; *bit; bit++)
            put_bit(&bits, *bit == '1');
    }
    for (int i = 0; i < 7 + 8; i++) // end of block, and out to a whole byte
        put_bit(&bits, 0);
    put32(&packed, 1); // the checksum of `len` zeros does not matter to a bomb
}

static void begin(uint32_t width, uint32_t height, int depth, int type, int interlace)
{
    lq_buf_clear(&file);
    lq_buf_clear(&raw);
    put(&file, "\x89PNG\r\n\x1a\n", 8);
    const uint8_t ihdr[13] = {
        (uint8_t)(width >> 24), (uint8_t)(width >> 16), (uint8_t)(width >> 8), (uint8_t)width,
        (uint8_t)(height >> 24), (uint8_t)(height >> 16), (uint8_t)(height >> 8), (uint8_t)height,
        (uint8_t)depth, (uint8_t)type, 0, 0, (uint8_t)interlace};
    put_chunk("IHDR", ihdr, sizeof(ihdr));
}

static void end(void)
{
    zlib_stored(&raw);
    put_chunk("IDAT", packed.data, packed.len);
    put_chunk("IEND", NULL, 0);
}

static void put_row(const void *bytes, size_t len)
{
    put(&raw, &(uint8_t){0}, 1); // filter: none
    put(&raw, bytes, len);
}

static void assert_pixels(const uint8_t *wanted, int channels, int depth)
{
    assert_int_equal(image.channels, channels);
    assert_int_equal(image.depth, depth);
    size_t row = (size_t)image.width * lq_image_pixel_bytes(&image);
    for (int y = 0; y < image.height; y++)
        assert_memory_equal(lq_image_row(&image, y), wanted + (size_t)y * row, row);
}

static void assert_decodes(int source_channels, int source_depth)
{
    struct lq_picture_info info;
    lq_picture_info_init(&info);
    int status = decode(&file, &info);
    if (status != LQ_OK)
        fail_msg("not decoded: %s", error.text);
    assert_int_equal(info.kind, LQ_PICTURE_PNG);
    assert_int_equal(info.source_channels, source_channels);
    assert_int_equal(info.source_depth, source_depth);
    lq_picture_info_release(&info);
}

static void widens_grey_of_every_depth(void **state)
{
    (void)state;
    static const struct {
        int depth;
        uint8_t rows[2][4];
        size_t len;
        uint8_t wanted[2][2]; // first two pixels of both rows, as 8 bits
    } cases[] = {
        {1, {{0x80}, {0x40}}, 1, {{255, 0}, {0, 255}}},
        {2, {{0x1b}, {0xe4}}, 1, {{0, 85}, {255, 170}}},
        {4, {{0x0f}, {0x58}}, 1, {{0, 255}, {85, 136}}},
        {8, {{7, 200}, {9, 1}}, 2, {{7, 200}, {9, 1}}},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        begin(2, 2, cases[i].depth, 0, 0);
        put_row(cases[i].rows[0], cases[i].len);
        put_row(cases[i].rows[1], cases[i].len);
        end();
        assert_decodes(1, cases[i].depth);
        uint8_t wanted[12];
        for (int p = 0; p < 4; p++)
            memset(wanted + 3 * p, cases[i].wanted[p / 2][p % 2], 3);
        assert_pixels(wanted, 3, 8);
    }
}

static void reads_grey_with_alpha(void **state)
{
    (void)state;
    begin(2, 1, 8, 4, 0);
    put_row((const uint8_t[]){10, 200, 30, 0}, 4);
    end();
    assert_decodes(2, 8);
    assert_pixels((const uint8_t[]){10, 10, 10, 200, 30, 30, 30, 0}, 4, 8);
    begin(2, 1, 8, 0, 0);
    put_chunk("tRNS", "\0\x1e", 2);
    put_row((const uint8_t[]){10, 30}, 2);
    end();
    assert_decodes(2, 8);
    assert_pixels((const uint8_t[]){10, 10, 10, 255, 30, 30, 30, 0}, 4, 8);
}

static void reads_palettes(void **state)
{
    (void)state;
    static const uint8_t palette[9] = {1, 2, 3, 40, 50, 60, 255, 0, 128};
    begin(3, 1, 4, 3, 0);
    put_chunk("PLTE", palette, sizeof(palette));
    put_row((const uint8_t[]){0x20, 0x10}, 2);
    end();
    assert_decodes(3, 4);
    assert_pixels((const uint8_t[]){255, 0, 128, 1, 2, 3, 40, 50, 60}, 3, 8);
    begin(3, 1, 2, 3, 0);
    put_chunk("PLTE", palette, sizeof(palette));
    put_chunk("tRNS", (const uint8_t[]){0, 99}, 2);
    put_row((const uint8_t[]){0x84}, 1);
    end();
    assert_decodes(4, 2);
    assert_pixels((const uint8_t[]){255, 0, 128, 255, 1, 2, 3, 0, 40, 50, 60, 99}, 4, 8);
    begin(1, 1, 8, 3, 0); // an index past the palette is black, as in browsers
    put_chunk("PLTE", palette, sizeof(palette));
    put_row((const uint8_t[]){3}, 1);
    end();
    assert_decodes(3, 8);
    assert_pixels((const uint8_t[]){0, 0, 0}, 3, 8);
}

static void keeps_sixteen_bits(void **state)
{
    (void)state;
    const uint16_t colours[6] = {0x0102, 0xfffe, 0x8000, 0, 0x7fff, 0x1234};
    uint8_t big_endian[12];
    for (int i = 0; i < 6; i++) {
        big_endian[2 * i] = (uint8_t)(colours[i] >> 8);
        big_endian[2 * i + 1] = (uint8_t)colours[i];
    }
    begin(2, 1, 16, 2, 0);
    put_row(big_endian, 12);
    end();
    assert_decodes(3, 16);
    assert_pixels((const uint8_t *)colours, 3, 16);

    begin(2, 1, 16, 2, 0); // the second colour is transparent
    put_chunk("tRNS", big_endian + 6, 6);
    put_row(big_endian, 12);
    end();
    assert_decodes(4, 16);
    const uint16_t keyed[8] = {0x0102, 0xfffe, 0x8000, 0xffff, 0, 0x7fff, 0x1234, 0};
    assert_pixels((const uint8_t *)keyed, 4, 16);

    begin(3, 2, 16, 0, 0);
    put_row(big_endian, 6);
    put_row(big_endian + 6, 6);
    end();
    assert_decodes(1, 16);
    uint16_t grey[18];
    for (int i = 0; i < 18; i++)
        grey[i] = colours[i / 3];
    assert_pixels((const uint8_t *)grey, 3, 16);
}

static void reads_interlaced(void **state)
{
    (void)state;
    static const int passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                     {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}; // x, y, and steps
    static uint8_t wanted[11 * 13 * 3];
    uint32_t seed = 2;
    for (size_t i = 0; i < sizeof(wanted); i++)
        wanted[i] = (uint8_t)unit_random(&seed);
    begin(11, 13, 8, 2, 1);
    for (int pass = 0; pass < 7; pass++) {
        for (int y = passes[pass][1]; y < 13; y += passes[pass][3]) {
            put(&raw, &(uint8_t){0}, 1);
            for (int x = passes[pass][0]; x < 11; x += passes[pass][2])
                put(&raw, wanted + 3 * (y * 11 + x), 3);
        }
    }
    end();
    assert_decodes(3, 8);
    assert_pixels(wanted, 3, 8);
}

static void honours_exif(void **state)
{
    (void)state;
    uint8_t tiff[EXIF_TIFF_LEN];
    exif_tiff(tiff, 6, 0);
    begin(2, 1, 8, 2, 0);
    put_chunk("eXIf", tiff, sizeof(tiff));
    put_row((const uint8_t[]){1, 2, 3, 4, 5, 6}, 6);
    end();
    assert_decodes(3, 8);
    assert_int_equal(image.width, 1);
    assert_int_equal(image.height, 2);
    assert_pixels((const uint8_t[]){1, 2, 3, 4, 5, 6}, 3, 8);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    struct lq_buf source_buf;
    struct lq_image source;
    lq_buf_init(&source_buf, 1 << 20);
    uint32_t seed = 4;
    for (int form = 0; form < 6; form++) {
        int channels = form % 3 == 0 ? 1 : form % 3 + 2, depth = form < 3 ? 8 : 16;
        assert_ok(lq_image_alloc(&source, &source_buf, 37, 23, channels, depth));
        for (size_t i = 0; i < source_buf.len; i++)
            source_buf.data[i] = (uint8_t)unit_random(&seed);
        lq_buf_clear(&file);
        put(&file, "head", 4);
        assert_ok(lq_codec_encode_png(codec, &source, NULL, &file, &error));
        assert_memory_equal(file.data, "head", 4);
        memmove(file.data, file.data + 4, file.len - 4);
        file.len -= 4;
        assert_decodes(channels, depth);
        size_t sample = (size_t)depth / 8;
        for (int y = 0; y < 23 && channels == 1; y++) { // grey comes back as three channels
            for (size_t i = 0; i < 37 * 3; i++)
                assert_memory_equal(lq_image_row(&image, y) + i * sample,
                                    lq_image_row(&source, y) + i / 3 * sample, sample);
        }
        if (channels > 1)
            assert_int_equal(picture_difference(&source, &image), 0);
    }
    lq_buf_release(&source_buf);
}

static void assert_refused_unspent(int status)
{
    lq_buf_release(&pixels);
    assert_int_equal(decode(&file, NULL), status);
    assert_int_equal(pixels.cap, 0);
}

static void measures_before_decoding(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{65535, 65535}, {LQ_PICTURE_SIDE_MAX + 1, 1}, {4001, 4000},
                                        {0x7fffffff, 0x7fffffff}};
    for (size_t i = 0; i < LQ_COUNT(sizes); i++) {
        begin(sizes[i][0], sizes[i][1], 8, 2, 0);
        put_row("abc", 3);
        end();
        assert_refused_unspent(LQ_ERR_TOO_LARGE);
    }
    begin(4000, 4000, 16, 6, 0); // a small file with a large declared size
    put_row("abc", 3);
    end();
    assert_refused_unspent(LQ_ERR_CORRUPT);
    begin(0, 5, 8, 2, 0);
    end();
    assert_refused_unspent(LQ_ERR_CORRUPT);
}

static void defuses_bombs(void **state)
{
    (void)state;
    begin(10, 10, 8, 2, 0); // pixels: far more than the picture has
    zlib_bomb(48 << 20);
    put_chunk("IDAT", packed.data, packed.len);
    put_chunk("IEND", NULL, 0);
    (void)!decode(&file, NULL);
    assert_true(pixels.cap < 1 << 20);
    lq_buf_clear(&edited); // a profile over the limit
    put(&edited, "x\0\0", 3);
    put(&edited, packed.data, packed.len);
    begin(1, 1, 8, 2, 0);
    put_chunk("iCCP", edited.data, edited.len);
    put_row("abc", 3);
    end();
    struct lq_picture_info info;
    lq_picture_info_init(&info);
    int status = decode(&file, &info);
    assert_int_equal(status, LQ_ERR_TOO_LARGE);
    assert_int_equal(info.icc.len, 0);
    lq_picture_info_release(&info);
}

static void make_file(void)
{
    uint32_t seed = 8;
    begin(19, 14, 8, 6, 0);
    for (int y = 0; y < 14; y++) {
        uint8_t row[19 * 4];
        for (size_t i = 0; i < sizeof(row); i++)
            row[i] = (uint8_t)unit_random(&seed);
        put_row(row, sizeof(row));
    }
    end();
}

static void never_half_a_picture(void **state)
{
    (void)state;
    make_file();
    assert_ok(decode(&file, NULL));
    for (size_t len = 0; len < file.len - 4; len++) { // the last four bytes are not needed
        file_copy(&edited, &file);
        edited.len = len;
        assert_int_equal(decode(&edited, NULL), len < 8 ? LQ_ERR_FORMAT : LQ_ERR_CORRUPT);
    }
    // Every damaged byte of the pixels is detected.
    for (size_t at = 33; at < file.len - 12; at += 7) {
        file_copy(&edited, &file);
        edited.data[at] ^= 0x10;
        assert_int_equal(decode(&edited, NULL), LQ_ERR_CORRUPT);
    }
}

static void survives_damage(void **state)
{
    (void)state;
    uint32_t seed = 21;
    make_file();
    for (int round = 0; round < 3000; round++) {
        file_copy(&edited, &file);
        size_t reach = round % 2 ? edited.len - 8 : 60;
        for (int i = 0; i < 1 + round % 3; i++)
            edited.data[8 + unit_random(&seed) % reach] = (uint8_t)unit_random(&seed);
        // Corrects the checksums, so that the damage reaches the decoder.
        for (size_t at = 8; round % 4 < 2 && at + 12 <= edited.len;) {
            size_t len = (size_t)edited.data[at] << 24 | (size_t)edited.data[at + 1] << 16 |
                         (size_t)edited.data[at + 2] << 8 | edited.data[at + 3];
            if (len > edited.len - at - 12)
                break;
            uint32_t crc = crc32_of(edited.data + at + 4, len + 4);
            for (int i = 0; i < 4; i++)
                edited.data[at + 8 + len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
            at += len + 12;
        }
        assert_true(decode(&edited, NULL) <= LQ_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widens_grey_of_every_depth),
        cmocka_unit_test(reads_grey_with_alpha),
        cmocka_unit_test(reads_palettes),
        cmocka_unit_test(keeps_sixteen_bits),
        cmocka_unit_test(reads_interlaced),
        cmocka_unit_test(honours_exif),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(measures_before_decoding),
        cmocka_unit_test(defuses_bombs),
        cmocka_unit_test(never_half_a_picture),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, codec_set_up, codec_tear_down);
}
