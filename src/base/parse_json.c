#include "base/parse_json.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RESERVE = 8192 };

// A text being read. When memory runs out, `reserve` takes over for what is in the middle of being
// made, and when that is used up too nothing is given any more, so that what jansson failed to keep
// is never made into a value. Either way all of it is thrown away in the end.
struct parse {
    bool ran_out;
    bool ended;
    size_t used;
    alignas(max_align_t) uint8_t reserve[RESERVE];
};

static _Thread_local struct parse *current;

static void *take(size_t size)
{
    struct parse *parse = current;
    void *memory = parse && parse->ran_out ? NULL : malloc(size);
    if (memory || !parse)
        return memory;
    parse->ran_out = true;
    const size_t unit = alignof(max_align_t);
    size_t rounded = (size + unit - 1) / unit * unit;
    if (parse->ended || size > RESERVE || rounded > RESERVE - parse->used) {
        parse->ended = true;
        return NULL;
    }
    memory = parse->reserve + parse->used;
    parse->used += rounded;
    return memory;
}

static void give_back(void *memory)
{
    uintptr_t at = (uintptr_t)memory, reserve = current ? (uintptr_t)current->reserve : 0;
    if (!current || at < reserve || at >= reserve + RESERVE)
        free(memory);
}

// Both do as malloc and free outside of a parse: values of other users of jansson mix with ours.
static void use_allocator(void)
{
    json_set_alloc_funcs(take, give_back);
}

json_t *lq_json_parse(const void *text, size_t len, size_t flags, json_error_t *where)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_allocator);
    struct parse parse;
    parse.ran_out = parse.ended = false;
    parse.used = 0;
    current = &parse;
    json_t *root = json_loadb(text, len, flags, where);
    if (parse.ran_out) {
        json_decref(root);
        root = NULL;
        memset(where, 0, sizeof *where);
        strcpy(where->text, "out of memory");
        where->text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory;
    }
    current = NULL;
    return root;
}

bool lq_json_ran_out(const json_error_t *where)
{
    return json_error_code(where) == json_error_out_of_memory;
}
