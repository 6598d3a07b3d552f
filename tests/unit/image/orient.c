#include "image/orient.h"

#include "unit/image/pictures.h"

// The stored position of upright (x, y) in a width x height picture, as in EXIF's table of tag 274:
// which stored edge is shown as the top, and which as the left.
static void stored_place(int orientation, int width, int height, int x, int y, int *sx, int *sy)
{
    const int places[9][2] = {
        [1] = {x, y},                            // row 0 top, column 0 left
        [2] = {width - 1 - x, y},                // row 0 top, column 0 right
        [3] = {width - 1 - x, height - 1 - y},   // row 0 bottom, column 0 right
        [4] = {x, height - 1 - y},               // row 0 bottom, column 0 left
        [5] = {y, x},                            // row 0 left, column 0 top
        [6] = {y, height - 1 - x},               // row 0 right, column 0 top
        [7] = {width - 1 - y, height - 1 - x},   // row 0 right, column 0 bottom
        [8] = {width - 1 - y, x},                // row 0 left, column 0 bottom
    };
    *sx = places[orientation][0];
    *sy = places[orientation][1];
}

static void turns_every_way(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {3, 2}, {33, 65}, {70, 31}};
    static const int formats[][2] = {{1, 8}, {3, 8}, {4, 8}, {3, 16}, {4, 16}};
    struct lq_buf stored_buf, upright_buf;
    lq_buf_init(&stored_buf, 1 << 20);
    lq_buf_init(&upright_buf, 1 << 20);
    uint32_t seed = 3;
    for (int test = 0; test < 4 * 5 * 8; test++) {
        int orientation = test % 8 + 1;
        const int *size = sizes[test / 8 % 4], *format = formats[test / 32];
        int swaps = lq_orientation_swaps(orientation);
        struct lq_image stored, upright;
        assert_ok(lq_image_alloc(&stored, &stored_buf, size[0], size[1], format[0], format[1]));
        for (size_t i = 0; i < stored_buf.len; i++)
            stored_buf.data[i] = (uint8_t)unit_random(&seed);
        assert_ok(lq_image_alloc(&upright, &upright_buf, size[swaps], size[!swaps], format[0],
                                 format[1]));
        lq_orient_upright(&stored, orientation, &upright);
        size_t bytes = lq_image_pixel_bytes(&stored);
        for (int y = 0; y < upright.height; y++) {
            for (int x = 0; x < upright.width; x++) {
                int sx, sy;
                stored_place(orientation, stored.width, stored.height, x, y, &sx, &sy);
                assert_memory_equal(lq_image_row(&upright, y) + (size_t)x * bytes,
                                    lq_image_row(&stored, sy) + (size_t)sx * bytes, bytes);
            }
        }
    }
    lq_buf_release(&stored_buf);
    lq_buf_release(&upright_buf);
}

static void reads_exif(void **state)
{
    (void)state;
    uint8_t exif[6 + EXIF_TIFF_LEN] = "Exif";
    for (int little = 0; little < 2; little++) {
        for (int orientation = 0; orientation < 12; orientation++) {
            exif_tiff(exif + 6, orientation, little);
            int wanted = orientation >= 1 && orientation <= 8 ? orientation : 1;
            assert_int_equal(lq_exif_orientation(exif, sizeof(exif)), wanted);
        }
    }
}

// A second directory, one that points backwards, and one with more entries than there are.
static void reads_only_the_first_directory(void **state)
{
    (void)state;
    static const uint8_t head[16] = {'E', 'x', 'i', 'f', 0,    0,   'I', 'I',
                                     '*', 0,   8,   0,   0,    0,   0xff, 0xff};
    static const uint8_t circle[12] = {0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0};
    static const uint8_t turned[12] = {0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
    uint8_t exif[sizeof(head) + 3 * 12];
    memcpy(exif, head, sizeof(head));
    for (int i = 0; i < 3; i++)
        memcpy(exif + sizeof(head) + 12 * i, circle, sizeof(circle));
    assert_int_equal(lq_exif_orientation(exif, sizeof(exif)), 1);
    memcpy(exif + sizeof(head) + 24, turned, sizeof(turned));
    assert_int_equal(lq_exif_orientation(exif, sizeof(exif)), 6);
    assert_int_equal(lq_exif_orientation(exif, sizeof(exif) - 1), 1);
    for (size_t len = 0; len <= sizeof(head); len++)
        assert_int_equal(lq_exif_orientation(exif, len), 1);
    exif[10] = 0xff, exif[11] = exif[12] = exif[13] = 0xff; // the directory far away
    assert_int_equal(lq_exif_orientation(exif, sizeof(exif)), 1);
}

static void survives_damaged_exif(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (int round = 0; round < 2000; round++) {
        uint8_t exif[6 + EXIF_TIFF_LEN] = "Exif";
        exif_tiff(exif + 6, 6, round & 1);
        for (int i = 0; i < 3; i++)
            exif[6 + unit_random(&seed) % EXIF_TIFF_LEN] = (uint8_t)unit_random(&seed);
        size_t len = round % 3 ? sizeof(exif) : unit_random(&seed) % sizeof(exif);
        int orientation = lq_exif_orientation(exif, len);
        assert_in_range(orientation, 1, 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_every_way),
        cmocka_unit_test(reads_exif),
        cmocka_unit_test(reads_only_the_first_directory),
        cmocka_unit_test(survives_damaged_exif),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
