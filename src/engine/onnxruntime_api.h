// The part of ONNX Runtime's C interface that we use. The library returns one table of functions
// whose order never changes (new ones are appended), so a caller only needs an entry's number and
// its arguments: the build does not need ONNX Runtime's header.
// Private to this layer. Threads and owner: onnxruntime_load.h.
// Source: the table OrtApi in onnxruntime_c_api.h, versions 1.16 to 1.32.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LQ_ORT_API_VERSION = 16 }; // of ONNX Runtime 1.16, the oldest supported version

enum lq_ort_element { // ONNXTensorElementDataType
    LQ_ORT_FLOAT = 1, LQ_ORT_UINT8 = 2, LQ_ORT_INT8 = 3, LQ_ORT_INT16 = 5, LQ_ORT_INT32 = 6,
    LQ_ORT_INT64 = 7, LQ_ORT_BOOL = 9, LQ_ORT_FLOAT16 = 10, LQ_ORT_DOUBLE = 11 };
enum { LQ_ORT_WARNING = 2, LQ_ORT_ERROR = 3 };                // OrtLoggingLevel
enum { LQ_ORT_OPTIMIZE_NONE = 0, LQ_ORT_OPTIMIZE_ALL = 99 };  // GraphOptimizationLevel
enum { LQ_ORT_ALLOCATE_DEVICE = 0, LQ_ORT_ALLOCATE_ARENA = 1 }; // OrtAllocatorType
enum { LQ_ORT_MEMORY_DEFAULT = 0, LQ_ORT_MEMORY_PINNED = -1 };  // OrtMemType

// Opaque types of the library.
struct lq_ort_status;
struct lq_ort_env;
struct lq_ort_session;
struct lq_ort_options;
struct lq_ort_run_options;
struct lq_ort_value;
struct lq_ort_type;
struct lq_ort_shape;
struct lq_ort_allocator;
struct lq_ort_memory;
struct lq_ort_binding;
struct lq_ort_cuda;
struct lq_ort_tensorrt;

