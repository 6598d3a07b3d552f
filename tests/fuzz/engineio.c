// A long-polling payload of Engine.IO 4 and of 3, and the Socket.IO packets inside messages.
#include "serve/sio/engineio.h"

#include "fuzz/fuzz.h"

static void check_within(const char *part, size_t len, const char *whole, size_t whole_len)
{
    if (len > 0)
        FUZZ_CHECK(part >= whole && part + len <= whole + whole_len);
}

static void check_packet(const char *text, size_t text_len)
{
    struct lq_eio_packet outer;
    struct lq_sio_packet inner;
    struct lq_error error;
    if (lq_eio_parse(&outer, text, text_len, &error) != LQ_OK)
        return;
    check_within(outer.text, outer.len, text, text_len);
    if (outer.type != LQ_EIO_MESSAGE ||
        lq_sio_parse(&inner, outer.text, outer.len, &error) != LQ_OK)
        return;
    check_within(inner.json, inner.json_len, text, text_len);
    check_within(inner.space, inner.space_len, text, text_len);
    FUZZ_CHECK(inner.attachments >= 0 && inner.ack >= -1);
    lq_sio_event_is(&inner, "frame");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *whole = (const char *)bytes, *at = whole, *end = whole + len, *text;
    size_t text_len;
    bool binary;
    while (lq_eio_next(&at, end, &text, &text_len)) {
        check_within(text, text_len, whole, len);
        check_packet(text, text_len);
    }
    FUZZ_CHECK(at == end);
    at = whole;
    while (lq_eio3_next(&at, end, &text, &text_len, &binary) == 1) {
        FUZZ_CHECK(text_len > 0);
        check_within(text, text_len, whole, len);
        if (!binary) {
            check_packet(text, text_len);
        }
    }
    return 0;
}
