// The memory that clients make the server hold: one account for all of it, by client and by
// address.
//
// Whatever holds bytes of a client's (a body or a message as it comes, a frame's buffers, a decoded
// picture, a finished reply until it is on the wire) has a charge, which says how many bytes these
// are. A charge belongs to a holder (a session or a connection), a holder to an address; the sums
// of all three are known at any moment.
//
// Refused is only who asks for more while the account is full and who holds more than an equal
// share: the address more than the others, and within it the holder more than its neighbours. So a
// flood from one address is cut off and nobody else notices.
//
//     struct lq_charge held;
//     lq_charge_begin(&held, session->holder);
//     if (!lq_charge_grow(&held, len + more))    // before the bytes are taken: refused, cut off
//         return lq_fail(err, LQ_ERR_BUSY, …);
//     lq_charge_set(&held, buf.cap);             // what is there already: never refused
//     lq_charge_end(&held);                      // after the buffer's release
//
// Threads: any; one mutex, held for a few instructions. A charge itself has one owner at a time.
// Owner: new/free by the server; a holder lives until its last reference and charge are gone, so a
// charge may outlive the session that it was made for.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "serve/guard/address_limits.h"

struct lq_account;
struct lq_holder;

// NULL: no memory.
struct lq_account *lq_account_new(size_t bytes_max);
// After every holder was released. NULL is fine.
void lq_account_free(struct lq_account *account);

struct lq_account_state {
    size_t held, high, max; // bytes now, the most there ever were, and those that may be
    int holders, addresses;
};
struct lq_account_state lq_account_state(struct lq_account *account);

// What one address holds.
size_t lq_account_of_address(struct lq_account *account, const struct lq_address *address);
// Whether a newcomer from this address may come in: the account is not full, or the address holds
// less than an equal share.
bool lq_account_has_room(struct lq_account *account, const struct lq_address *address);

// A session or a connection that comes from this address, with one reference. NULL: no memory.
struct lq_holder *lq_holder_open(struct lq_account *account, const struct lq_address *address);
// Gives a reference back. NULL is fine.
void lq_holder_release(struct lq_holder *holder);
size_t lq_holder_bytes(struct lq_holder *holder); // NULL: 0

struct lq_charge {
    struct lq_holder *holder; // NULL: counts nothing, refuses nothing
    size_t bytes;
};

// A charge of no bytes yet, which keeps its holder until lq_charge_end.
void lq_charge_begin(struct lq_charge *charge, struct lq_holder *holder);
// `bytes` in all from now on. False when these would be too many: nothing is changed then.
bool lq_charge_grow(struct lq_charge *charge, size_t bytes);
// `bytes` in all from now on, for memory that is there already or no more.
void lq_charge_set(struct lq_charge *charge, size_t bytes);
// Nothing from now on. A charge that was never begun, or ended before, is fine if it is zeroed.
void lq_charge_end(struct lq_charge *charge);
