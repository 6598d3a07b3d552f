#include "image/jpeg_repaint.h"

#include <turbojpeg.h>

#include "image/codec.h"
#include "unit/image/pictures.h"

enum { WIDTH = 200, HEIGHT = 150 }; // neither is a multiple of the block size

static struct lq_codec *codec;
static struct lq_error error;
static struct lq_buf source_buf, frame, reply, pixels, before_pixels, after_pixels;
static struct lq_image source, image, before, after;
static struct lq_picture_info info;
static struct lq_buf *const bufs[] = {&source_buf, &frame, &reply, &pixels,
                                     &before_pixels, &after_pixels};
static const struct codec_fixture fixture = {&codec, bufs, LQ_COUNT(bufs), &info, &error};

// Encodes a textured frame in `frame` and decodes it twice: into `before`, and to be repainted.
static void take_frame(int quality, int subsampling, int flags)
{
    tjhandle handle = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    picture_make(&source, &source_buf, WIDTH, HEIGHT, 3);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH * 3; x++)
            lq_image_row(&source, y)[x] ^= (uint8_t)((x * 7 + y * 5) % 23);
    assert_int_equal(tjCompress2(handle, source.data, WIDTH, (int)source.stride, HEIGHT, TJPF_RGB,
                                 &bytes, &len, subsampling, quality, flags), 0);
    lq_buf_clear(&frame);
    assert_ok(lq_buf_append(&frame, bytes, len));
    tjFree(bytes);
    tjDestroy(handle);
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){frame.data, frame.len, 1 << 20},
                              &before_pixels, &before, NULL, &error));
    info.repaint_quality = 85;
    assert_ok(lq_codec_decode(codec, &(struct lq_picture_file){frame.data, frame.len, 1 << 20},
                              &pixels, &image, &info, &error));
    assert_int_equal(picture_difference(&image, &before), 0);
}

static void fill(const struct lq_pixel_box *part, uint8_t red, uint8_t green, uint8_t blue)
{
    for (int y = part->y; y < part->y + part->height; y++)
        for (int x = part->x; x < part->x + part->width; x++) {
            uint8_t *at = lq_image_row(&image, y) + 3 * x;
            at[0] = red;
            at[1] = green;
            at[2] = blue;
        }
}

static void repaint(const struct lq_pixel_box *parts, int count)
{
    lq_buf_clear(&reply);
    assert_ok(lq_buf_append(&reply, "head-room", 9));
    const struct lq_painted_image painted = {&image, parts, count};
    assert_ok(lq_codec_repaint_jpeg(codec, &painted, 85, NULL, &reply, &error));
    assert_memory_equal(reply.data, "head-room", 9);
    assert_ok(lq_codec_decode(codec,
                              &(struct lq_picture_file){reply.data + 9, reply.len - 9, 1 << 20},
                              &after_pixels, &after, NULL, &error));
}

// The largest difference from the frame outside the blocks of `part` and the pixel beside them,
// into which chroma is smoothed; and from the painted pixels inside.
static int changed_outside(const struct lq_pixel_box *part)
{
    int left = part->x / 16 * 16 - 1, right = (part->x + part->width + 15) / 16 * 16;
    int top = part->y / 16 * 16 - 1, bottom = (part->y + part->height + 15) / 16 * 16, most = 0;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3 && (x < left || x > right || y < top || y > bottom); c++) {
                int off = abs(lq_image_row(&after, y)[3 * x + c] -
                              lq_image_row(&before, y)[3 * x + c]);
                most = off > most ? off : most;
            }
    return most;
}

static int off_inside(const struct lq_pixel_box *part)
{
    int most = 0;
    for (int y = part->y + 3; y < part->y + part->height - 3; y++)
        for (int x = part->x + 3; x < part->x + part->width - 3; x++)
            for (int c = 0; c < 3; c++) {
                int off = abs(lq_image_row(&after, y)[3 * x + c] -
                              lq_image_row(&image, y)[3 * x + c]);
                most = off > most ? off : most;
            }
    return most;
}

