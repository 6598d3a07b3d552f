#include "bench/wire.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

// The accept value that belongs to LQ_WS_KEY.
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

enum { HTTP_HEAD_MAX = 16 * 1024, WS_CONTROL_MAX = 125 };

static int parse_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    if (end == text || *text < '0' || *text > '9' || port < 1 || port > 65535)
        return -1;
    return *end == 0 || strcmp(end, "/") == 0 ? (int)port : -1;
}

int lq_url_parse(struct lq_url *url, const char *text, struct lq_error *err)
{
    static const char scheme[] = "http://";
    if (strncasecmp(text, scheme, strlen(scheme)) != 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' does not begin with http://", text);
    const char *host = text + strlen(scheme), *end;
    if (*host == '[') {
        host++;
        end = strchr(host, ']');
    } else {
        end = host + strcspn(host, ":/");
    }
    if (!end || end == host || (size_t)(end - host) >= sizeof url->host)
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' names no host", text);
    memcpy(url->host, host, (size_t)(end - host));
    url->host[end - host] = 0;
    if (*end == ']')
        end++;
    url->port = 80;
    if (*end == ':')
        url->port = parse_port(end + 1);
    else if (*end && strcmp(end, "/") != 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' has a path; give http://host:port",
                       text);
    if (url->port < 0)
        return lq_fail(err, LQ_ERR_ARGUMENT, "address '%s' has no valid port", text);
    return LQ_OK;
}

bool lq_url_is_loopback(const struct lq_url *url)
{
    return strncmp(url->host, "127.", 4) == 0 || strcmp(url->host, "::1") == 0 ||
           strcasecmp(url->host, "localhost") == 0;
}

int lq_base64_append(struct lq_buf *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = out->len;
    int status = lq_buf_resize(out, out->len + (len + 2) / 3 * 4);
    if (status != LQ_OK)
        return status;
    uint8_t *to = out->data + at;
    for (size_t i = 0; i < len; i += 3, to += 4) {
        size_t left = len - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (left > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            group |= bytes[i + 2];
        to[0] = (uint8_t)digits[group >> 18];
        to[1] = (uint8_t)digits[group >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)digits[group >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)digits[group & 63] : '=';
    }
    return LQ_OK;
}

// Copies the value of the header at `line` when its name is `name`.
static bool header(const char *line, const char *end, const char *name, char *value, size_t size)
{
    size_t name_len = strlen(name);
    if ((size_t)(end - line) <= name_len || line[name_len] != ':' ||
        strncasecmp(line, name, name_len) != 0)
        return false;
    const char *from = line + name_len + 1;
    while (from < end && (*from == ' ' || *from == '\t'))
        from++;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t len = (size_t)(end - from) < size ? (size_t)(end - from) : size - 1;
    memcpy(value, from, len);
    value[len] = 0;
    return true;
}

static int read_header(struct lq_http_head *head, const char *line, const char *end)
{
    char value[128];
    if (header(line, end, "content-length", value, sizeof value)) {
        char *stop;
        head->body_len = strtoll(value, &stop, 10);
        if (stop == value || *stop || head->body_len < 0)
            return LQ_ERR_SYNTAX;
    } else if (header(line, end, "connection", value, sizeof value)) {
        head->close = strcasecmp(value, "close") == 0;
    } else if (header(line, end, "sec-websocket-accept", value, sizeof value)) {
        head->accepted = strcmp(value, ACCEPT) == 0;
    } else if (header(line, end, "sec-websocket-protocol", value, sizeof value)) {
        head->subprotocol = true;
    } else if (header(line, end, "transfer-encoding", value, sizeof value)) {
        return LQ_ERR_SYNTAX; // every server measured knows its replies' length
    }
    return LQ_OK;
}

int lq_http_head_parse(const uint8_t *bytes, size_t len, struct lq_http_head *head)
{
    const char *text = (const char *)bytes;
    const char *blank = memmem(text, len, "\r\n\r\n", 4);
    if (!blank)
        return len > HTTP_HEAD_MAX ? LQ_ERR_SYNTAX : 0;
    size_t size = (size_t)(blank - text) + 4;
    if (size < 16 || memcmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
        return LQ_ERR_SYNTAX;
    *head = (struct lq_http_head){.size = size, .body_len = -1, .close = text[7] == '0'};
    for (int i = 9; i < 12; i++) {
        if (text[i] < '0' || text[i] > '9')
            return LQ_ERR_SYNTAX;
        head->status = head->status * 10 + (text[i] - '0');
    }
    const char *line = (const char *)memmem(text, size, "\r\n", 2) + 2;
    while (line < blank + 2) {
        const char *end = memmem(line, (size_t)(blank + 2 - line), "\r\n", 2);
        if (read_header(head, line, end) != LQ_OK)
            return LQ_ERR_SYNTAX;
        line = end + 2;
    }
    if (head->body_len < 0)
        head->close = true;
    return (int)size;
}

static uint64_t big_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool known(unsigned opcode)
{
    return opcode <= LQ_WS_BINARY || (opcode >= LQ_WS_CLOSE && opcode <= LQ_WS_PONG);
}

int lq_ws_parse(const uint8_t *bytes, size_t len, size_t payload_max, struct lq_ws_frame *frame)
{
    if (len < 2)
        return 0;
    // No extension is asked for, so the reserved bits are zero; a server never masks.
    if (bytes[0] & 0x70 || bytes[1] & 0x80 || !known(bytes[0] & 15))
        return LQ_ERR_SYNTAX;
    frame->fin = bytes[0] & 0x80;
    frame->opcode = (enum lq_ws_opcode)(bytes[0] & 15);
    int extra = bytes[1] == 127 ? 8 : bytes[1] == 126 ? 2 : 0;
    size_t header_len = 2 + (size_t)extra;
    if (len < header_len)
        return 0;
    uint64_t payload_len = extra ? big_endian(bytes + 2, extra) : bytes[1];
    if (frame->opcode >= LQ_WS_CLOSE && (!frame->fin || payload_len > WS_CONTROL_MAX))
        return LQ_ERR_SYNTAX;
    if (payload_len > payload_max)
        return LQ_ERR_TOO_LARGE;
    if (len - header_len < payload_len)
        return 0;
    frame->payload = bytes + header_len;
    frame->payload_len = (size_t)payload_len;
    frame->size = header_len + frame->payload_len;
    return 1;
}

static size_t masked(uint8_t *to, size_t at, const uint8_t mask[4], const uint8_t *from,
                     size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[at + i] = from[i] ^ mask[(at + i) & 3];
    return at + len;
}

int lq_ws_append(struct lq_buf *out, enum lq_ws_opcode opcode, uint32_t mask, const void *head,
                 size_t head_len, const void *body, size_t body_len)
{
    uint8_t start[14] = {(uint8_t)(0x80 | opcode)};
    size_t len = head_len + body_len, used = 2;
    int extra = len > 0xffff ? 8 : len > 125 ? 2 : 0;
    start[1] = (uint8_t)(0x80 | (extra == 8 ? 127 : extra == 2 ? 126 : len));
    for (int i = extra - 1; i >= 0; i--)
        start[used++] = (uint8_t)((uint64_t)len >> (8 * i));
    uint8_t *key = start + used;
    for (int i = 0; i < 4; i++)
        start[used++] = (uint8_t)(mask >> (8 * i));
    int status = lq_buf_append(out, start, used);
    size_t at = out->len;
    if (status == LQ_OK)
        status = lq_buf_resize(out, out->len + len);
    if (status != LQ_OK)
        return status;
    size_t done = masked(out->data + at, 0, key, head, head_len);
    masked(out->data + at, done, key, body, body_len);
    return LQ_OK;
}
