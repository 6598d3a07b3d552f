#include "serve/guard/address_limits.h"

#include <stdlib.h>
#include <string.h>

struct lq_address lq_address_of(const struct lq_net_address *from)
{
    struct lq_address address = {{0}};
    if (from->family == 6)
        memcpy(address.bytes, from->bytes, sizeof address.bytes);
    if (from->family == 4) {
        memcpy(address.bytes, "v4", 2);
        memcpy(address.bytes + 4, from->bytes, 4);
    }
    return address;
}

bool lq_address_limits_init(struct lq_address_limits *peers, int held_max, int each_max)
{
    *peers = (struct lq_address_limits){.room = held_max, .each_max = each_max};
    peers->all = calloc((size_t)held_max, sizeof *peers->all);
    return peers->all != NULL;
}

void lq_address_limits_release(struct lq_address_limits *peers)
{
    free(peers->all);
    peers->all = NULL;
}

// A linear search over at most a few thousand entries of 12 bytes, once per connection, is fast
// enough.
static struct lq_address_count *find(struct lq_address_limits *peers,
                                     const struct lq_address *address)
{
    for (int i = 0; i < peers->count; i++)
        if (memcmp(&peers->all[i].address, address, sizeof *address) == 0)
            return &peers->all[i];
    return NULL;
}

static bool take(struct lq_address_limits *peers, const struct lq_address *address, int each_max)
{
    struct lq_address_count *peer = find(peers, address);
    if (peers->total == peers->room || (peer && each_max && peer->held >= each_max))
        return false;
    if (!peer) {
        peer = &peers->all[peers->count++];
        *peer = (struct lq_address_count){.address = *address};
    }
    peer->held++;
    peers->total++;
    return true;
}

bool lq_address_limits_admit(struct lq_address_limits *peers, const struct lq_address *address)
{
    return take(peers, address, peers->each_max);
}

bool lq_address_limits_admit_any(struct lq_address_limits *peers, const struct lq_address *address)
{
    return take(peers, address, 0);
}

void lq_address_limits_leave(struct lq_address_limits *peers, const struct lq_address *address)
{
    struct lq_address_count *peer = find(peers, address);
    if (!peer)
        return;
    peers->total--;
    if (--peer->held == 0)
        *peer = peers->all[--peers->count];
}

void lq_address_limits_reset_live(struct lq_address_limits *peers)
{
    for (int i = 0; i < peers->count; i++)
        peers->all[i].live = 0;
    peers->live_most = 0;
}

void lq_address_limits_add_live(struct lq_address_limits *peers, const struct lq_address *address)
{
    struct lq_address_count *peer = find(peers, address);
    if (peer && ++peer->live > peers->live_most)
        peers->live_most = peer->live;
}

int lq_address_limits_live(struct lq_address_limits *peers, const struct lq_address *address)
{
    const struct lq_address_count *peer = find(peers, address);
    return peer ? peer->live : 0;
}
