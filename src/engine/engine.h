// Inference engines behind one small interface. An engine handles tensors and knows nothing of
// nails. It works in three phases, each with an object that the caller owns:
//   read     a file, or what a server offers     -> struct lq_engine_model, which describes itself
//   compile  it for one input size and use       -> struct lq_engine, as many as needed
//   run      one of its requests                 -> struct lq_request, with its tensors
// Threads: several threads may compile one model at once, and one engine may serve many requests at
// once; a request belongs to one thread at a time. While an object is created or freed, no other
// call on it may run.
// Owner: the caller owns all three. Free requests before closing their engine; a model may be
// forgotten before the engines compiled from it are closed. The engine owns the memory of input and
// output tensors; callers write and read it directly, so nothing is copied.
// Errors: a status and one line in `err` (may be NULL); the object to be created is then NULL.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { LQ_TENSOR_RANK_MAX = 6, LQ_TENSORS_MAX = 8, LQ_TENSOR_NAME_MAX = 128 };

enum lq_tensor_type { LQ_TENSOR_F32, LQ_TENSOR_F16, LQ_TENSOR_U8, LQ_TENSOR_I8, LQ_TENSOR_I32,
                      LQ_TENSOR_I64, LQ_TENSOR_I16, LQ_TENSOR_BOOL, LQ_TENSOR_F64,
                      LQ_TENSOR_OTHER };

struct lq_tensor {
    char name[LQ_TENSOR_NAME_MAX];
    enum lq_tensor_type type;
    int rank;
    int64_t dims[LQ_TENSOR_RANK_MAX]; // -1: open in the model
    void *data;                       // NULL in a description, else memory of a request
};

size_t lq_tensor_count(const struct lq_tensor *tensor); // product of dims; 0 if one is open
size_t lq_tensor_bytes(const struct lq_tensor *tensor);
const char *lq_tensor_type_name(enum lq_tensor_type type);

struct lq_tensors {
    int input_count, output_count;
    bool fixed; // of a description: input 0 accepts no size other than the declared one
    struct lq_tensor inputs[LQ_TENSORS_MAX];
    struct lq_tensor outputs[LQ_TENSORS_MAX];
};

// Index over all input_count + output_count tensors, inputs first.
static inline struct lq_tensor *lq_tensor_at(struct lq_tensors *tensors, int index)
{
    return index < tensors->input_count ? &tensors->inputs[index]
                                        : &tensors->outputs[index - tensors->input_count];
}

enum lq_precision { LQ_PRECISION_AUTO, LQ_PRECISION_F32, LQ_PRECISION_BF16, LQ_PRECISION_F16,
                    LQ_PRECISION_COUNT };
const char *lq_precision_name(enum lq_precision precision); // "auto", "f32", "bf16", "f16"
// LATENCY: one request as fast as possible. THROUGHPUT: many requests in parallel. BOTH: each frame
// chooses (model/model.h then opens one engine of each kind).
enum lq_tune { LQ_TUNE_LATENCY, LQ_TUNE_THROUGHPUT, LQ_TUNE_BOTH };

// Where an engine in this process computes. AUTO: an NVIDIA GPU if the engine can use one (with
// TensorRT, else CUDA), otherwise the processor. GPU: the engine's usual kind of GPU (Intel's for
// OpenVINO). If the requested device is not available, one log line says so and the next best is
// used.
enum lq_device { LQ_DEVICE_AUTO, LQ_DEVICE_CPU, LQ_DEVICE_GPU, LQ_DEVICE_CUDA, LQ_DEVICE_TENSORRT };

const char *lq_device_name(enum lq_device device); // "tensorrt"

enum { LQ_REMOTE_URLS_MAX = 8, LQ_REMOTE_URL_MAX = 256 };
enum lq_remote_memory { LQ_REMOTE_MEMORY_AUTO, // shared with servers on this host
                        LQ_REMOTE_MEMORY_OFF, LQ_REMOTE_MEMORY_ON };

// For engines that run on a server.
struct lq_remote_options {
    int url_count;
    const char *urls[LQ_REMOTE_URLS_MAX]; // [http://]HOST[:PORT][/PATH]
    const char *model;                    // the model's name on the server
    const char *version;                  // NULL: the server's choice
    const char *fallback;                 // engine that runs the file while no server responds; or
                                          // NULL
    bool no_file;                         // there is no local file of this model
    enum lq_remote_memory memory;
    int timeout_ms;                       // per request; 0: the default
};

// How a picture's values, 0..1, were converted to input 0: (value - mean) / std per channel. Needed
// for servers that take the picture as bytes.
struct lq_pixel_rule {
    bool channels_first;
    float mean[3], std[3]; // a std of 0 counts as 1
};

