// A network's inputs and outputs in other types than f32: half precision, and eight-bit integers.
// Threads: any, no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

// What a picture's value becomes in an input of eight bits: value / scale + zero, rounded.
struct lq_quantised {
    float scale; // 0: not given
    int zero;
};

bool lq_edge_takes_picture(enum lq_tensor_type type); // f32, f16, u8, i8
bool lq_edge_gives_numbers(enum lq_tensor_type type); // f32, f16

// The rule that holds where none is given: 0..1 becomes the whole range of the type.
struct lq_quantised lq_edge_rule(enum lq_tensor_type type, struct lq_quantised given);

// `count` numbers into a tensor's memory, in its type.
void lq_edge_write(const struct lq_tensor *tensor, struct lq_quantised rule, const float *from,
                   size_t count);
// All of an output's numbers: its own memory where they are f32, else turned into `room`.
const float *lq_edge_read(const struct lq_tensor *tensor, float *room);
