#include "net/ws_frame.h"

#include <string.h>

#include "base/attr.h"
#include "base/utf8.h"
#include "unit/unit.h"

static const struct {
    uint8_t bytes[14];
    size_t len;
    bool within;
    int found;    // 0: more, 1: read, else the close code
    uint64_t told;
    const char *rule; // RFC 6455
} frames[] = {
    {{0x82, 0x80, 1, 2, 3, 4}, 6, false, 1, 0, "5.2"},
    {{0x81, 0xfd, 1, 2, 3, 4}, 6, false, 1, 125, "5.2"},
    {{0x82, 0xfe, 0, 126, 1, 2, 3, 4}, 8, false, 1, 126, "5.2"},
    {{0x82, 0xfe, 0xff, 0xff, 1, 2, 3, 4}, 8, false, 1, 65535, "5.2"},
    {{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, 14, false, 1, 65536, "5.2"},
    {{0x02, 0x81, 1, 2, 3, 4}, 6, false, 1, 1, "5.4: first of several"},
    {{0x80, 0x81, 1, 2, 3, 4}, 6, true, 1, 1, "5.4: last of several"},
    {{0x89, 0xfd, 1, 2, 3, 4}, 6, true, 1, 125, "5.5: between them"},
    {{0x82}, 1, false, 0, 0, "more"},
    {{0x82, 0xfe, 0, 126, 1, 2, 3}, 7, false, 0, 0, "more"},
    {{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3}, 13, false, 0, 0, "more"},
    {{0xc2}, 1, false, 1002, 0, "5.2: reserved bit"},
    {{0xa2}, 1, false, 1002, 0, "5.2: reserved bit"},
    {{0x92}, 1, false, 1002, 0, "5.2: reserved bit"},
    {{0x83}, 1, false, 1002, 0, "5.2: unknown opcode"},
    {{0x87}, 1, false, 1002, 0, "5.2: unknown opcode"},
    {{0x8b}, 1, false, 1002, 0, "5.2: unknown opcode"},
    {{0x8f}, 1, false, 1002, 0, "5.2: unknown opcode"},
    {{0x09}, 1, false, 1002, 0, "5.5: control in pieces"},
    {{0x08}, 1, false, 1002, 0, "5.5: control in pieces"},
    {{0x89, 0xfe}, 2, false, 1002, 0, "5.5: control over 125"},
    {{0x80}, 1, false, 1002, 0, "5.4: continues nothing"},
    {{0x81}, 1, true, 1002, 0, "5.4: within another"},
    {{0x82, 0x05}, 2, false, 1002, 0, "5.1: not masked"},
    {{0x82, 0xfe, 0, 125, 1, 2, 3, 4}, 8, false, 1002, 0, "5.2: not the shortest"},
    {{0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}, 14, false, 1002, 0, "5.2: shortest"},
    {{0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, 14, false, 1002, 0, "5.2: top bit"},
};

static void reads_frames_strictly(void **state)
{
    struct lq_ws_header frame;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(frames); i++) {
        int found = lq_ws_frame_read(&frame, LQ_WS_FROM_CLIENT, frames[i].bytes, frames[i].len,
                                     frames[i].within);
        if (found != frames[i].found)
            fail_msg("frame %zu: %d, not %d (%s)", i, found, frames[i].found, frames[i].rule);
        if (found != 1)
            continue;
        assert_int_equal(frame.len, frames[i].told);
        assert_int_equal(frame.head, frames[i].len);
        assert_memory_equal(frame.mask, "\1\2\3\4", 4);
        for (size_t len = 0; len < frames[i].len; len++)
            assert_int_equal(lq_ws_frame_read(&frame, LQ_WS_FROM_CLIENT, frames[i].bytes, len,
                                              frames[i].within), 0);
    }
}

static void writes_what_others_read(void **state)
{
    static const uint8_t mask[] = {9, 8, 7, 6};
    static const uint64_t lens[] = {0, 125, 126, 65535, 65536, 1ull << 40};
    static const size_t sizes[] = {2, 2, 4, 4, 10, 10};
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(lens); i++) {
        uint8_t head[LQ_WS_FRAME_HEAD_MAX + 4] = {0};
        struct lq_ws_header frame;
        assert_int_equal(lq_ws_frame_write(head, LQ_WS_OP_BINARY, lens[i], NULL), sizes[i]);
        assert_int_equal(lq_ws_frame_read(&frame, LQ_WS_FROM_SERVER, head, sizes[i], false), 1);
        assert_int_equal(frame.len, lens[i]);
        assert_int_equal(frame.head, sizes[i]);
        assert_int_equal(lq_ws_frame_read(&frame, LQ_WS_FROM_CLIENT, head, sizes[i], false),
                         sizes[i] < 2 ? 0 : 1002);
        assert_int_equal(lq_ws_frame_write(head, LQ_WS_OP_BINARY, lens[i], mask), sizes[i] + 4);
        assert_int_equal(lq_ws_frame_read(&frame, LQ_WS_FROM_CLIENT, head, sizes[i] + 4, false), 1);
        assert_int_equal(frame.len, lens[i]);
        assert_memory_equal(frame.mask, mask, 4);
    }
}