// What to read. The caller owns the texts; an engine copies what it keeps.
struct lq_engine_source {
    const char *path; // a file; for a served model, the local file of the same model
    const char *name; // name used in messages and the cache, if the file was made from another one;
                      // NULL: path
    struct lq_remote_options remote;
};

// A model after reading. An engine's own struct may begin with this one.
struct lq_engine_model {
    char *path, *name;         // copied from the source
    struct lq_tensors tensors; // as the file (or the server) declares them; dims may be -1
    struct lq_buf sidecar;     // sidecar (model/sidecar.h) sent by the server; empty: none
};

// How to compile it.
struct lq_engine_options {
    enum lq_precision precision; // AUTO is resolved by model/ before an engine sees it
    enum lq_tune tune;           // LATENCY or THROUGHPUT
    int threads;                 // 0: all cores this process may use
    enum lq_device device;
    int batch_max;               // largest number of pictures in one run, combined from requests
                                 // that arrive at about the same time; 0: the engine's choice
    int batch_wait_us;           // how long the first of them waits at most; 0: the engine's choice
    const char *cache_dir;       // for compiled models; NULL: do not store them
    struct lq_pixel_rule pixels;
    // Input 0 is reshaped to this before compiling (rank 0: keep the model's shape).
    int shape_rank;
    int64_t shape[LQ_TENSOR_RANK_MAX];
};

struct lq_engine;  // a compiled model
struct lq_request; // the tensors of one inference at a time

// Receives each part that an engine consists of on this machine: whether it is there, and where it
// is, or what to do next.
struct lq_engine_parts {
    void (*row)(void *context, const char *name, bool there, const char *detail);
    void *context;
};

// An engine: four facts and at most ten functions. All are set unless the comment says otherwise.
struct lq_engine_ops {
    const char *name;    // "openvino"
    const char *summary; // one line for `lacquer engines`
    bool by_name_only;   // never chosen automatically
    bool has_precisions; // can compute in f32 or bf16, and bf16 is not always the faster one
    bool frees_slowly;   // takes a good part of a second to free what it holds

    // Returns 0 if the engine can run here; otherwise UNAVAILABLE with what is missing and the next
    // step. Loads its library once. `parts`: NULL, or receives the engine's parts if it can run; an
    // engine with only one part reports none.
    int (*probe)(const struct lq_engine_parts *parts, struct lq_error *err);

    // Reads and describes a model without compiling it. UNAVAILABLE as for probe.
    int (*read)(struct lq_engine_model **model, const struct lq_engine_source *source,
                struct lq_error *err);
    void (*forget)(struct lq_engine_model *model); // model may be NULL

    // UNAVAILABLE if this processor cannot compute the model in bf16 or f16; f32 may still work.
    int (*compile)(struct lq_engine **engine, struct lq_engine_model *model,
                   const struct lq_engine_options *options, struct lq_error *err);
    void (*close)(struct lq_engine *engine); // engine may be NULL

    int (*request_new)(struct lq_request **request, struct lq_engine *engine,
                       struct lq_error *err);
    // The request's tensors, with data pointers set; valid until the request is freed.
    const struct lq_tensors *(*request_tensors)(struct lq_request *request);
    // Computes the outputs from the inputs' memory. deadline_us: the lq_clock_us() after which the
    // result is not needed; 0: none. Only engines that wait for others check it, and then fail with
    // TIMEOUT.
    int (*run)(struct lq_request *request, uint64_t deadline_us, struct lq_error *err);
    void (*request_free)(struct lq_request *request); // request may be NULL

    // Appends its process-wide counters as Prometheus text; NULL if it counts nothing.
    int (*print_metrics)(struct lq_buf *out);
};

// For engines: sets path, name and an empty sidecar; the engine fills in the tensors. After MEMORY
// the model must still be released.
LQ_MUST_CHECK int lq_engine_model_init(struct lq_engine_model *model,
                                       const struct lq_engine_source *source,
                                       struct lq_error *err);
void lq_engine_model_release(struct lq_engine_model *model); // may be half-built or zeroed

// For engines: allocates memory for a request's tensors, zeroed, in one block, each at a multiple
// of 64 bytes; none for tensors of open size. Fails with MEMORY, or with MODEL if one needs more
// than LQ_TENSOR_BYTES_MAX. The caller frees *memory, the block.
LQ_MUST_CHECK int lq_tensors_place(struct lq_tensors *tensors, void **memory,
                                   struct lq_error *err);

// All engines in this build, best first, ended by NULL.
extern const struct lq_engine_ops *const lq_engines[];

// Finds an engine by name; NULL, and an error that lists the known names, if there is none.
const struct lq_engine_ops *lq_engine_find(const char *name, struct lq_error *err);
