// Inference engines behind one small interface. An engine knows tensors, not nails. It works in
// three phases, each with something that the caller holds:
//   read     a file, or what a server offers     -> struct lq_engine_model, which describes itself
//   compile  it for one input size and use       -> struct lq_engine, as often as is wanted
//   run      one of its requests                 -> struct lq_request, its tensors filled in
// Threads: a model may be compiled by several threads at once, an engine may serve many requests at
// once; a request belongs to one thread at a time. Nothing else here is called while it is made or
// freed.
// Owner: the caller of all three. Requests are freed before their engine is closed; a model may be
// forgotten before the engines that were compiled from it are closed. The engine owns the memory of
// input and output tensors; callers write into it and read from it, so that nothing is copied.
// Errors: a status and one line in `err` (NULL is fine); what was to be made is NULL then.
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
    int64_t dims[LQ_TENSOR_RANK_MAX]; // -1 where the model leaves a dimension open
    void *data;                       // NULL in a description, memory of a request otherwise
};

size_t lq_tensor_count(const struct lq_tensor *tensor); // product of dims; 0 when one is open
size_t lq_tensor_bytes(const struct lq_tensor *tensor);
const char *lq_tensor_type_name(enum lq_tensor_type type);

struct lq_tensors {
    int input_count, output_count;
    bool fixed; // described: input 0 can be given no other size than what is declared
    struct lq_tensor inputs[LQ_TENSORS_MAX];
    struct lq_tensor outputs[LQ_TENSORS_MAX];
};

// Of input_count + output_count: the inputs first.
static inline struct lq_tensor *lq_tensor_at(struct lq_tensors *tensors, int index)
{
    return index < tensors->input_count ? &tensors->inputs[index]
                                        : &tensors->outputs[index - tensors->input_count];
}

enum lq_precision { LQ_PRECISION_AUTO, LQ_PRECISION_F32, LQ_PRECISION_BF16, LQ_PRECISION_F16,
                    LQ_PRECISION_COUNT };
const char *lq_precision_name(enum lq_precision precision); // "auto", "f32", "bf16", "f16"
// One request as fast as can be; many side by side; either, as each frame has it (model/model.h
// opens an engine of each kind then).
enum lq_tune { LQ_TUNE_LATENCY, LQ_TUNE_THROUGHPUT, LQ_TUNE_BOTH };

// Where an engine of this process computes. AUTO: an NVIDIA GPU where the engine can use one (by
// TensorRT, else by CUDA), else the processor. GPU: the engine's usual kind of GPU (Intel's for
// OpenVINO). What is asked for and not there is told in one line of the log, and the next best is
// taken.
enum lq_device { LQ_DEVICE_AUTO, LQ_DEVICE_CPU, LQ_DEVICE_GPU, LQ_DEVICE_CUDA, LQ_DEVICE_TENSORRT };

const char *lq_device_name(enum lq_device device); // "tensorrt"

enum { LQ_REMOTE_URLS_MAX = 8, LQ_REMOTE_URL_MAX = 256 };
enum lq_remote_memory { LQ_REMOTE_MEMORY_AUTO, // shared with servers on this host
                        LQ_REMOTE_MEMORY_OFF, LQ_REMOTE_MEMORY_ON };

// For engines that run elsewhere.
struct lq_remote_options {
    int url_count;
    const char *urls[LQ_REMOTE_URLS_MAX]; // [http://]HOST[:PORT][/PATH]
    const char *model;                    // its name there
    const char *version;                  // NULL: the server's choice
    const char *fallback;                 // engine that runs the file while no server does; or NULL
    bool no_file;                         // there is no file of this model
    enum lq_remote_memory memory;
    int timeout_ms;                       // of one request; 0: the default
};

// How a picture's values, 0..1, became the numbers of input 0: (value - mean) / std by channel. For
// servers that take the picture in bytes.
struct lq_pixel_rule {
    bool channels_first;
    float mean[3], std[3]; // a std of 0 counts as 1
};

// What is read. Texts are the caller's; an engine copies what it keeps.
struct lq_engine_source {
    const char *path; // a file; of a served model the local file of the same model
    const char *name; // what messages and the cache call it, where the file was made from another;
                      // NULL: as its path
    struct lq_remote_options remote;
};

