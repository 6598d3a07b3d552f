// Bounds-checked reading of a FlatBuffer. A table is identified by its position; 0 means absent.
// The first damage found is remembered, and from then on every read returns 0, so callers need only
// check once at the end.
// Threads: one owner at a time. Owner: the caller owns the bytes; nothing is allocated.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A vector of 32-bit integers in the file, at any alignment.
struct lq_flat_list {
    const uint8_t *at;
    int count;
};

struct lq_flat {
    const uint8_t *data;
    size_t len;
    const char *damaged; // the first damage found; NULL: none
};

size_t lq_flat_damage(struct lq_flat *flat, const char *what); // records the damage; returns 0

uint32_t lq_flat_load_u32(const uint8_t *p);
uint64_t lq_flat_load_u64(const uint8_t *p);

// Position of field `field` (`size` bytes) of a table; 0 when absent.
size_t lq_flat_field(struct lq_flat *flat, size_t table, unsigned field, size_t size);
int32_t lq_flat_i32(struct lq_flat *flat, size_t table, unsigned field, int32_t otherwise);
int lq_flat_byte(struct lq_flat *flat, size_t table, unsigned field, int otherwise); // -128..127

size_t lq_flat_root(struct lq_flat *flat); // the root table

// The position that the offset at `at` points to; and the same for a field that is an offset.
size_t lq_flat_follow(struct lq_flat *flat, size_t at);
size_t lq_flat_table(struct lq_flat *flat, size_t table, unsigned field);

// Position of a vector field's first item, and the number of items; all are checked to lie inside
// the file.
size_t lq_flat_vector(struct lq_flat *flat, size_t table, unsigned field, size_t item_bytes,
                      size_t *count);
struct lq_flat_list lq_flat_ints(struct lq_flat *flat, size_t table, unsigned field, size_t max);
int32_t lq_flat_int(struct lq_flat_list list, int i); // i < list.count
const char *lq_flat_string(struct lq_flat *flat, size_t table, unsigned field); // NULL: absent
