// Estimating a picture's cost from the first bytes of each kind of body.
#include "serve/sched/cost.h"

#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "unit/unit.h"

enum { WIDTH = 4600, HEIGHT = 3450 };

// A JPEG's beginning: SOI, APP5 segments of `padding` bytes, SOF0, and four bytes of what follows.
static size_t jpeg_head(uint8_t *out, size_t padding)
{
    static const uint8_t frame[] = {0xff, 0xc0, 0, 17, 8, HEIGHT >> 8, HEIGHT & 255, WIDTH >> 8,
                                    WIDTH & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1};
    static const uint8_t start[] = {0xff, 0xd8};
    size_t len = 0;
    memcpy(out, start, sizeof start);
    len += sizeof start;
    while (padding > 0) {
        size_t size = padding < 60000 ? padding : 60000;
        const uint8_t head[] = {0xff, 0xe5, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)};
        memcpy(out + len, head, sizeof head);
        memset(out + len + sizeof head, 0, size);
        len += sizeof head + size;
        padding -= size;
    }
    memcpy(out + len, frame, sizeof frame);
    memset(out + len + sizeof frame, 0, 4);
    return len + sizeof frame + 4;
}

static struct lq_frame_slot slot;

static void open_slot(enum lq_body_form form, const void *bytes, size_t len)
{
    slot = (struct lq_frame_slot){.request = {.body_form = form, .ack = -1}};
    lq_buf_init(&slot.body, 1 << 20);
    lq_buf_init(&slot.attachment, 1 << 20);
    assert_ok(lq_buf_append(&slot.body, bytes, len));
}

static struct lq_cost_peek peek_and_close(void)
{
    struct lq_cost_peek peek = lq_cost_peek(&slot);
    lq_buf_release(&slot.body);
    lq_buf_release(&slot.attachment);
    return peek;
}

static struct lq_cost_peek peek(enum lq_body_form form, const void *bytes, size_t len)
{
    open_slot(form, bytes, len);
    return peek_and_close();
}

static void the_header_tells_the_pixels(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 19];
    size_t len = jpeg_head(bytes, 0);
    assert_int_equal(peek(LQ_BODY_PICTURE, bytes, len).pixels, WIDTH * HEIGHT);
    len = jpeg_head(bytes, 100000); // an EXIF with pictures of its own
    assert_int_equal(peek(LQ_BODY_PICTURE, bytes, len).pixels, WIDTH * HEIGHT);
    len = jpeg_head(bytes, 400000); // too far from the start: the maximum is assumed
    assert_int_equal(peek(LQ_BODY_PICTURE, bytes, len).pixels, LQ_FRAME_PIXELS_MAX);
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13,
                                  'I', 'H', 'D', 'R', 0, 0, 2, 128, 0, 0, 1, 224, 8, 2};
    assert_int_equal(peek(LQ_BODY_PICTURE, png, sizeof png).pixels, 640 * 480);
    assert_int_equal(peek(LQ_BODY_PICTURE, png, 12).pixels, LQ_FRAME_PIXELS_MAX);
    assert_int_equal(peek(LQ_BODY_PICTURE, "GIF89a", 6).pixels, 0); // is refused at once
    assert_int_equal(peek(LQ_BODY_PICTURE, "", 0).pixels, 0);
}

static void the_picture_is_found_in_forms_and_text(void **state)
{
    (void)state;
    static uint8_t bytes[4096];
    static const char head[] = "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n";
    struct lq_buf text;
    size_t len = jpeg_head(bytes, 300);
    open_slot(LQ_BODY_MULTIPART, head, sizeof head - 1);
    assert_ok(lq_buf_append(&slot.body, bytes, len));
    assert_int_equal(peek_and_close().pixels, WIDTH * HEIGHT);

    lq_buf_init(&text, 1 << 16);
    assert_ok(lq_buf_append(&text, "{\"image\":\"data:image/jpeg;base64,", 33));
    assert_ok(lq_base64_encode(bytes, len, &text));
    assert_ok(lq_buf_append(&text, "\"}", 2));
    assert_int_equal(peek(LQ_BODY_JSON, text.data, text.len).pixels, WIDTH * HEIGHT);
    assert_int_equal(peek(LQ_BODY_EVENT, text.data, text.len).pixels, WIDTH * HEIGHT);
    // Encoded so that only a JSON parser can read it: the maximum is assumed.
    static const char escaped[] = "{\"image\":\"\\u002f9j/4AAQ\"}";
    assert_int_equal(peek(LQ_BODY_JSON, escaped, sizeof escaped - 1).pixels, LQ_FRAME_PIXELS_MAX);
    lq_buf_release(&text);

    open_slot(LQ_BODY_EVENT, "[]", 2);
    slot.request.has_attachment = true;
    assert_ok(lq_buf_append(&slot.attachment, bytes, len));
    assert_int_equal(peek_and_close().pixels, WIDTH * HEIGHT);
}

// Writes a JPEG's head as base64, with each slash and plus encoded in the given way.
static void encoded(struct lq_buf *out, const char *before, const char *slash, const char *plus)
{
    static uint8_t bytes[4096];
    struct lq_buf text;
    lq_buf_init(&text, 1 << 16);
    size_t len = jpeg_head(bytes, 300);
    memset(bytes + 30, 0xfb, 60); // "+/v7"
    assert_ok(lq_base64_encode(bytes, len, &text));
    lq_buf_clear(out);
    assert_ok(lq_buf_printf(out, "%s", before));
    for (size_t i = 0; i < text.len; i++) {
        char letter[2] = {(char)text.data[i], 0};
        const char *as = *letter == '/' ? slash : *letter == '+' ? plus : letter;
        assert_ok(lq_buf_append(out, as, strlen(as)));
    }
    lq_buf_release(&text);
}

