// How many of something (sessions, connections) each address has, so that one neighbour cannot take
// every place.
// An IPv6 network of 64 bits counts as one address: that is what one customer is given.
// Threads: the loop. Owner: init/release by who holds the struct.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

struct lq_address {
    uint8_t bytes[8]; // the network of an IPv6 address, or "v4" and the IPv4 address
};

struct lq_address_limits {
    struct lq_address_count {
        struct lq_address address;
        int held;
        int live;    // sessions that are in (load.h), as counted last
    } *all;
    int count, room; // addresses
    int total;       // held by all of them
    int each_max;    // 0: no limit
    int live_most;   // of one address
};

// All zero when it is not known.
struct lq_address lq_address_of(const struct lq_net_address *address);

// Room for `held_max` in all. False: no memory.
bool lq_address_limits_init(struct lq_address_limits *peers, int held_max, int each_max);
void lq_address_limits_release(struct lq_address_limits *peers);
// Counts one more, or answers false when the address, or all of them, have what they may have.
bool lq_address_limits_admit(struct lq_address_limits *peers, const struct lq_address *address);
// … of an address shared by many clients: only all of them together have a limit.
bool lq_address_limits_admit_any(struct lq_address_limits *peers, const struct lq_address *address);
void lq_address_limits_leave(struct lq_address_limits *peers, const struct lq_address *address);

// Sessions that are in: forgets them, counts one more, tells those of an address and of the address
// that has most.
void lq_address_limits_reset_live(struct lq_address_limits *peers);
void lq_address_limits_add_live(struct lq_address_limits *peers, const struct lq_address *address);
int lq_address_limits_live(struct lq_address_limits *peers, const struct lq_address *address);
