#include "net/http_body.h"

#include <string.h>

// What the next byte of a chunked body belongs to.
enum { SIZE, EXTENSION, SIZE_LF, DATA_CR, DATA_LF, TRAILER, TRAILER_LF, LAST_LF };

void lq_http_body_start(struct lq_http_body *body, int64_t length)
{
    *body = (struct lq_http_body){.chunked = length < 0, .whole = length == 0,
                                  .left = length > 0 ? (uint64_t)length : 0};
}

static int hex_of(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_text(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool to(struct lq_http_body *body, int state)
{
    body->state = (uint8_t)state;
    return true;
}

// Parses a chunk size in hex. At most 16 digits, with a check for overflow (RFC 9112 section 7.1),
// and no spaces: the RFC calls those bad.
static bool on_size(struct lq_http_body *body, uint8_t c)
{
    int digit = hex_of(c);
    if (digit >= 0) {
        if (++body->digits > 16 || body->left >> 59)
            return false;
        body->left = body->left << 4 | (uint64_t)digit;
        return true;
    }
    if (body->digits == 0 || (c != ';' && c != '\r'))
        return false;
    body->line = 0;
    return to(body, c == ';' ? EXTENSION : SIZE_LF);
}

static bool on_extension(struct lq_http_body *body, uint8_t c)
{
    if (c == '\r')
        return to(body, SIZE_LF);
    return is_text(c) && ++body->line <= LQ_CHUNK_EXTENSION_BYTES_MAX;
}

// Discards trailers (RFC 9112 section 7.1.2 allows it). `digits` counts the bytes of the current
// line.
static bool on_trailer(struct lq_http_body *body, uint8_t c)
{
    if (c == '\r') {
        to(body, body->digits == 0 ? LAST_LF : TRAILER_LF);
        body->digits = 0;
        return true;
    }
    body->digits++;
    return is_text(c) && ++body->line <= LQ_TRAILER_BYTES_MAX;
}

static bool on_byte(struct lq_http_body *body, uint8_t c)
{
    switch (body->state) {
    case SIZE:
        return on_size(body, c);
    case EXTENSION:
        return on_extension(body, c);
    case SIZE_LF:
        body->digits = 0;
        body->line = 0;
        return c == '\n' && to(body, body->left ? DATA_CR : TRAILER);
    case DATA_CR:
        return c == '\r' && to(body, DATA_LF);
    case DATA_LF:
        return c == '\n' && to(body, SIZE);
    case TRAILER:
        return on_trailer(body, c);
    case TRAILER_LF:
        return c == '\n' && to(body, TRAILER);
    default:
        body->whole = c == '\n';
        return body->whole;
    }
}

uint64_t lq_http_body_payload(const struct lq_http_body *body)
{
    return !body->chunked || body->state == DATA_CR ? body->left : 0;
}

ptrdiff_t lq_http_body_frame(struct lq_http_body *body, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    if (!body->chunked)
        return 0;
    while (at < len && !body->whole && lq_http_body_payload(body) == 0) {
        if (!on_byte(body, bytes[at++]) ||
            ++body->overhead > LQ_CHUNK_OVERHEAD_BYTES_MAX + 6 * body->received)
            return -1;
    }
    return (ptrdiff_t)at;
}

void lq_http_body_consume(struct lq_http_body *body, uint64_t len)
{
    body->left -= len;
    body->received += len;
    if (!body->chunked && body->left == 0)
        body->whole = true;
}