static void it_is_read_as_clients_write_it(void **state)
{
    (void)state;
    static const char url[] = "color=red&image=data%3Aimage%2Fjpeg%3Bbase64%2C";
    struct lq_buf text;
    lq_buf_init(&text, 1 << 17);
    encoded(&text, "{\"image\": \"data:image\\/jpeg;base64,", "\\/", "+"); // PHP
    assert_int_equal(peek(LQ_BODY_JSON, text.data, text.len).pixels, WIDTH * HEIGHT);
    encoded(&text, url, "%2F", "%2B");
    assert_int_equal(peek(LQ_BODY_URLENCODED, text.data, text.len).pixels, WIDTH * HEIGHT);
    assert_int_equal(peek(LQ_BODY_URLENCODED, text.data, text.len).passes, 1);
    encoded(&text, "image=", "%2f", "%2b");
    assert_int_equal(peek(LQ_BODY_URLENCODED, text.data, text.len).pixels, WIDTH * HEIGHT);
    // A small picture before the one that counts cannot hide it.
    encoded(&text, "junk=/9j/AAAA&ximage=/9j/AAAA&image=iVBORw0KGgo&image=", "/", "%2B");
    assert_int_equal(peek(LQ_BODY_URLENCODED, text.data, text.len).pixels, WIDTH * HEIGHT);
    assert_int_equal(peek(LQ_BODY_URLENCODED, "color=red", 9).pixels, 0);
    lq_buf_release(&text);
}

static void multiscale_is_found_in_every_field(void **state)
{
    (void)state;
    static const char plain[] = "image=%2F9j%2F4AAQ", said[] = "closer=1&image=x",
                      hidden[] = "image=x&%63loser=1", upper[] = "image=x&c%6Closer=1";
    static char far[600000];
    assert_int_equal(peek(LQ_BODY_URLENCODED, plain, sizeof plain - 1).passes, 1);
    assert_int_equal(peek(LQ_BODY_URLENCODED, said, sizeof said - 1).passes, LQ_COST_PASSES);
    assert_int_equal(peek(LQ_BODY_URLENCODED, hidden, sizeof hidden - 1).passes, LQ_COST_PASSES);
    assert_int_equal(peek(LQ_BODY_URLENCODED, upper, sizeof upper - 1).passes, LQ_COST_PASSES);
    static const char look[] = "look=%7B%22color%22%3A%22red%22%7D&image=%2F9j%2F4AAQ";
    assert_int_equal(peek(LQ_BODY_URLENCODED, look, sizeof look - 1).passes, 1);
    memset(far, 'x', sizeof far);
    memcpy(far + sizeof far / 2, "&closer=1&", 10);
    assert_int_equal(peek(LQ_BODY_URLENCODED, far, sizeof far).passes, LQ_COST_PASSES);
    memcpy(far + sizeof far - 100, "name=\"closer\"", 13); // behind the picture
    assert_int_equal(peek(LQ_BODY_MULTIPART, far, sizeof far).passes, LQ_COST_PASSES);
    assert_int_equal(peek(LQ_BODY_PICTURE, said, sizeof said - 1).passes, 1);
}

static void what_is_long_is_heavy(void **state)
{
    (void)state;
    struct lq_cost_peek small = {1920 * 1080, 1}, large = {4000 * 3000, 1},
                        multiscale = {640 * 480, 7};
    assert_int_equal(lq_cost_kind(&small, true), LQ_TURN_LIVE);
    assert_int_equal(lq_cost_kind(&small, false), LQ_TURN_LIGHT);
    assert_int_equal(lq_cost_kind(&large, true), LQ_TURN_HEAVY); // takes as long as a still
    assert_int_equal(lq_cost_kind(&large, false), LQ_TURN_HEAVY);
    assert_int_equal(lq_cost_kind(&multiscale, false), LQ_TURN_HEAVY);
}

static void costs_are_learned(void **state)
{
    (void)state;
    struct lq_cost cost;
    const struct lq_cost_peek one = {1000000, 1}, big = {16000000, 7};
    lq_cost_init(&cost);
    assert_true(lq_cost_us(&cost, &one) > 0); // a guess
    lq_cost_learn(&cost, &(struct lq_cost_seen){2000000, 80000, 5, 50000});
    assert_int_equal(lq_cost_us(&cost, &one), 50000);
    assert_int_equal(lq_cost_us(&cost, &big), 16 * 40000 + 7 * 10000);
    lq_cost_learn(&cost, &(struct lq_cost_seen){1000000, 20000, 1, 30000});
    assert_int_equal(lq_cost_us(&cost, &one), 30000 + 20000);
    lq_cost_learn(&cost, &(struct lq_cost_seen){100, 20000, 0, 0}); // too small to learn from
    assert_int_equal(lq_cost_us(&cost, &one), 30000 + 20000);
    lq_cost_release(&cost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_tells_the_pixels),
        cmocka_unit_test(the_picture_is_found_in_forms_and_text),
        cmocka_unit_test(it_is_read_as_clients_write_it),
        cmocka_unit_test(multiscale_is_found_in_every_field),
        cmocka_unit_test(what_is_long_is_heavy),
        cmocka_unit_test(costs_are_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
