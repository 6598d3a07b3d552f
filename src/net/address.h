// Client addresses and blocks of them (CIDR, RFC 4632; IPv6 text of RFC 4291 section 2.2).
// Threads: any. Owner: plain values, nothing to release.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct lq_net_address {
    uint8_t bytes[16]; // family 4 uses the first four, the others are 0
    uint16_t port;
    uint8_t family;    // 4, 6, or 0: unknown. IPv4-mapped IPv6 (::ffff:…) is stored as 4
};

enum { LQ_NET_ADDRESS_SIZE = 56 }; // "[address]:port" including the NUL

// From 4 or 16 bytes in network byte order.
struct lq_net_address lq_net_address_of(const uint8_t *bytes, bool v6, uint16_t port);
struct lq_net_address lq_net_address_from(const struct sockaddr *address);
// Parses "192.0.2.1" or "2001:db8::1", without a port; false: neither.
bool lq_net_address_parse(struct lq_net_address *address, const char *text);
// Prints the address without the port; "unknown" for family 0.
void lq_net_address_print(const struct lq_net_address *address, char text[LQ_NET_ADDRESS_SIZE]);

struct lq_net_block {
    struct lq_net_address first;
    int bits;
};

// Parses "10.0.0.0/8", "2001:db8::/32" or one address. ARGUMENT: none of these, or bits are set
// after the prefix.
LQ_MUST_CHECK int lq_net_block_parse(struct lq_net_block *block, const char *text,
                                     struct lq_error *err);
bool lq_net_block_has(const struct lq_net_block *block, const struct lq_net_address *address);
