// Which instructions oneDNN, OpenVINO's kernel library, may use in this process.
// Threads: the main one, before a model is opened and before other threads start: oneDNN reads its
// limit once from the environment, when the first model is compiled.
// Owner: the process owns the environment.
#pragma once

#include <stdbool.h>

// Whether the file has quantised tensors; also false if it cannot be read.
bool lq_cli_is_quantised(const char *model_path);

// Whether a quantised network of this file's size gains by AMX; false too where it is not there.
bool lq_cli_is_large(const char *model_path);

// On a processor with AMX a small quantised network is computed with the instructions below it,
// AVX512 of the same processor, unless the user has set ONEDNN_MAX_CPU_ISA. For networks as small
// as the default one AMX takes 1.4 to 2.3 times as long (docs/BENCHMARKS.md), for large ones less.
// A model that cannot be read is left alone: opening it says why. What `lacquer tune` found
// (tune_answer.h) has set the variable before, and stands.
void lq_cli_limit_onednn(const char *model_path);
