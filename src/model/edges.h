// Converts network inputs and outputs whose type is not f32: half precision and 8-bit integers.
// Threads: any, no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

// How a picture's value is stored in an 8-bit input: value / scale + zero, rounded.
struct lq_quantised {
    float scale; // 0: not given
    int zero;
};

bool lq_edge_takes_picture(enum lq_tensor_type type); // f32, f16, u8, i8
bool lq_edge_gives_numbers(enum lq_tensor_type type); // f32, f16

// Replaces a rule that is not given by the default: 0..1 maps to the whole range of the type.
struct lq_quantised lq_edge_rule(enum lq_tensor_type type, struct lq_quantised given);

// Stores `count` numbers in a tensor, converted to its type.
void lq_edge_write(const struct lq_tensor *tensor, struct lq_quantised rule, const float *from,
                   size_t count);
// Returns all numbers of an output as f32: in place if they are f32, else converted into `room`.
const float *lq_edge_read(const struct lq_tensor *tensor, float *room);
