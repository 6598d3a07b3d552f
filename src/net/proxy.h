// The PROXY protocol, versions 1 and 2: a load balancer's statement about its client, before the
// first byte.
//   1  "PROXY TCP4 <from> <to> <port> <port>\r\n", TCP6 or UNKNOWN, at most 107 bytes
//   2  12 bytes of signature, version and command, family, length (16 bits, big-endian), addresses,
//      then TLVs, which are skipped
// Source: https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt, sections 2.1 and 2.2.
// Threads: any. Owner: the caller's bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

enum { LQ_PROXY_BYTES_MAX = 16 + 1024 }; // longer headers are refused; TLVs take a few hundred
                                         // bytes

enum lq_proxy_state {
    LQ_PROXY_MORE,  // incomplete so far
    LQ_PROXY_WHOLE, // complete: *size bytes were the header
    LQ_PROXY_NONE,  // no header, or a malformed one
};

// Sets `client` if the header names an IPv4 or IPv6 address; LOCAL, UNKNOWN and other families
// leave it unchanged.
enum lq_proxy_state lq_proxy_read(const uint8_t *bytes, size_t len, size_t *size,
                                  struct lq_net_address *client);
