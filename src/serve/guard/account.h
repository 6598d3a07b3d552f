// The memory that clients make the server use: one account for all of it, by client and by address.
//
// Everything that holds bytes for a client (a body or message being received, a frame's buffers, a
// decoded picture, a finished reply until it is sent) has a charge, which records the number of
// bytes. A charge belongs to a holder (a session or a connection), and a holder to an address; the
// sums for all three are always known.
//
// A request for more memory is refused only if the account is full and the requester holds more
// than an equal share: its address more than other addresses, and within the address, the holder
// more than its neighbours. So a flood from one address is cut off, and nobody else notices.
//
//     struct lq_charge held;
//     lq_charge_begin(&held, session->holder);
//     if (!lq_charge_grow(&held, len + more))    // before allocating: may be refused
//         return lq_fail(err, LQ_ERR_BUSY, …);
//     lq_charge_set(&held, buf.cap);             // already allocated: never refused
//     lq_charge_end(&held);                      // after the buffer's release
//
// Threads: any; one mutex, held for a few instructions. A charge has one owner at a time.
// Owner: new/free by the server; a holder lives until its last reference and charge are gone, so a
// charge may outlive the session it was made for.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "serve/guard/address_limits.h"

struct lq_account;
struct lq_holder;

// NULL: out of memory.
struct lq_account *lq_account_new(size_t bytes_max);
// Call it after every holder was released. account may be NULL.
void lq_account_free(struct lq_account *account);

struct lq_account_state {
    size_t held, high, max; // bytes held now, peak, and maximum
    int holders, addresses;
};
struct lq_account_state lq_account_state(struct lq_account *account);

// Bytes held by one address.
size_t lq_account_of_address(struct lq_account *account, const struct lq_address *address);
// Whether a new client from this address may be admitted: the account is not full, or the address
// holds less than an equal share.
bool lq_account_has_room(struct lq_account *account, const struct lq_address *address);

// Creates a holder (a session or a connection) of this address, with one reference. NULL: out of
// memory.
struct lq_holder *lq_holder_open(struct lq_account *account, const struct lq_address *address);
// Releases a reference. holder may be NULL.
void lq_holder_release(struct lq_holder *holder);
size_t lq_holder_bytes(struct lq_holder *holder); // 0 for NULL

struct lq_charge {
    struct lq_holder *holder; // NULL: not counted, never refused
    size_t bytes;
};

// Starts a charge of 0 bytes, which keeps its holder alive until lq_charge_end.
void lq_charge_begin(struct lq_charge *charge, struct lq_holder *holder);
// Changes the charge to `bytes` in total. False if that is refused; the charge is then unchanged.
bool lq_charge_grow(struct lq_charge *charge, size_t bytes);
// Sets the charge to `bytes` in total, for memory that is already allocated or freed.
void lq_charge_set(struct lq_charge *charge, size_t bytes);
// Ends the charge. A charge that is zeroed or has ended is allowed.
void lq_charge_end(struct lq_charge *charge);
