#include "serve/sio/engineio.h"

#include <stdint.h>
#include <string.h>

enum { RECORD_SEPARATOR = 0x1e, ATTACHMENTS_MAX = 8, ACK_DIGITS_MAX = 15,
       LENGTH_DIGITS_MAX = 8 };

int lq_eio_parse(struct lq_eio_packet *packet, const char *text, size_t len, struct lq_error *err)
{
    if (len == 0)
        return lq_fail(err, LQ_ERR_SYNTAX, "empty packet");
    bool binary = text[0] == 'b';
    if (!binary && (text[0] < '0' || text[0] > '6'))
        return lq_fail(err, LQ_ERR_SYNTAX, "unknown packet type '%c'", text[0]);
    packet->type = binary ? LQ_EIO_BINARY : (enum lq_eio_type)(text[0] - '0');
    packet->text = text + 1;
    packet->len = len - 1;
    return LQ_OK;
}

bool lq_eio_next(const char **at, const char *end, const char **text, size_t *len)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, RECORD_SEPARATOR, (size_t)(end - *at));
    *text = *at;
    *len = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    return true;
}

// Reads digits at *at and moves past them; -1 if there are none or too many.
static long long number(const char **at, const char *end, int digits_max)
{
    long long value = 0;
    int digits = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        if (++digits <= digits_max)
            value = value * 10 + (**at - '0');
    return digits == 0 || digits > digits_max ? -1 : value;
}

// ---- Engine.IO 3 -------------------------------------------------------------------------------

// UTF-16 units of the character that begins with this byte; 0 inside a character.
static size_t units_of(uint8_t byte)
{
    return (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
}

size_t lq_eio3_units(const char *text, size_t len)
{
    size_t units = 0;
    for (size_t i = 0; i < len; i++)
        units += units_of((uint8_t)text[i]);
    return units;
}

static int next_text3(const char **at, const char *end, const char **text, size_t *len)
{
    long long units = number(at, end, LENGTH_DIGITS_MAX);
    if (units <= 0 || *at == end || *(*at)++ != ':')
        return LQ_ERR_SYNTAX;
    const char *stop = *at;
    // Include all bytes of the last character.
    while (stop < end && (units > 0 || units_of((uint8_t)*stop) == 0))
        units -= (long long)units_of((uint8_t)*stop++);
    if (units != 0)
        return LQ_ERR_SYNTAX;
    *text = *at;
    *len = (size_t)(stop - *at);
    *at = stop;
    return 1;
}

static int next_bytes3(const char **at, const char *end, const char **text, size_t *len)
{
    size_t size = 0;
    int digits = 0;
    for (; *at < end && (uint8_t)**at <= 9 && ++digits <= LENGTH_DIGITS_MAX; (*at)++)
        size = size * 10 + (uint8_t)**at;
    if (digits == 0 || *at == end || (uint8_t)*(*at)++ != 0xff || size == 0 ||
        size > (size_t)(end - *at))
        return LQ_ERR_SYNTAX;
    *text = *at;
    *len = size;
    *at += size;
    return 1;
}

int lq_eio3_next(const char **at, const char *end, const char **text, size_t *len, bool *binary)
{
    *binary = false;
    if (*at >= end)
        return 0;
    if ((uint8_t)**at > 1)
        return next_text3(at, end, text, len);
    *binary = *(*at)++ == 1;
    return next_bytes3(at, end, text, len);
}

// ---- Socket.IO ---------------------------------------------------------------------------------

int lq_sio_parse(struct lq_sio_packet *packet, const char *text, size_t len, struct lq_error *err)
{
    const char *at = text, *end = text + len;
    if (len == 0 || *at < '0' || *at > '6')
        return lq_fail(err, LQ_ERR_SYNTAX, "unknown Socket.IO packet");
    *packet = (struct lq_sio_packet){.type = (enum lq_sio_type)(*at++ - '0'), .space = "",
                                     .ack = -1};
    if (packet->type == LQ_SIO_BINARY_EVENT || packet->type == LQ_SIO_BINARY_ACK) {
        long long count = number(&at, end, 2);
        if (count < 0 || count > ATTACHMENTS_MAX || at == end || *at++ != '-')
            return lq_fail(err, LQ_ERR_SYNTAX, "Socket.IO packet with a bad attachment count");
        packet->attachments = (int)count;
    }
    if (at < end && *at == '/') {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        packet->space = at;
        packet->space_len = (size_t)((comma ? comma : end) - at);
        at = comma ? comma + 1 : end;
    }
    if (at < end && *at >= '0' && *at <= '9') {
        packet->ack = number(&at, end, ACK_DIGITS_MAX);
        if (packet->ack < 0)
            return lq_fail(err, LQ_ERR_SYNTAX, "Socket.IO packet with a bad acknowledgement id");
    }
    packet->json = at;
    packet->json_len = (size_t)(end - at);
    return LQ_OK;
}

bool lq_sio_event_is(const struct lq_sio_packet *packet, const char *name)
{
    size_t len = strlen(name);
    const char *json = packet->json;
    return packet->json_len >= len + 3 && json[0] == '[' && json[1] == '"' &&
           memcmp(json + 2, name, len) == 0 && json[2 + len] == '"';
}
