// Slices that take a value apart along one axis, made one Split: OpenVINO 2026.4 loses such a Slice
// before a GatherElements, and so refuses what YOLO26 exports end to end.
// Threads: any; nothing is shared. Owner: the graph, of what is added to it.
#pragma once

#include "onnx.pb-c.h"

// Changes the graph in place; gives how many values were taken apart so, -1 when out of memory.
int lq_onnx_join_slices(Onnx__GraphProto *graph);
