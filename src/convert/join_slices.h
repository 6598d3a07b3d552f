// Replaces Slices that together split a value along one axis by one Split: OpenVINO 2026.4 loses
// such a Slice before a GatherElements and then rejects end-to-end exports of YOLO26.
// Threads: any; nothing is shared. Owner: the graph owns what is added.
#pragma once

#include "onnx.pb-c.h"

// Changes the graph in place. Returns the number of values that are now split, -1 if out of memory.
int lq_onnx_join_slices(Onnx__GraphProto *graph);
