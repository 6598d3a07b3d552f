// Which instructions oneDNN, OpenVINO's kernel library, may use in this process.
// Threads: the main one, before a model is opened and before other threads start: oneDNN reads its
// limit once from the environment, when the first model is compiled.
// Owner: the process owns the environment.
#pragma once

#include <stdbool.h>

// Whether the file has quantised tensors; also false if it cannot be read.
bool lq_cli_is_quantised(const char *model_path);

// Whether a quantised network in a file of this size is faster with AMX; also false if there is no
// such file.
bool lq_cli_is_large(const char *model_path);

// On a processor with AMX, makes oneDNN run a small quantised network with the processor's AVX512
// instructions instead, unless the user has set ONEDNN_MAX_CPU_ISA. For networks as small as the
// default one AMX takes 1.4 to 2.3 times as long (docs/BENCHMARKS.md); for large ones it is faster.
// Does nothing for a model that cannot be read: opening it will report why. A result of `lacquer
// tune` (tune_choice.h) sets the variable earlier and takes precedence.
void lq_cli_limit_onednn(const char *model_path);
