// The codec keeps no state between pictures: every test JPEG is decoded after every other one and
// must give the same pixels as with a new codec; likewise for encoding.
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include <turbojpeg.h>

#include "base/file.h"
#include "base/limits.h"
#include "image/codec.h"
#include "unit/image/pictures.h"

enum { FILES_MAX = 256, PIXELS_MAX = 1000000, DHT = 0xc4, DQT = 0xdb };

static struct lq_error error;
static struct file {
    char name[80];
    struct lq_buf bytes;
    int status; // both from a new codec; sum: of the picture
    uint64_t sum;
} files[FILES_MAX];
static int file_count;
static struct lq_buf pixels;

static uint64_t sum_of(const struct lq_image *image)
{
    uint64_t sum = UINT64_C(14695981039346656037); // FNV-1a
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = lq_image_row(image, y);
        for (size_t i = 0; i < (size_t)image->width * lq_image_pixel_bytes(image); i++)
            sum = (sum ^ row[i]) * UINT64_C(1099511628211);
    }
    return sum;
}

static int decode(struct lq_codec *codec, const struct file *file, uint64_t *sum)
{
    struct lq_image image;
    const struct lq_picture_file whole = {file->bytes.data, file->bytes.len, PIXELS_MAX};
    int status = lq_codec_decode(codec, &whole, &pixels, &image, NULL, &error);
    *sum = status == LQ_OK ? sum_of(&image) : 0;
    return status;
}

static void decode_fresh(struct file *file)
{
    struct lq_codec *codec;
    assert_ok(lq_codec_new(&codec, &error));
    file->status = decode(codec, file, &file->sum);
    lq_codec_free(codec);
}

static struct file *add(const char *name)
{
    assert_true(file_count < FILES_MAX);
    struct file *file = &files[file_count++];
    snprintf(file->name, sizeof file->name, "%.79s", name);
    lq_buf_init(&file->bytes, 1 << 24);
    return file;
}

static void add_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > 2);
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            assert_ok(lq_file_read(path, &add(entries[i]->d_name)->bytes, &error));
        free(entries[i]);
    }
    free(entries);
}

static struct file *find(const char *name)
{
    for (int i = 0; i < file_count; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    fail_msg("no file '%s'", name);
    return NULL;
}

// ---- files without some of their tables ---------------------------------------------------------

static struct file *add_copy(const char *name, const char *of)
{
    struct file *from = find(of), *file = add(name);
    file_copy(&file->bytes, &from->bytes);
    return file;
}

static bool has(const struct lq_buf *bytes, int code)
{
    size_t at = 2;
    while (at + 4 <= bytes->len && bytes->data[at] == 0xff && bytes->data[at + 1] != 0xda) {
        if (bytes->data[at + 1] == code)
            return true;
        at += 2 + ((size_t)bytes->data[at + 2] << 8 | bytes->data[at + 3]);
    }
    return false;
}

static size_t segment_len(const struct lq_buf *bytes, size_t at)
{
    return 2 + ((size_t)bytes->data[at + 2] << 8 | bytes->data[at + 3]);
}

static void remove_at(struct lq_buf *bytes, size_t at)
{
    size_t len = segment_len(bytes, at);
    memmove(bytes->data + at, bytes->data + at + len, bytes->len - at - len);
    bytes->len -= len;
}

static void drop_all(struct lq_buf *bytes, int code)
{
    while (has(bytes, code))
        remove_at(bytes, jpeg_find(bytes, code));
}

// libjpeg writes one segment per table: all but the first are for chroma or AC.
static void drop_after_first(struct lq_buf *bytes, int code)
{
    size_t first = jpeg_find(bytes, code);
    bytes->data[first + 1] = 0xfd; // hides the first one
    drop_all(bytes, code);
    bytes->data[first + 1] = (uint8_t)code;
}

static void move_before_scan(struct lq_buf *bytes, int code)
{
    uint8_t segment[300];
    size_t at = jpeg_find(bytes, code), len = segment_len(bytes, at);
    assert_true(len <= sizeof segment);
    memcpy(segment, bytes->data + at, len);
    remove_at(bytes, at);
    file_insert(bytes, jpeg_find(bytes, 0xda), segment, len);
}

static void add_made(const char *name, int quality, int flags)
{
    static uint8_t noise[160 * 96 * 3];
    uint32_t seed = (uint32_t)quality;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i / 480 + (unit_random(&seed) >> 28));
    tjhandle handle = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    assert_ok(tjCompress2(handle, noise, 160, 0, 96, TJPF_RGB, &bytes, &len, TJSAMP_420, quality,
                          flags));
    assert_ok(lq_buf_append(&add(name)->bytes, bytes, len));
    tjFree(bytes);
    tjDestroy(handle);
}

