// Sparse constants. The table holds
//
//   SparsityParameters  0 traversal order  1 block map  2 one DimensionMetadata for each level
//   DimensionMetadata   0 format (0 dense, 1 compressed)  1 size of a dense level
//                       2, 3 kind and place of the segments  4, 5 of the indices
//   kinds 1, 2, 3: tables whose field 0 is a vector of i32, u16, u8
//
// The levels are traversed like nested loops; the constant's bytes are the values in the order in
// which the innermost loop reaches them. The traversal names the axis of each level. Axes numbered
// from the tensor's rank on are those of blocks, and block_map tells which of the tensor's axes
// each of them subdivides.
#include <string.h>

#include "format/tflite.h"

struct numbers {
    const uint8_t *at;
    int64_t count;
    int width; // bytes per number
};

struct level {
    bool compressed;
    int64_t size;
    struct numbers segments, indices;
};

struct walk {
    int rank, level_count;
    struct level levels[2 * LQ_RANK_MAX];
    int axis[2 * LQ_RANK_MAX];      // the tensor's axis of a level
    int64_t unit[2 * LQ_RANK_MAX];  // how far one step of the level moves along that axis
    int64_t dims[LQ_RANK_MAX], place[LQ_RANK_MAX];
    const uint8_t *values;
    size_t value_count, next;
    uint8_t *out;
    int item;
    int64_t *steps_left;
};

// A position is at most the number of a tensor's items, so that its product with a level's size
// does not overflow.
enum { POSITION_MAX = 1 << 30 };

static bool number_at(const struct numbers *numbers, int64_t i, int64_t *out)
{
    if (i < 0 || i >= numbers->count)
        return false;
    const uint8_t *p = numbers->at + i * numbers->width;
    *out = numbers->width == 4 ? (int32_t)lq_flat_load_u32(p)
           : numbers->width == 2 ? p[0] | p[1] << 8 : p[0];
    return true;
}

static struct numbers read_numbers(struct lq_flat *flat, size_t table, unsigned field)
{
    static const int widths[] = {0, 4, 2, 1};
    int kind = lq_flat_byte(flat, table, field, 0);
    if (kind < 1 || kind > 3)
        return (struct numbers){0};
    size_t count, at = lq_flat_vector(flat, lq_flat_table(flat, table, field + 1), 0,
                                      (size_t)widths[kind], &count);
    return (struct numbers){at ? flat->data + at : NULL, (int64_t)count, widths[kind]};
}

static bool put_value(struct walk *walk)
{
    int64_t at = 0;
    for (int i = 0; i < walk->rank; i++) {
        if (walk->place[i] >= walk->dims[i])
            return false;
        at = at * walk->dims[i] + walk->place[i];
    }
    if (walk->next >= walk->value_count)
        return false;
    size_t item = (size_t)walk->item;
    memcpy(walk->out + (size_t)at * item, walk->values + walk->next++ * item, item);
    return true;
}

static bool walk_level(struct walk *walk, int depth, int64_t position)
{
    if (depth == walk->level_count)
        return put_value(walk);
    if (position > POSITION_MAX)
        return false;
    const struct level *level = &walk->levels[depth];
    int axis = walk->axis[depth];
    int64_t unit = walk->unit[depth], from = 0, to = level->size;
    if (level->compressed && (!number_at(&level->segments, position, &from) ||
                              !number_at(&level->segments, position + 1, &to)))
        return false;
    for (int64_t i = from; i < to; i++) {
        int64_t index = i;
        if (--*walk->steps_left < 0 ||
            (level->compressed && !number_at(&level->indices, i, &index)) || index < 0)
            return false;
        walk->place[axis] += index * unit;
        bool fine = walk_level(walk, depth + 1,
                               level->compressed ? i : position * level->size + i);
        walk->place[axis] -= index * unit;
        if (!fine)
            return false;
    }
    return true;
}

static bool read_level(struct lq_flat *flat, size_t table, struct level *level)
{
    level->compressed = lq_flat_byte(flat, table, 0, 0) != 0;
    level->size = lq_flat_i32(flat, table, 1, 0);
    if (level->compressed) {
        level->segments = read_numbers(flat, table, 2);
        level->indices = read_numbers(flat, table, 4);
    }
    return level->size >= 0 && level->size <= (1 << 24);
}

static bool read_levels(struct walk *walk, struct lq_flat *flat, size_t table)
{
    struct lq_flat_list order = lq_flat_ints(flat, table, 0, 2 * LQ_RANK_MAX);
    struct lq_flat_list blocks = lq_flat_ints(flat, table, 1, LQ_RANK_MAX);
    size_t count, levels = lq_flat_vector(flat, table, 2, 4, &count);
    if ((size_t)order.count != count || order.count != walk->rank + blocks.count)
        return false;
    walk->level_count = order.count;
    int64_t block_size[LQ_RANK_MAX];
    unsigned seen = 0;
    for (int i = 0; i < walk->rank; i++)
        block_size[i] = 1;
    for (int i = 0; i < order.count; i++) {
        int which = lq_flat_int(order, i);
        if (!read_level(flat, lq_flat_follow(flat, levels + 4 * (size_t)i), &walk->levels[i]) ||
            which < 0 || which >= order.count || seen >> which & 1)
            return false;
        seen |= 1u << which;
        bool block = which >= walk->rank;
        int axis = block ? lq_flat_int(blocks, which - walk->rank) : which;
        if (axis < 0 || axis >= walk->rank)
            return false;
        walk->axis[i] = axis;
        walk->unit[i] = block;
        if (block)
            block_size[axis] *= walk->levels[i].size;
        if (block_size[axis] > (1 << 24))
            return false;
    }
    for (int i = 0; i < order.count; i++) // one step of an outer level passes a whole block
        if (walk->unit[i] == 0)
            walk->unit[i] = block_size[walk->axis[i]];
    return !flat->damaged;
}

int lq_tflite_densify(const struct lq_tflite *model, const struct lq_tflite_tensor *tensor,
                      int item_bytes, int64_t *steps_left, uint8_t *out, size_t bytes)
{
    struct lq_flat flat = {model->data, model->len, NULL};
    struct walk walk = {.rank = tensor->rank, .values = tensor->data, .out = out,
                        .item = item_bytes, .steps_left = steps_left,
                        .value_count = tensor->bytes / (size_t)item_bytes};
    for (int i = 0; i < tensor->rank; i++)
        walk.dims[i] = tensor->dims[i];
    memset(out, 0, bytes);
    if (read_levels(&walk, &flat, tensor->sparsity) && walk_level(&walk, 0, 0))
        return LQ_OK;
    return *steps_left < 0 ? LQ_ERR_TOO_LARGE : LQ_ERR_MODEL;
}
