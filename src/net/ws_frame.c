#include "net/ws_frame.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

static uint64_t big_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool is_control(uint8_t opcode)
{
    return opcode & 8;
}

// Checks what the first two bytes show.
static bool is_good_start(enum lq_ws_side from, const uint8_t *bytes, size_t len, bool within)
{
    uint8_t opcode = bytes[0] & 15;
    if (bytes[0] & 0x70) // reserved bits, without an extension
        return false;
    if ((opcode > LQ_WS_OP_BINARY && opcode < LQ_WS_OP_CLOSE) || opcode > LQ_WS_OP_PONG)
        return false;
    if (is_control(opcode) && !(bytes[0] & 0x80)) // section 5.5: not fragmented
        return false;
    if (!is_control(opcode) && (opcode == LQ_WS_OP_CONTINUATION) != within) // section 5.4
        return false;
    if (len < 2)
        return true;
    return bytes[1] >> 7 == (from == LQ_WS_FROM_CLIENT) && // section 5.1: masked
           !(is_control(opcode) && (bytes[1] & 0x7f) > LQ_WS_CONTROL_BYTES_MAX);
}

int lq_ws_frame_read(struct lq_ws_header *frame, enum lq_ws_side from, const uint8_t *bytes,
                     size_t len, bool within)
{
    if (len > 0 && !is_good_start(from, bytes, len, within))
        return 1002;
    if (len < 2)
        return 0;
    uint8_t length = bytes[1] & 0x7f;
    int more = length == 126 ? 2 : length == 127 ? 8 : 0;
    size_t mask = from == LQ_WS_FROM_CLIENT ? 4 : 0, head = 2u + (size_t)more + mask;
    if (len < head)
        return 0;
    *frame = (struct lq_ws_header){.fin = bytes[0] >> 7, .opcode = bytes[0] & 15, .head = head,
                                  .len = more ? big_endian(bytes + 2, more) : length};
    memcpy(frame->mask, bytes + head - mask, mask);
    // Section 5.2: a length must use the shortest form, and its top bit is 0.
    if ((more == 2 && frame->len < 126) || (more == 8 && (frame->len < 65536 || frame->len >> 63)))
        return 1002;
    return 1;
}

size_t lq_ws_frame_write(uint8_t head[LQ_WS_FRAME_HEAD_MAX], uint8_t opcode, uint64_t len,
                         const uint8_t mask[4])
{
    int more = len < 126 ? 0 : len < 65536 ? 2 : 8;
    head[0] = 0x80 | opcode;
    head[1] = (uint8_t)(more == 0 ? len : more == 2 ? 126 : 127);
    for (int i = 0; i < more; i++)
        head[2 + i] = (uint8_t)(len >> (8 * (more - 1 - i)));
    size_t used = 2u + (size_t)more;
    if (!mask)
        return used;
    head[1] |= 0x80;
    memcpy(head + used, mask, 4);
    return used + 4;
}

void lq_ws_unmask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4], uint64_t at)
{
    uint8_t rotated[8];
    uint64_t wide, bytes;
    size_t i = 0;
    for (int k = 0; k < 8; k++)
        rotated[k] = mask[(at + (uint64_t)k) & 3];
    memcpy(&wide, rotated, sizeof wide);
    for (; i + 8 <= len; i += 8) { // compilers vectorise this
        memcpy(&bytes, from + i, sizeof bytes);
        bytes ^= wide;
        memcpy(to + i, &bytes, sizeof bytes);
    }
    for (; i < len; i++)
        to[i] = from[i] ^ rotated[i & 3];
}

bool lq_ws_code_is_good(int code)
{
    if (code >= 3000 && code <= 4999) // codes of libraries and applications
        return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

bool lq_ws_accept(const char *key, char accept[LQ_WS_ACCEPT_SIZE])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    uint8_t digest[SHA_DIGEST_LENGTH], nonce[18];
    // 16 bytes are 22 characters and "==". EVP_DecodeBlock would ignore blanks at either end.
    if (strlen(key) != 24 || strcspn(key, " \t=") != 22 || strcmp(key + 22, "==") != 0 ||
        EVP_DecodeBlock(nonce, (const unsigned char *)key, 24) != 18)
        return false;
    memcpy(text, key, 24);
    memcpy(text + 24, guid, sizeof guid);
    SHA1((const unsigned char *)text, 24 + sizeof guid - 1, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    return true;
}