static void servers_do_not_mask(void **state)
{
    (void)state;
    static const uint8_t masked[] = {0x82, 0x81, 1, 2, 3, 4, 0}, ping[] = {0x89, 126, 0, 126};
    struct lq_ws_header frame;
    assert_int_equal(lq_ws_frame_read(&frame, LQ_WS_FROM_SERVER, masked, sizeof masked, false),
                     1002);
    assert_int_equal(lq_ws_frame_read(&frame, LQ_WS_FROM_SERVER, ping, sizeof ping, false), 1002);
}

static void unmasks_however_cut(void **state)
{
    uint8_t masked[67], plain[67], out[70];
    const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    (void)state;
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 7);
        masked[i] = plain[i] ^ mask[i % 4];
    }
    for (size_t cut = 0; cut <= sizeof plain; cut++) {
        lq_ws_unmask(out + 1, masked, cut, mask, 0);
        memcpy(out + 1 + cut, masked + cut, sizeof plain - cut);
        lq_ws_unmask(out + 1 + cut, out + 1 + cut, sizeof plain - cut, mask, cut); // in place
        assert_memory_equal(out + 1, plain, sizeof plain);
    }
}

static void knows_close_codes(void **state)
{
    static const int good[] = {1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999};
    static const int bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535};
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(good); i++)
        assert_true(lq_ws_code_is_good(good[i]));
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_false(lq_ws_code_is_good(bad[i]));
}

static void accepts_keys(void **state)
{
    static const char *const bad[] = {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ===",
                                      "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZWE=",
                                      " GhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ= "};
    char accept[LQ_WS_ACCEPT_SIZE];
    (void)state;
    assert_true(lq_ws_accept("dGhlIHNhbXBsZSBub25jZQ==", accept)); // of section 1.3
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_false(lq_ws_accept(bad[i], accept));
}

static void checks_utf8_however_cut(void **state)
{
    static const struct { const char *text; bool good; } all[] = {
        {"abc", true}, {"\xc3\xa4 long enough for eight", true}, {"\xe2\x82\xac", true},
        {"\xf0\x9f\x92\x85\xf0\x9f\x92\x85", true}, {"\xf4\x8f\xbf\xbf", true},
        {"\xed\x9f\xbf\xee\x80\x80", true}, {"\xc0\x80", false}, {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false}, {"\xed\xa0\x80", false}, {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false}, {"\xf5\x80\x80\x80", false}, {"\x80", false}, {"\xff", false},
        {"12345678\xc3\x28", false}, {"\xc3", false}, {"\xf0\x9f\x92", false},
    };
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        const uint8_t *bytes = (const uint8_t *)all[i].text;
        size_t len = strlen(all[i].text);
        for (size_t cut = 0; cut <= len; cut++) {
            uint32_t at = 0;
            bool good = lq_utf8_read(&at, bytes, cut) &&
                        lq_utf8_read(&at, bytes + cut, len - cut) && at == 0;
            assert_int_equal(good, all[i].good);
        }
    }
    uint32_t at = 0;
    assert_false(lq_utf8_read(&at, (const uint8_t *)"\xed\xa0", 2)); // at its first wrong byte
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_frames_strictly), cmocka_unit_test(writes_what_others_read),
        cmocka_unit_test(servers_do_not_mask),
        cmocka_unit_test(unmasks_however_cut), cmocka_unit_test(knows_close_codes),
        cmocka_unit_test(accepts_keys), cmocka_unit_test(checks_utf8_however_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
