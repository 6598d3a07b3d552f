// WebSocket frames: headers, masks, text, close codes and handshake keys.
#include <string.h>

#include "fuzz/fuzz.h"
#include "base/utf8.h"
#include "net/ws_frame.h"

static void read_frames(enum lq_ws_side from, const uint8_t *bytes, size_t len)
{
    uint8_t out[256], again[LQ_WS_FRAME_HEAD_MAX];
    uint32_t utf8 = 0;
    bool within = false, good = true;
    for (size_t at = 0; at < len;) {
        struct lq_ws_header frame;
        int found = lq_ws_frame_read(&frame, from, bytes + at, len - at, within);
        if (found != 1)
            return;
        const uint8_t *mask = from == LQ_WS_FROM_CLIENT ? frame.mask : NULL;
        FUZZ_CHECK(frame.head <= len - at);
        FUZZ_CHECK(frame.head == lq_ws_frame_write(again, frame.opcode, frame.len, mask));
        at += frame.head;
        size_t part = frame.len < len - at ? (size_t)frame.len : len - at;
        part = part < sizeof out ? part : sizeof out;
        lq_ws_unmask(out, bytes + at, part, frame.mask, 0);
        if (frame.opcode == LQ_WS_OP_TEXT)
            good = lq_utf8_read(&utf8, out, part) && good;
        if (frame.opcode < LQ_WS_OP_CLOSE)
            within = !frame.fin;
        at += frame.len < len - at ? (size_t)frame.len : len - at;
    }
}

// UTF-8 validation gives the same result for a whole text and for its pieces.
static void check_text(const uint8_t *bytes, size_t len)
{
    uint32_t whole = 0, cut = 0;
    bool good = lq_utf8_read(&whole, bytes, len), good_cut = true;
    for (size_t i = 0; i < len && good_cut; i++)
        good_cut = lq_utf8_read(&cut, bytes + i, 1);
    FUZZ_CHECK(good == good_cut && (!good || whole == cut));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char key[32], accept[LQ_WS_ACCEPT_SIZE];
    size_t part = len < sizeof key - 1 ? len : sizeof key - 1;
    memcpy(key, bytes, part);
    key[part] = 0;
    lq_ws_accept(key, accept);
    read_frames(LQ_WS_FROM_CLIENT, bytes, len);
    read_frames(LQ_WS_FROM_SERVER, bytes, len);
    check_text(bytes, len);
    return 0;
}
