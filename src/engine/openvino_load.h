// Loads the library behind openvino.c: its functions, found by dlsym, and the process's only core.
// Private to this layer. OpenVINO's own header (which defines names such as OK, F32, U8) is
// included here and nowhere else.
// Threads: any; the first call of lq_openvino_load loads, others wait for it.
// Owner: the process; nothing is ever unloaded.
#pragma once

#include <stdint.h>

#include <openvino/c/openvino.h>

#include "base/error.h"

// Every function we call; OpenVINO's header declares them, dlsym finds them.
#define LQ_OPENVINO_FUNCTIONS(X)                                                                  \
    X(get_openvino_version) X(version_free) X(core_create) X(core_read_model)                     \
    X(core_read_model_from_memory_buffer) X(core_compile_model_props) X(model_free)               \
    X(model_inputs_size) X(model_outputs_size)                                                    \
    X(model_const_input_by_index) X(model_const_output_by_index)                                  \
    X(model_reshape_by_port_indexes) X(compiled_model_create_infer_request)                       \
    X(compiled_model_inputs_size) X(compiled_model_outputs_size)                                  \
    X(compiled_model_input_by_index) X(compiled_model_output_by_index) X(compiled_model_free)     \
    X(port_get_any_name) X(port_get_partial_shape) X(port_get_element_type)                       \
    X(output_const_port_free) X(partial_shape_create_static) X(partial_shape_free)                \
    X(infer_request_get_input_tensor_by_index) X(infer_request_get_output_tensor_by_index)        \
    X(infer_request_infer) X(infer_request_free) X(tensor_data) X(tensor_get_shape)               \
    X(tensor_create_from_host_ptr) X(tensor_get_element_type) X(shape_create) X(tensor_free)      \
    X(infer_request_set_input_tensor_by_index) X(shape_free) X(get_last_err_msg)                  \
    X(get_error_info) X(free)

struct lq_openvino {
#define X(name) __typeof__(ov_##name) *name;
    LQ_OPENVINO_FUNCTIONS(X)
#undef X
    ov_core_t *core;
    char build[64]; // "2026.4.1"
};

extern struct lq_openvino lq_openvino;

// Returns 0, or UNAVAILABLE with the reason and what to do; every call returns the same result.
LQ_MUST_CHECK int lq_openvino_load(struct lq_error *err);

// A number that identifies the library files that would be loaded; an upgrade changes it. Loads
// nothing.
uint64_t lq_openvino_stamp(void);

// Writes "cannot WHAT 'path': OpenVINO's own reason" for the call that just failed in this thread.
int lq_openvino_fail(struct lq_error *err, int status, ov_status_e code, const char *what,
                     const char *path);
