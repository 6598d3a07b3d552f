// A FlatBuffer, little-endian throughout:
//
//   byte 0   u32 position of the root table
//
// A table begins with an i32: its own position minus its vtable's. The vtable consists of u16s: its
// size in bytes, the table's size in bytes, then for each field its offset in the table, 0 if
// absent. Scalars are stored in the table; vectors, strings and tables are elsewhere, and the field
// holds a u32 offset forward from itself. A vector is a u32 count and its items; a string is a
// vector of bytes followed by a NUL.
#include "format/flatbuffer.h"

size_t lq_flat_damage(struct lq_flat *flat, const char *what)
{
    if (!flat->damaged)
        flat->damaged = what;
    return 0;
}

uint32_t lq_flat_load_u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t lq_flat_load_u64(const uint8_t *p)
{
    return lq_flat_load_u32(p) | (uint64_t)lq_flat_load_u32(p + 4) << 32;
}

static bool inside(const struct lq_flat *flat, size_t at, size_t size)
{
    return at <= flat->len && size <= flat->len - at;
}

static uint32_t read_u32(struct lq_flat *flat, size_t at)
{
    if (!inside(flat, at, 4))
        return (uint32_t)lq_flat_damage(flat, "an offset");
    return lq_flat_load_u32(flat->data + at);
}

// Offset of field `field`, which has `size` bytes, of a table; 0 if absent.
size_t lq_flat_field(struct lq_flat *flat, size_t table, unsigned field, size_t size)
{
    if (table == 0)
        return 0;
    if (!inside(flat, table, 4))
        return lq_flat_damage(flat, "a table");
    int64_t vtable = (int64_t)table - (int32_t)lq_flat_load_u32(flat->data + table);
    if (vtable < 0 || !inside(flat, (size_t)vtable, 4))
        return lq_flat_damage(flat, "a table");
    const uint8_t *v = flat->data + vtable;
    size_t vtable_bytes = v[0] | (size_t)v[1] << 8, table_bytes = v[2] | (size_t)v[3] << 8;
    if (!inside(flat, (size_t)vtable, vtable_bytes) || !inside(flat, table, table_bytes))
        return lq_flat_damage(flat, "a table");
    size_t entry = 4 + 2 * (size_t)field;
    if (entry + 2 > vtable_bytes)
        return 0;
    size_t offset = v[entry] | (size_t)v[entry + 1] << 8;
    if (offset == 0)
        return 0;
    if (offset + size > table_bytes)
        return lq_flat_damage(flat, "a field");
    return table + offset;
}

int32_t lq_flat_i32(struct lq_flat *flat, size_t table, unsigned field, int32_t otherwise)
{
    size_t at = lq_flat_field(flat, table, field, 4);
    return at ? (int32_t)lq_flat_load_u32(flat->data + at) : otherwise;
}

int lq_flat_byte(struct lq_flat *flat, size_t table, unsigned field, int otherwise)
{
    size_t at = lq_flat_field(flat, table, field, 1);
    return at ? (int8_t)flat->data[at] : otherwise;
}

size_t lq_flat_root(struct lq_flat *flat)
{
    uint32_t at = read_u32(flat, 0);
    return inside(flat, at, 4) ? at : lq_flat_damage(flat, "the root");
}

// Follows an offset to a table, a vector or a string; 0 if absent.
size_t lq_flat_follow(struct lq_flat *flat, size_t at)
{
    uint32_t offset = at ? read_u32(flat, at) : 0;
    if (offset == 0)
        return 0;
    return inside(flat, at + offset, 4) ? at + offset : lq_flat_damage(flat, "an offset");
}

size_t lq_flat_table(struct lq_flat *flat, size_t table, unsigned field)
{
    return lq_flat_follow(flat, lq_flat_field(flat, table, field, 4));
}

// Returns the position of a vector's first item, and sets the number of items.
static size_t vector_at(struct lq_flat *flat, size_t vector, size_t item_bytes, size_t *count)
{
    *count = 0;
    if (vector == 0)
        return 0;
    size_t items = read_u32(flat, vector);
    if (items > (flat->len - vector - 4) / item_bytes)
        return lq_flat_damage(flat, "a vector");
    *count = items;
    return vector + 4;
}

size_t lq_flat_vector(struct lq_flat *flat, size_t table, unsigned field, size_t item_bytes,
                           size_t *count)
{
    return vector_at(flat, lq_flat_table(flat, table, field), item_bytes, count);
}

struct lq_flat_list lq_flat_ints(struct lq_flat *flat, size_t table, unsigned field,
                                        size_t max)
{
    size_t count, at = lq_flat_vector(flat, table, field, 4, &count);
    if (count > max) {
        lq_flat_damage(flat, "a list of numbers");
        return (struct lq_flat_list){0};
    }
    return (struct lq_flat_list){at ? flat->data + at : NULL, (int)count};
}

const char *lq_flat_string(struct lq_flat *flat, size_t table, unsigned field)
{
    size_t count, at = lq_flat_vector(flat, table, field, 1, &count);
    if (at == 0)
        return NULL;
    if (!inside(flat, at, count + 1) || flat->data[at + count] != 0) {
        lq_flat_damage(flat, "a name");
        return NULL;
    }
    return (const char *)flat->data + at;
}

int32_t lq_flat_int(struct lq_flat_list ints, int i)
{
    return (int32_t)lq_flat_load_u32(ints.at + 4 * (size_t)i);
}
