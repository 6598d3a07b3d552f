#include "serve/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct lq_address lq_address_from(const struct sockaddr *from)
{
    struct lq_address address = {{0}};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    const void *v4_bytes = NULL;
    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        v4_bytes = &v4.sin_addr;
    } else if (from->sa_family == AF_INET6) {
        memcpy(&v6, from, sizeof v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            v4_bytes = v6.sin6_addr.s6_addr + 12;
        else
            memcpy(address.bytes, v6.sin6_addr.s6_addr, sizeof address.bytes);
    }
    if (v4_bytes) {
        memcpy(address.bytes, "v4", 2);
        memcpy(address.bytes + 4, v4_bytes, 4);
    }
    return address;
}

struct lq_address lq_address_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } peer;
    socklen_t len = sizeof peer;
    if (getpeername(fd, &peer.any, &len) != 0)
        return (struct lq_address){{0}};
    return lq_address_from(&peer.any);
}

bool lq_peers_init(struct lq_peers *peers, int held_max, int each_max)
{
    *peers = (struct lq_peers){.room = held_max, .each_max = each_max};
    peers->all = calloc((size_t)held_max, sizeof *peers->all);
    return peers->all != NULL;
}

void lq_peers_release(struct lq_peers *peers)
{
    free(peers->all);
    peers->all = NULL;
}

// A walk over a few thousand entries of 12 bytes at most, once a connection: nothing quicker is needed.
static struct lq_peer *find(struct lq_peers *peers, const struct lq_address *address)
{
    for (int i = 0; i < peers->count; i++)
        if (memcmp(&peers->all[i].address, address, sizeof *address) == 0)
            return &peers->all[i];
    return NULL;
}

bool lq_peers_take(struct lq_peers *peers, const struct lq_address *address)
{
    struct lq_peer *peer = find(peers, address);
    if (peers->total == peers->room || (peer && peers->each_max && peer->held >= peers->each_max))
        return false;
    if (!peer) {
        peer = &peers->all[peers->count++];
        *peer = (struct lq_peer){.address = *address};
    }
    peer->held++;
    peers->total++;
    return true;
}

void lq_peers_give(struct lq_peers *peers, const struct lq_address *address)
{
    struct lq_peer *peer = find(peers, address);
    if (!peer)
        return;
    peers->total--;
    if (--peer->held == 0)
        *peer = peers->all[--peers->count];
}

void lq_peers_forget_live(struct lq_peers *peers)
{
    for (int i = 0; i < peers->count; i++)
        peers->all[i].live = 0;
    peers->live_most = 0;
}

void lq_peers_add_live(struct lq_peers *peers, const struct lq_address *address)
{
    struct lq_peer *peer = find(peers, address);
    if (peer && ++peer->live > peers->live_most)
        peers->live_most = peer->live;
}

int lq_peers_live(struct lq_peers *peers, const struct lq_address *address)
{
    const struct lq_peer *peer = find(peers, address);
    return peer ? peer->live : 0;
}
