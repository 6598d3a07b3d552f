#include "serve/guard/account.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

struct place { // an address of clients
    struct lq_address address;
    struct place *next;
    size_t bytes;
    int holders;
};

struct lq_holder {
    struct lq_account *account;
    struct place *place;
    size_t bytes;
    int references; // of its opener and of its charges
};

struct lq_account {
    pthread_mutex_t lock; // all that follows, holders and charged bytes too
    size_t held, high, max;
    int holders, places;
    struct place *buckets[BUCKETS];
};

struct lq_account *lq_account_new(size_t bytes_max)
{
    struct lq_account *account = calloc(1, sizeof *account);
    if (!account)
        return NULL;
    pthread_mutex_init(&account->lock, NULL);
    account->max = bytes_max;
    return account;
}

void lq_account_free(struct lq_account *account)
{
    if (!account)
        return;
    pthread_mutex_destroy(&account->lock);
    free(account);
}

// The address's place, or the end, in the list of its bucket (FNV-1a). With the lock held.
static struct place **find(struct lq_account *account, const struct lq_address *address)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof address->bytes; i++)
        hash = (hash ^ address->bytes[i]) * 16777619u;
    struct place **at = &account->buckets[hash % BUCKETS];
    while (*at && memcmp(&(*at)->address, address, sizeof *address) != 0)
        at = &(*at)->next;
    return at;
}

struct lq_holder *lq_holder_open(struct lq_account *account, const struct lq_address *address)
{
    struct lq_holder *holder = calloc(1, sizeof *holder);
    if (!holder)
        return NULL;
    pthread_mutex_lock(&account->lock);
    struct place **at = find(account, address);
    if (!*at && (*at = calloc(1, sizeof **at)) != NULL) {
        (*at)->address = *address;
        account->places++;
    }
    if (*at) {
        *holder = (struct lq_holder){.account = account, .place = *at, .references = 1};
        (*at)->holders++;
        account->holders++;
    }
    bool opened = *at != NULL;
    pthread_mutex_unlock(&account->lock);
    if (opened)
        return holder;
    free(holder);
    return NULL;
}

void lq_holder_release(struct lq_holder *holder)
{
    if (!holder)
        return;
    struct lq_account *account = holder->account;
    struct place *empty = NULL;
    pthread_mutex_lock(&account->lock);
    bool last = --holder->references == 0;
    if (last) {
        account->holders--;
        if (--holder->place->holders == 0) {
            struct place **at = find(account, &holder->place->address);
            empty = *at;
            *at = empty->next;
            account->places--;
        }
    }
    pthread_mutex_unlock(&account->lock);
    free(empty);
    if (last)
        free(holder);
}

size_t lq_holder_bytes(struct lq_holder *holder)
{
    if (!holder)
        return 0;
    pthread_mutex_lock(&holder->account->lock);
    size_t bytes = holder->bytes;
    pthread_mutex_unlock(&holder->account->lock);
    return bytes;
}

struct lq_account_state lq_account_state(struct lq_account *account)
{
    pthread_mutex_lock(&account->lock);
    struct lq_account_state state = {account->held, account->high, account->max, account->holders,
                                     account->places};
    pthread_mutex_unlock(&account->lock);
    return state;
}

size_t lq_account_of_address(struct lq_account *account, const struct lq_address *address)
{
    pthread_mutex_lock(&account->lock);
    const struct place *place = *find(account, address);
    size_t bytes = place ? place->bytes : 0;
    pthread_mutex_unlock(&account->lock);
    return bytes;
}

bool lq_account_has_room(struct lq_account *account, const struct lq_address *address)
{
    pthread_mutex_lock(&account->lock);
    const struct place *place = *find(account, address);
    size_t places = (size_t)account->places + (place ? 0 : 1);
    bool room = account->held < account->max ||
                (place ? place->bytes : 0) < account->max / places;
    pthread_mutex_unlock(&account->lock);
    return room;
}

// Whether a holder may have `more` bytes. With the lock held.
static bool may_have(const struct lq_holder *holder, size_t more)
{
    const struct lq_account *account = holder->account;
    const struct place *place = holder->place;
    if (more <= account->max && account->held <= account->max - more)
        return true;
    size_t share = account->max / (size_t)account->places;
    return place->bytes + more <= share ||
           holder->bytes + more <= share / (size_t)place->holders;
}

// With the lock held.
static void change(struct lq_charge *charge, size_t bytes)
{
    struct lq_holder *holder = charge->holder;
    struct lq_account *account = holder->account;
    holder->bytes += bytes - charge->bytes; // may wrap around: modulo SIZE_MAX + 1
    holder->place->bytes += bytes - charge->bytes;
    account->held += bytes - charge->bytes;
    if (account->held > account->high)
        account->high = account->held;
    charge->bytes = bytes;
}

void lq_charge_begin(struct lq_charge *charge, struct lq_holder *holder)
{
    *charge = (struct lq_charge){.holder = holder};
    if (!holder)
        return;
    pthread_mutex_lock(&holder->account->lock);
    holder->references++;
    pthread_mutex_unlock(&holder->account->lock);
}

bool lq_charge_grow(struct lq_charge *charge, size_t bytes)
{
    if (!charge->holder || bytes <= charge->bytes)
        return true;
    pthread_mutex_lock(&charge->holder->account->lock);
    bool granted = may_have(charge->holder, bytes - charge->bytes);
    if (granted)
        change(charge, bytes);
    pthread_mutex_unlock(&charge->holder->account->lock);
    return granted;
}

void lq_charge_set(struct lq_charge *charge, size_t bytes)
{
    if (!charge->holder || bytes == charge->bytes)
        return;
    pthread_mutex_lock(&charge->holder->account->lock);
    change(charge, bytes);
    pthread_mutex_unlock(&charge->holder->account->lock);
}

void lq_charge_end(struct lq_charge *charge)
{
    lq_charge_set(charge, 0);
    lq_holder_release(charge->holder);
    *charge = (struct lq_charge){0};
}
