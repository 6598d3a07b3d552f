#include "net/proxy.h"

#include <string.h>

enum { V1_BYTES_MAX = 107, V2_HEAD = 16 };

// ---- version 1 ---------------------------------------------------------------------------------

// Reads the next word, which ends in one space or, if it is the last, at `end`. False: it is empty
// or too long.
static bool next_word(const char **at, const char *end, char *word, size_t size)
{
    const char *space = memchr(*at, ' ', (size_t)(end - *at));
    size_t len = (size_t)((space ? space : end) - *at);
    if (len == 0 || len >= size)
        return false;
    memcpy(word, *at, len);
    word[len] = 0;
    *at += len + (space != NULL);
    return true;
}

// Decimal without leading zeros (section 2.1), 0 to 65535; -1 if invalid.
static int port_of(const char *text)
{
    int port = 0;
    size_t len = strlen(text);
    if (len > 5 || (len > 1 && text[0] == '0'))
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        port = port * 10 + (*text - '0');
    }
    return port <= 65535 ? port : -1;
}

// "TCP4 <from> <to> <port> <port>", or a line that begins with UNKNOWN, whose rest is ignored.
static bool read_words(const char *at, const char *end, struct lq_net_address *client)
{
    char family[8], from[LQ_NET_ADDRESS_SIZE], to[LQ_NET_ADDRESS_SIZE], ports[2][8];
    struct lq_net_address source, target;
    if (!next_word(&at, end, family, sizeof family))
        return false;
    if (strcmp(family, "UNKNOWN") == 0)
        return true;
    bool v4 = strcmp(family, "TCP4") == 0;
    if ((!v4 && strcmp(family, "TCP6") != 0) || !next_word(&at, end, from, sizeof from) ||
        !next_word(&at, end, to, sizeof to) || !next_word(&at, end, ports[0], sizeof ports[0]) ||
        !next_word(&at, end, ports[1], sizeof ports[1]) || at != end || end[-1] == ' ')
        return false;
    if (!lq_net_address_parse(&source, from) || !lq_net_address_parse(&target, to) ||
        (strchr(from, ':') == NULL) != v4 || (strchr(to, ':') == NULL) != v4 ||
        port_of(ports[0]) < 0 || port_of(ports[1]) < 0)
        return false;
    *client = source;
    client->port = (uint16_t)port_of(ports[0]);
    return true;
}

static enum lq_proxy_state read_v1(const uint8_t *bytes, size_t len, size_t *size,
                                   struct lq_net_address *client)
{
    const uint8_t *lf = memchr(bytes, '\n', len < V1_BYTES_MAX ? len : V1_BYTES_MAX);
    if (!lf)
        return len < V1_BYTES_MAX ? LQ_PROXY_MORE : LQ_PROXY_NONE;
    const char *end = (const char *)lf - 1;
    *size = (size_t)(lf - bytes) + 1;
    if (*size < 8 || *end != '\r' || !read_words((const char *)bytes + 6, end, client))
        return LQ_PROXY_NONE;
    return LQ_PROXY_WHOLE;
}

// ---- version 2 ---------------------------------------------------------------------------------

static void read_address(const uint8_t *bytes, size_t len, uint8_t family,
                         struct lq_net_address *client)
{
    bool v4 = family == 0x11 && len >= 12, v6 = family == 0x21 && len >= 36;
    if (!v4 && !v6)
        return;
    const uint8_t *port = bytes + (v4 ? 8 : 32); // the source port; both addresses come before it
    *client = lq_net_address_of(bytes, v6, (uint16_t)(port[0] << 8 | port[1]));
}

// Byte 12: version 2 and command (LOCAL 0, PROXY 1); 13: family and transport; 14, 15: length.
static enum lq_proxy_state read_v2(const uint8_t *bytes, size_t len, size_t *size,
                                   struct lq_net_address *client)
{
    if (len > 12 && bytes[12] != 0x20 && bytes[12] != 0x21)
        return LQ_PROXY_NONE;
    if (len < V2_HEAD)
        return LQ_PROXY_MORE;
    size_t rest = (size_t)(bytes[14] << 8 | bytes[15]);
    *size = V2_HEAD + rest;
    bool is_proxy = bytes[12] == 0x21;
    uint8_t family = bytes[13];
    if (*size > LQ_PROXY_BYTES_MAX || (is_proxy && family == 0x11 && rest < 12) ||
        (is_proxy && family == 0x21 && rest < 36))
        return LQ_PROXY_NONE;
    if (len < *size)
        return LQ_PROXY_MORE;
    if (is_proxy)
        read_address(bytes + V2_HEAD, rest, family, client);
    return LQ_PROXY_WHOLE;
}

enum lq_proxy_state lq_proxy_read(const uint8_t *bytes, size_t len, size_t *size,
                                  struct lq_net_address *client)
{
    static const uint8_t v2[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54,
                                   0x0a};
    if (memcmp(bytes, v2, len < sizeof v2 ? len : sizeof v2) == 0)
        return len < sizeof v2 ? LQ_PROXY_MORE : read_v2(bytes, len, size, client);
    if (memcmp(bytes, "PROXY ", len < 6 ? len : 6) == 0)
        return len < 6 ? LQ_PROXY_MORE : read_v1(bytes, len, size, client);
    return LQ_PROXY_NONE;
}
