// Counts sessions or connections per address, so that one client cannot take all places.
// A 64-bit IPv6 network counts as one address, because that is what one customer gets.
// Threads: the loop. Owner: init/release by whoever holds the struct.
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
        int live;    // sessions that send frames (load.h), as last counted
    } *all;
    int count, room; // number of addresses, and room for them
    int total;       // held by all addresses
    int each_max;    // 0: no limit
    int live_most;   // the largest `live` of any address
};

// All zero if the address is unknown.
struct lq_address lq_address_of(const struct lq_net_address *address);

// Allocates room for `held_max` in total. False: out of memory.
bool lq_address_limits_init(struct lq_address_limits *peers, int held_max, int each_max);
void lq_address_limits_release(struct lq_address_limits *peers);
// Counts one more, or returns false if the address, or all addresses together, are at the limit.
bool lq_address_limits_admit(struct lq_address_limits *peers, const struct lq_address *address);
// … for an address shared by many clients: only the total is limited.
bool lq_address_limits_admit_any(struct lq_address_limits *peers, const struct lq_address *address);
void lq_address_limits_leave(struct lq_address_limits *peers, const struct lq_address *address);

// The count of sessions that send frames: resets it, adds one, and returns that of an address
// (live_most is the largest).
void lq_address_limits_reset_live(struct lq_address_limits *peers);
void lq_address_limits_add_live(struct lq_address_limits *peers, const struct lq_address *address);
int lq_address_limits_live(struct lq_address_limits *peers, const struct lq_address *address);