// A model that was read. An engine's own struct may begin with this one.
struct lq_engine_model {
    char *path, *name;         // its source's
    struct lq_tensors tensors; // as the file (or the server) declares them; dims may be -1
    struct lq_buf sidecar;     // (model/sidecar.h) that comes with a served model; empty: none does
};

// How it is compiled.
struct lq_engine_options {
    enum lq_precision precision; // AUTO is resolved by model/ before an engine sees it
    enum lq_tune tune;           // LATENCY or THROUGHPUT
    int threads;                 // 0: all cores this process may use
    enum lq_device device;
    int batch_max;               // pictures that one run may take, of requests that come at about
                                 // the same time; 0: the engine's choice
    int batch_wait_us;           // how long the first of them waits at most; 0: the engine's choice
    const char *cache_dir;       // compiled models; NULL: none kept
    struct lq_pixel_rule pixels;
    // Input 0 is reshaped to these before compiling (rank 0: as the model says).
    int shape_rank;
    int64_t shape[LQ_TENSOR_RANK_MAX];
};

struct lq_engine;  // a compiled model
struct lq_request; // its tensors for one inference at a time

// Told of each part that an engine is made of on this machine: there or not, and where, or the next
// step.
struct lq_engine_parts {
    void (*row)(void *context, const char *name, bool there, const char *detail);
    void *context;
};

// An engine: four facts and at most ten functions, all there unless it says otherwise.
struct lq_engine_ops {
    const char *name;    // "openvino"
    const char *summary; // one line for `lacquer engines`
    bool by_name_only;   // never chosen by itself
    bool has_precisions; // computes in f32 or bf16 as asked, and not always faster in bf16

    // 0 when it can run here; else UNAVAILABLE with what is missing and the next step. Loads its
    // library, once. `parts`: NULL, or told of its parts where it can run; engines of one part tell
    // nothing.
    int (*probe)(const struct lq_engine_parts *parts, struct lq_error *err);

    // Reads and describes; compiles nothing. UNAVAILABLE as probe.
    int (*read)(struct lq_engine_model **model, const struct lq_engine_source *source,
                struct lq_error *err);
    void (*forget)(struct lq_engine_model *model); // NULL is fine

    // UNAVAILABLE when this processor cannot compute the model in bf16 or f16; f32 may still do.
    int (*compile)(struct lq_engine **engine, struct lq_engine_model *model,
                   const struct lq_engine_options *options, struct lq_error *err);
    void (*close)(struct lq_engine *engine); // NULL is fine

    int (*request_new)(struct lq_request **request, struct lq_engine *engine,
                       struct lq_error *err);
    // The request's tensors, data pointers filled in; valid until it is freed.
    const struct lq_tensors *(*request_tensors)(struct lq_request *request);
    // From the inputs' memory to the outputs'. deadline_us: lq_clock_us() after which nobody wants
    // the answer; 0: none. Only engines that wait for others look at it; they end with TIMEOUT.
    int (*run)(struct lq_request *request, uint64_t deadline_us, struct lq_error *err);
    void (*request_free)(struct lq_request *request); // NULL is fine

    // Appends what it counts over the whole process as Prometheus text; NULL where it counts
    // nothing.
    int (*print_metrics)(struct lq_buf *out);
};

// For engines: fills path, name and an empty sidecar; the tensors are the engine's to fill. MEMORY
// leaves it to be released.
LQ_MUST_CHECK int lq_engine_model_init(struct lq_engine_model *model,
                                       const struct lq_engine_source *source,
                                       struct lq_error *err);
void lq_engine_model_release(struct lq_engine_model *model); // half-built or zeroed is fine

// For engines: memory for a request's tensors, zeroed and in one block, each at a multiple of 64
// bytes; none for those whose size is open. MEMORY; MODEL when one takes more than
// LQ_TENSOR_BYTES_MAX. *memory, the block, is the caller's to free.
LQ_MUST_CHECK int lq_tensors_place(struct lq_tensors *tensors, void **memory,
                                   struct lq_error *err);

// Every engine this build knows, best first, NULL at the end.
extern const struct lq_engine_ops *const lq_engines[];

// By name; NULL and a message listing the known names when there is none.
const struct lq_engine_ops *lq_engine_find(const char *name, struct lq_error *err);