static void what_is_not_painted_stays_as_it_came(void **state)
{
    (void)state;
    static const struct lq_pixel_box parts[] = {
        {40, 50, 20, 30}, {WIDTH - 13, HEIGHT - 9, 13, 9}, {0, 0, 16, 16}};
    for (size_t i = 0; i < LQ_COUNT(parts); i++)
        for (int quality = 80; quality <= 88; quality += 4) {
            take_frame(quality, TJSAMP_420, 0);
            fill(&parts[i], 199, 21, 133);
            repaint(&parts[i], 1);
            assert_int_equal(changed_outside(&parts[i]), 0);
            assert_true(off_inside(&parts[i]) < 40);
        }
}

static void nothing_painted_is_the_same_frame(void **state)
{
    (void)state;
    take_frame(85, TJSAMP_420, 0);
    repaint(NULL, 0);
    assert_int_equal(picture_difference(&after, &before), 0);
    // The coefficients were used up, so the same picture is encoded completely.
    repaint(NULL, 0);
    assert_int_not_equal(picture_difference(&after, &before), 0);
}

// Adjacent and overlapping rows of blocks, as of nails beside each other.
static void parts_may_overlap(void **state)
{
    (void)state;
    static const struct lq_pixel_box parts[] = {{20, 20, 30, 30}, {40, 30, 30, 30}, {45, 35, 5, 5}};
    take_frame(85, TJSAMP_420, 0);
    for (size_t i = 0; i < LQ_COUNT(parts); i++)
        fill(&parts[i], 10, 120, 60);
    repaint(parts, LQ_COUNT(parts));
    for (size_t i = 0; i < LQ_COUNT(parts); i++)
        assert_true(off_inside(&parts[i]) < 40);
    assert_int_equal(changed_outside(&(struct lq_pixel_box){20, 20, 50, 40}), 0);
}

// With another quality, sampling or process, or if most of it was painted, the whole is encoded.
static void others_are_encoded_whole(void **state)
{
    (void)state;
    static const struct { int quality, subsampling, flags, width; } others[] = {
        {60, TJSAMP_420, 0, 20},
        {95, TJSAMP_420, 0, 20},
        {85, TJSAMP_444, 0, 20},
        {85, TJSAMP_420, TJFLAG_PROGRESSIVE, 20},
        {85, TJSAMP_420, 0, 170},
    };
    for (size_t i = 0; i < LQ_COUNT(others); i++) {
        const struct lq_pixel_box part = {10, 10, others[i].width, 130};
        take_frame(others[i].quality, others[i].subsampling, others[i].flags);
        fill(&part, 199, 21, 133);
        struct lq_buf whole;
        lq_buf_init(&whole, 1 << 20);
        repaint(&part, 1);
        assert_ok(lq_codec_encode_jpeg(codec, &image, 85, NULL, &whole, &error));
        assert_int_equal(whole.len, reply.len - 9);
        assert_memory_equal(whole.data, reply.data + 9, whole.len);
        lq_buf_release(&whole);
    }
}

// A damaged frame leaves no state from which the next reply could be made.
static void a_damaged_frame_is_refused_and_forgotten(void **state)
{
    (void)state;
    take_frame(85, TJSAMP_420, 0);
    lq_buf_clear(&reply);
    // Some of its data is missing, its end is there.
    assert_ok(lq_buf_append(&reply, frame.data, frame.len / 2));
    assert_ok(lq_buf_append(&reply, frame.data + frame.len / 2 + 300, frame.len / 2 - 300));
    assert_int_equal(lq_codec_decode(codec,
                                     &(struct lq_picture_file){reply.data, reply.len, 1 << 20},
                                     &after_pixels, &after, &info, &error), LQ_ERR_CORRUPT);
    repaint(NULL, 0);
    assert_int_not_equal(picture_difference(&after, &before), 0);
    assert_true(changed_outside(&(struct lq_pixel_box){0, 0, 1, 1}) < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_painted_stays_as_it_came),
        cmocka_unit_test(nothing_painted_is_the_same_frame),
        cmocka_unit_test(parts_may_overlap),
        cmocka_unit_test(others_are_encoded_whole),
        cmocka_unit_test(a_damaged_frame_is_refused_and_forgotten),
    };
    return cmocka_run_group_tests(tests, codec_set_up, codec_tear_down);
}