struct lq_ort_base { // OrtApiBase
    // NULL: this library does not support that version
    const void *const *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

typedef void lq_ort_log(void *context, int level, const char *category, const char *id,
                        const char *where, const char *message);

#define LQ_ORT_STATUS struct lq_ort_status *

// entry in the table, return type, our name, arguments
#define LQ_ORT_FUNCTIONS(X)                                                                        \
    X(2, const char *, get_error_message, (const struct lq_ort_status *))                          \
    X(4, LQ_ORT_STATUS, create_env, (lq_ort_log *, void *, int, const char *,                      \
                                     struct lq_ort_env **))                                        \
    X(6, LQ_ORT_STATUS, disable_telemetry, (const struct lq_ort_env *))                            \
    X(8, LQ_ORT_STATUS, create_session, (const struct lq_ort_env *, const void *, size_t,          \
                                         const struct lq_ort_options *, struct lq_ort_session **)) \
    X(10, LQ_ORT_STATUS, create_options, (struct lq_ort_options **))                               \
    X(23, LQ_ORT_STATUS, set_optimization, (struct lq_ort_options *, int))                         \
    X(24, LQ_ORT_STATUS, set_threads, (struct lq_ort_options *, int))                              \
    X(30, LQ_ORT_STATUS, input_count, (const struct lq_ort_session *, size_t *))                   \
    X(31, LQ_ORT_STATUS, output_count, (const struct lq_ort_session *, size_t *))                  \
    X(33, LQ_ORT_STATUS, input_type, (const struct lq_ort_session *, size_t,                       \
                                      struct lq_ort_type **))                                      \
    X(34, LQ_ORT_STATUS, output_type, (const struct lq_ort_session *, size_t,                      \
                                       struct lq_ort_type **))                                     \
    X(36, LQ_ORT_STATUS, input_name, (const struct lq_ort_session *, size_t,                       \
                                      struct lq_ort_allocator *, char **))                         \
    X(37, LQ_ORT_STATUS, output_name, (const struct lq_ort_session *, size_t,                      \
                                       struct lq_ort_allocator *, char **))                        \
    X(39, LQ_ORT_STATUS, create_run_options, (struct lq_ort_run_options **))                       \
    X(48, LQ_ORT_STATUS, create_tensor, (struct lq_ort_allocator *, const int64_t *, size_t, int,  \
                                         struct lq_ort_value **))                                  \
    X(51, LQ_ORT_STATUS, tensor_data, (struct lq_ort_value *, void **))                            \
    X(55, LQ_ORT_STATUS, type_to_shape, (const struct lq_ort_type *,                               \
                                         const struct lq_ort_shape **))                            \
    X(60, LQ_ORT_STATUS, element_type, (const struct lq_ort_shape *, int *))                       \
    X(61, LQ_ORT_STATUS, rank, (const struct lq_ort_shape *, size_t *))                            \
    X(62, LQ_ORT_STATUS, dims, (const struct lq_ort_shape *, int64_t *, size_t))                   \
    X(65, LQ_ORT_STATUS, value_shape, (const struct lq_ort_value *, struct lq_ort_shape **))       \
    X(68, LQ_ORT_STATUS, create_memory, (const char *, int, int, int, struct lq_ort_memory **))    \
    X(76, LQ_ORT_STATUS, allocator_free, (struct lq_ort_allocator *, void *))                      \
    X(78, LQ_ORT_STATUS, default_allocator, (struct lq_ort_allocator **))                          \
    X(92, void, free_env, (struct lq_ort_env *))                                                   \
    X(93, void, free_status, (struct lq_ort_status *))                                             \
    X(94, void, free_memory, (struct lq_ort_memory *))                                             \
    X(95, void, free_session, (struct lq_ort_session *))                                           \
    X(96, void, free_value, (struct lq_ort_value *))                                               \
    X(97, void, free_run_options, (struct lq_ort_run_options *))                                   \
    X(98, void, free_type, (struct lq_ort_type *))                                                 \
    X(99, void, free_shape, (struct lq_ort_shape *))                                               \
    X(100, void, free_options, (struct lq_ort_options *))                                          \
    X(130, LQ_ORT_STATUS, add_config, (struct lq_ort_options *, const char *, const char *))       \
    X(131, LQ_ORT_STATUS, create_allocator, (const struct lq_ort_session *,                        \
                                             const struct lq_ort_memory *,                         \
                                             struct lq_ort_allocator **))                          \
    X(132, void, free_allocator, (struct lq_ort_allocator *))                                      \
    X(133, LQ_ORT_STATUS, run_bound, (struct lq_ort_session *, const struct lq_ort_run_options *,  \
                                      const struct lq_ort_binding *))                              \
    X(134, LQ_ORT_STATUS, create_binding, (struct lq_ort_session *, struct lq_ort_binding **))     \
    X(135, void, free_binding, (struct lq_ort_binding *))                                          \
    X(136, LQ_ORT_STATUS, bind_input, (struct lq_ort_binding *, const char *,                      \
                                       const struct lq_ort_value *))                               \
    X(137, LQ_ORT_STATUS, bind_output, (struct lq_ort_binding *, const char *,                     \
                                        const struct lq_ort_value *))                              \
    X(138, LQ_ORT_STATUS, bind_output_to, (struct lq_ort_binding *, const char *,                  \
                                           const struct lq_ort_memory *))                          \
    X(140, LQ_ORT_STATUS, bound_values, (const struct lq_ort_binding *, struct lq_ort_allocator *, \
                                         struct lq_ort_value ***, size_t *))                       \
    X(165, LQ_ORT_STATUS, add_run_config, (struct lq_ort_run_options *, const char *,              \
                                           const char *))                                          \
    X(170, LQ_ORT_STATUS, use_tensorrt, (struct lq_ort_options *, const struct lq_ort_tensorrt *)) \
    X(171, LQ_ORT_STATUS, create_tensorrt, (struct lq_ort_tensorrt **))                            \
    X(172, LQ_ORT_STATUS, set_tensorrt, (struct lq_ort_tensorrt *, const char *const *,            \
                                         const char *const *, size_t))                             \
    X(174, void, free_tensorrt, (struct lq_ort_tensorrt *))                                        \
    X(204, LQ_ORT_STATUS, use_cuda, (struct lq_ort_options *, const struct lq_ort_cuda *))         \
    X(205, LQ_ORT_STATUS, create_cuda, (struct lq_ort_cuda **))                                    \
    X(206, LQ_ORT_STATUS, set_cuda, (struct lq_ort_cuda *, const char *const *,                    \
                                     const char *const *, size_t))                                 \
    X(208, void, free_cuda, (struct lq_ort_cuda *))