static int set_up(void **state)
{
    (void)state;
    lq_buf_init(&pixels, 1 << 24);
    add_folder("tests/fixtures/pictures");
    add_folder("tests/fuzz/corpus/jpeg");
    add_made("fine", 98, 0);
    add_made("coarse", 20, 0);
    add_made("progressive", 60, TJFLAG_PROGRESSIVE);
    drop_all(&add_copy("fine, no Huffman tables", "fine")->bytes, DHT);
    drop_all(&add_copy("coarse, no Huffman tables", "coarse")->bytes, DHT);
    drop_after_first(&add_copy("fine, luma DC table only", "fine")->bytes, DHT);
    drop_all(&add_copy("optimised, no Huffman tables", "optimised.jpg")->bytes, DHT);
    drop_all(&add_copy("progressive, no Huffman tables", "progressive")->bytes, DHT);
    drop_all(&add_copy("fine, no quantisation tables", "fine")->bytes, DQT);
    drop_after_first(&add_copy("coarse, luma quantisation only", "coarse")->bytes, DQT);
    move_before_scan(&add_copy("coarse, quantisation behind the frame", "coarse")->bytes, DQT);
    for (int i = 0; i < file_count; i++)
        decode_fresh(&files[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < file_count; i++)
        lq_buf_release(&files[i].bytes);
    lq_buf_release(&pixels);
    return 0;
}

static void no_picture_tells_of_the_one_before(void **state)
{
    (void)state;
    struct lq_codec *codec;
    assert_ok(lq_codec_new(&codec, &error));
    for (int before = 0; before < file_count; before++) {
        for (int i = 0; i < file_count; i++) {
            uint64_t sum;
            (void)!decode(codec, &files[before], &sum);
            int status = decode(codec, &files[i], &sum);
            if (status != files[i].status || sum != files[i].sum)
                fail_msg("'%s' after '%s': status %d, not %d", files[i].name, files[before].name,
                         status, files[i].status);
        }
    }
    lq_codec_free(codec);
}

static void missing_tables_are_the_standard_ones_or_an_error(void **state)
{
    (void)state;
    assert_ok(find("webcam-frame.jpg")->status);
    assert_ok(find("phone-trailer.jpg")->status);
    assert_ok(find("progressive-no-eoi.jpg")->status);
    static const char *const standard[] = {"fine, no Huffman tables", "fine, luma DC table only"};
    for (size_t i = 0; i < LQ_COUNT(standard); i++) {
        assert_ok(find(standard[i])->status);
        assert_true(find(standard[i])->sum == find("fine")->sum);
    }
    assert_true(find("coarse, no Huffman tables")->sum == find("coarse")->sum);
    assert_true(find("coarse, quantisation behind the frame")->sum == find("coarse")->sum);
    static const char *const refused[] = {
        "no-quantisation-tables.jpg", "fine, no quantisation tables",
        "coarse, luma quantisation only", "progressive, no Huffman tables",
        "optimised, no Huffman tables"};
    for (size_t i = 0; i < LQ_COUNT(refused); i++)
        assert_int_equal(find(refused[i])->status, LQ_ERR_CORRUPT);
}

static void encode(struct lq_codec *codec, int quality, int channels, struct lq_buf *out)
{
    struct lq_buf memory;
    struct lq_image image;
    lq_buf_init(&memory, 1 << 20);
    picture_make(&image, &memory, 61, 45, channels);
    lq_buf_clear(out);
    assert_ok(lq_codec_encode_jpeg(codec, &image, quality, NULL, out, &error));
    lq_buf_release(&memory);
}

static void replies_do_not_depend_on_the_last_one(void **state)
{
    (void)state;
    static const int qualities[] = {1, 50, 91, 92, 100}, channels[] = {1, 3, 4};
    enum { KINDS = 15 };
    struct lq_codec *kept, *fresh;
    struct lq_buf one, other;
    lq_buf_init(&one, 1 << 20);
    lq_buf_init(&other, 1 << 20);
    assert_ok(lq_codec_new(&kept, &error));
    for (int pair = 0; pair < KINDS * KINDS; pair++) {
        int a = pair / KINDS, b = pair % KINDS;
        encode(kept, qualities[a / 3], channels[a % 3], &one);
        encode(kept, qualities[b / 3], channels[b % 3], &one);
        assert_ok(lq_codec_new(&fresh, &error));
        encode(fresh, qualities[b / 3], channels[b % 3], &other);
        lq_codec_free(fresh);
        assert_int_equal(one.len, other.len);
        assert_memory_equal(one.data, other.data, one.len);
    }
    lq_codec_free(kept);
    lq_buf_release(&one);
    lq_buf_release(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_picture_tells_of_the_one_before),
        cmocka_unit_test(missing_tables_are_the_standard_ones_or_an_error),
        cmocka_unit_test(replies_do_not_depend_on_the_last_one),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
