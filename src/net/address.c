#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lq_net_address lq_net_address_of(const uint8_t *bytes, bool v6, uint16_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; // RFC 4291 section 2.5.5.2
    struct lq_net_address address = {.port = port, .family = 6};
    if (v6 && memcmp(bytes, mapped, sizeof mapped) != 0) {
        memcpy(address.bytes, bytes, 16);
        return address;
    }
    address.family = 4;
    memcpy(address.bytes, v6 ? bytes + sizeof mapped : bytes, 4);
    return address;
}

struct lq_net_address lq_net_address_from(const struct sockaddr *from)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        return lq_net_address_of((const uint8_t *)&v4.sin_addr, false, ntohs(v4.sin_port));
    }
    if (from->sa_family != AF_INET6)
        return (struct lq_net_address){.family = 0};
    memcpy(&v6, from, sizeof v6);
    return lq_net_address_of(v6.sin6_addr.s6_addr, true, ntohs(v6.sin6_port));
}

bool lq_net_address_parse(struct lq_net_address *address, const char *text)
{
    uint8_t bytes[16];
    *address = (struct lq_net_address){.family = 0};
    if (inet_pton(AF_INET, text, bytes) == 1)
        *address = lq_net_address_of(bytes, false, 0);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *address = lq_net_address_of(bytes, true, 0);
    return address->family != 0;
}

void lq_net_address_print(const struct lq_net_address *address, char text[LQ_NET_ADDRESS_SIZE])
{
    if (address->family == 0 || !inet_ntop(address->family == 4 ? AF_INET : AF_INET6,
                                           address->bytes, text, LQ_NET_ADDRESS_SIZE))
        snprintf(text, LQ_NET_ADDRESS_SIZE, "unknown");
}

static bool bit_of(const struct lq_net_address *address, int bit)
{
    return address->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

int lq_net_block_parse(struct lq_net_block *block, const char *text, struct lq_error *err)
{
    char host[LQ_NET_ADDRESS_SIZE];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    snprintf(host, sizeof host, "%.*s", (int)(len < sizeof host ? len : 0), text);
    if (!lq_net_address_parse(&block->first, host))
        return lq_fail(err, LQ_ERR_ARGUMENT, "'%.60s' is no address nor a block of them "
                       "(192.0.2.0/24, 2001:db8::/32)", text);
    int all = block->first.family == 4 ? 32 : 128;
    block->bits = all;
    if (slash) {
        char *end;
        long bits = strtol(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || bits > all)
            return lq_fail(err, LQ_ERR_ARGUMENT, "'%.60s': the prefix is 0 to %d", text, all);
        block->bits = (int)bits;
    }
    for (int bit = block->bits; bit < all; bit++)
        if (bit_of(&block->first, bit))
            return lq_fail(err, LQ_ERR_ARGUMENT, "'%.60s' has bits set beyond its prefix", text);
    return LQ_OK;
}

bool lq_net_block_has(const struct lq_net_block *block, const struct lq_net_address *address)
{
    if (address->family == 0 || address->family != block->first.family)
        return false;
    int whole = block->bits / 8, rest = block->bits % 8;
    if (memcmp(block->first.bytes, address->bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || (block->first.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}
