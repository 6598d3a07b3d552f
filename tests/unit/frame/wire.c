#include "frame/wire.h"

#include <stdbool.h>
#include <string.h>

#include "unit/unit.h"

// The worked example of docs/PROTOCOL.md.
static const uint8_t example[] = {0x01, 0x00, 0x10, 0x00, 0x07, 0x00, 0x00, 0x00, 0x40, 0x42,
                                  0x0f, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xd8};

static void reads_the_worked_example(void **state)
{
    (void)state;
    struct lq_wire_frame frame;
    uint8_t again[LQ_WIRE_FRAME_BYTES];
    assert_ok(lq_wire_frame_read(&frame, example, sizeof example, NULL));
    assert_int_equal(frame.type, LQ_WIRE_TYPE_FRAME);
    assert_int_equal(frame.want, LQ_WIRE_WANT_JPEG);
    assert_int_equal(frame.header_bytes, 16);
    assert_int_equal(frame.id, 7);
    assert_int_equal(frame.client_time, 1000000);
    lq_wire_frame_write(&frame, again);
    assert_memory_equal(again, example, sizeof again);
}

static void refuses_what_is_no_frame(void **state)
{
    (void)state;
    struct lq_wire_frame frame;
    uint8_t bytes[sizeof example];
    for (size_t len = 0; len < LQ_WIRE_FRAME_BYTES; len++)
        assert_int_equal(lq_wire_frame_read(&frame, example, len, NULL), LQ_ERR_SYNTAX);
    for (int type = 0; type < 256; type++) {
        memcpy(bytes, example, sizeof bytes);
        bytes[0] = (uint8_t)type;
        assert_int_equal(lq_wire_frame_read(&frame, bytes, sizeof bytes, NULL),
                         type == 1 ? LQ_OK : LQ_ERR_SYNTAX);
    }
    for (int header = 0; header < 64; header++) {
        memcpy(bytes, example, sizeof bytes);
        bytes[2] = (uint8_t)header;
        bool fits = header >= 16 && header <= (int)sizeof bytes;
        assert_int_equal(lq_wire_frame_read(&frame, bytes, sizeof bytes, NULL),
                         fits ? LQ_OK : LQ_ERR_SYNTAX);
    }
}

static void writes_replies_as_documented(void **state)
{
    (void)state;
    const struct lq_wire_reply reply = {
        .type = LQ_WIRE_TYPE_JPEG, .nails = 10, .id = 0x01020304,
        .client_time = 0x1112131415161718, .queue_us = 100,
        .stage_us = {1, 2, 3, 4, 5, 6}, .served_us = 0x21222324, .replaced = 9, .width = 640,
        .height = 480, .quality = 85, .propagated = true};
    uint8_t bytes[LQ_WIRE_REPLY_BYTES];
    struct lq_wire_reply again;
    lq_wire_reply_write(&reply, bytes);
    static const uint8_t head[] = {2, 10, 64, 0, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13,
                                   0x12, 0x11, 100, 0, 0, 0, 1, 0, 0, 0, 2};
    assert_memory_equal(bytes, head, sizeof head);
    static const uint8_t tail[] = {0x24, 0x23, 0x22, 0x21, 9, 0, 0, 0, 0x80, 2, 0xe0, 1, 85,
                                   1,    0,    0,    0,    0, 0, 0};
    assert_memory_equal(bytes + 44, tail, sizeof tail);
    assert_ok(lq_wire_reply_read(&again, bytes, sizeof bytes, NULL));
    uint8_t written[LQ_WIRE_REPLY_BYTES];
    lq_wire_reply_write(&again, written);
    assert_memory_equal(written, bytes, sizeof written);
    lq_wire_reply_set_served(bytes, 7, 8);
    assert_ok(lq_wire_reply_read(&again, bytes, sizeof bytes, NULL));
    assert_int_equal(again.served_us, 7);
    assert_int_equal(again.replaced, 8);
    assert_int_equal(again.id, reply.id);
    bytes[0] = LQ_WIRE_TYPE_NAILS;
    assert_ok(lq_wire_reply_read(&again, bytes, sizeof bytes, NULL));
    assert_int_equal(again.type, LQ_WIRE_TYPE_NAILS);
    bytes[0] = 4;
    assert_int_equal(lq_wire_reply_read(&again, bytes, sizeof bytes, NULL), LQ_ERR_SYNTAX);
    assert_int_equal(lq_wire_reply_read(&again, bytes, 63, NULL), LQ_ERR_SYNTAX);
    assert_int_equal(lq_wire_reply_read(&again, example, sizeof example, NULL), LQ_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_worked_example),
        cmocka_unit_test(refuses_what_is_no_frame),
        cmocka_unit_test(writes_replies_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
