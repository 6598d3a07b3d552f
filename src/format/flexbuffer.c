// A FlexBuffer is read from its end: the last byte is the width of the root; the byte before it is
// the root's packed type (low two bits: log2 of the width of its contents; the rest: the kind).
// Before that is the root itself, for a map the distance back to its values. Before the values are,
// each as wide as a value: the distance back to the vector of keys, the keys' width, and the number
// of values. After the values comes one packed type for each. A key is the distance back to a
// NUL-terminated text.
#include "format/flexbuffer.h"

#include <string.h>

enum { KIND_INT = 1, KIND_UINT = 2, KIND_FLOAT = 3, KIND_MAP = 9, KIND_BOOL = 26, KEYS_MAX = 256 };

struct flex {
    const uint8_t *data;
    size_t len;
    bool damaged;
};

static const uint8_t *bytes_at(struct flex *flex, size_t at, size_t count)
{
    if (at > flex->len || count > flex->len - at)
        flex->damaged = true;
    return flex->damaged ? NULL : flex->data + at;
}

static uint64_t unsigned_at(struct flex *flex, size_t at, size_t width)
{
    const uint8_t *p = bytes_at(flex, at, width);
    uint64_t value = 0;
    for (size_t i = 0; p && i < width; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

// The position that the backward offset at `at` leads to.
static size_t back_from(struct flex *flex, size_t at, size_t width)
{
    uint64_t distance = unsigned_at(flex, at, width);
    if (distance > at)
        flex->damaged = true;
    return flex->damaged ? 0 : at - (size_t)distance;
}

static bool read_number(struct flex *flex, size_t at, size_t width, int kind, double *value)
{
    uint64_t bits = unsigned_at(flex, at, width);
    float single;
    uint32_t half = (uint32_t)bits;
    if (kind == KIND_INT)
        *value = (double)((int64_t)(bits << (64 - 8 * width)) >> (64 - 8 * width));
    else if (kind == KIND_UINT || kind == KIND_BOOL)
        *value = (double)bits;
    else if (kind == KIND_FLOAT && width == 4) {
        memcpy(&single, &half, 4);
        *value = (double)single;
    } else if (kind == KIND_FLOAT && width == 8)
        memcpy(value, &bits, 8);
    else
        return false;
    return !flex->damaged;
}

static bool key_is(struct flex *flex, size_t at, const char *key)
{
    const uint8_t *text = bytes_at(flex, at, strlen(key) + 1);
    return text && memcmp(text, key, strlen(key) + 1) == 0;
}

bool lq_flex_number(const uint8_t *data, size_t len, const char *key, double *value)
{
    struct flex flex = {data, len, !data || len < 3};
    if (flex.damaged)
        return false;
    size_t root_width = data[len - 1], width = (size_t)1 << (data[len - 2] & 3);
    if (data[len - 2] >> 2 != KIND_MAP || root_width < 1 || root_width > 8 || root_width > len - 2)
        return false;
    size_t values = back_from(&flex, len - 2 - root_width, root_width);
    if (values < 3 * width)
        return false;
    uint64_t count = unsigned_at(&flex, values - width, width);
    uint64_t key_width = unsigned_at(&flex, values - 2 * width, width);
    size_t keys = back_from(&flex, values - 3 * width, width);
    if (count > KEYS_MAX || key_width < 1 || key_width > 8)
        return false;
    for (size_t i = 0; i < count && !flex.damaged; i++) {
        // Compare in a copy: reading past the end of a key that is shorter than ours is not damage.
        struct flex probe = flex;
        if (!key_is(&probe, back_from(&flex, keys + i * key_width, key_width), key))
            continue;
        const uint8_t *type = bytes_at(&flex, values + count * width + i, 1);
        return type && read_number(&flex, values + i * width, width, *type >> 2, value);
    }
    return false;
}
