// What a model's tensors mean: how a picture becomes its input, and its output becomes patches of
// probability. This is derived from the tensors' shapes and an optional sidecar file "<model>.json"
// beside the model.
// Threads: an opened model is read-only and shared; a runner belongs to one thread.
// Owner: open/close and new/free by the caller; patches point into the runner until its next run.
#pragma once

#include "engine/engine.h"
#include "image/image.h"
#include "model/landmarks.h"

// ANY: the sidecar does not say; the outputs' shapes decide.
enum lq_head { LQ_HEAD_ANY, LQ_HEAD_MASK, LQ_HEAD_YOLO_SEG, LQ_HEAD_DETR_SEG, LQ_HEAD_COUNT };

const char *lq_head_name(enum lq_head head); // "yolo-seg"

struct lq_model_options {
    const char *engine;          // NULL: the first engine that can run here
    enum lq_precision precision; // AUTO: bf16 only if the CPU has it and the sidecar allows it
    enum lq_tune tune;
    int threads;
    enum lq_device device;       // this and the rest as in struct lq_engine_options
    int batch_max, batch_wait_us;
    const char *cache_dir;
    bool no_landmarks;           // do not open the hand landmark network with the model
    const char *source;          // the file from which the one at `path` was made: it provides the
                                 // model's name, file type and sidecar; NULL: `path` itself
    struct lq_remote_options remote; // for engines that run on a server
    float score_min;             // 0..1; 0: the sidecar's or 0.25 (detections), 0.5 (masks)
    float nms_iou;               // 0..1; 0: the sidecar's or 0.45
};

// A part of a picture whose sides may lie within pixels.
struct lq_float_box { float x, y, width, height; };

// A grid of probabilities over part of the picture. A mask head returns one patch that covers the
// whole picture and may hold many nails; a detection head returns one patch per nail.
struct lq_patch {
    float confidence;     // 0..1; for a mask head 1
    bool single;          // holds exactly one nail
    float threshold;      // a probability at or above this is nail
    int width, height;    // grid points
    int stride;           // floats from one row to the next
    const float *data;    // probabilities 0..1
    // Centre of grid point (i, j) lies at (x0 + i * dx, y0 + j * dy) in picture pixels, where pixel
    // (0, 0) spans 0..1.
    float x0, y0, dx, dy;
    struct lq_float_box box; // in picture pixels: outside it nothing is nail
};

struct lq_size { int width, height; };

struct lq_model;
struct lq_runner;

// Facts about the opened model, for `lacquer inspect` and the server's hello message.
struct lq_model_info {
    const char *path, *name;    // name: the sidecar's, or the file name without its ending
    const char *engine;         // engine's name
    enum lq_head head;
    enum lq_precision precision; // the precision in use: F32, BF16 or F16
    struct lq_tensors tensors;   // as the file declares them
    bool channels_first, letterbox, boxes_normalised, sidecar;
    int classes;                 // of a detection head; 0: the network chose classes itself and
                                 // does not say how many
    int proto_channels;          // yolo-seg
    bool end2end;                // yolo-seg: the network selects the final detections itself
    int batch;                   // pictures per run; all but the first are empty
    int size_count;              // compiled input sizes, e.g. 384x288 and 288x384
    struct lq_size sizes[4];
    float score_min, nms_iou;
};

// Path of the model that ships with Lacquer: in the source folder when running from the build
// folder, else the installed one.
const char *lq_model_default_path(void);
// The same network in floating point, which GPUs run faster than 8-bit integers.
const char *lq_model_float_path(void);

// Opens the model, decides what its head is, and compiles it once per input size. With
// remote.no_file, `path` is only a name, and a sidecar can only come from the server. Fails with
// MODEL if the file is unreadable or its tensors match no known head; the text lists the tensors.
LQ_MUST_CHECK int lq_model_open(struct lq_model **model, const char *path,
                                const struct lq_model_options *options, struct lq_error *err);
void lq_model_close(struct lq_model *model);

// The same at the end of the process: leaves to the system what an engine would free slowly.
void lq_model_leave(struct lq_model *model);
const struct lq_model_info *lq_model_info(const struct lq_model *model);
// The hand landmark network that was opened with it; NULL if there is none.
const struct lq_landmarks *lq_model_landmarks(const struct lq_model *model);

// Appends the counters of the model's engine as Prometheus text.
LQ_MUST_CHECK int lq_model_print_metrics(const struct lq_model *model, struct lq_buf *out);

LQ_MUST_CHECK int lq_runner_new(struct lq_runner **runner, const struct lq_model *model,
                                struct lq_error *err);
void lq_runner_free(struct lq_runner *runner);

// The three steps of a frame, in this order. prepare chooses the input size that wastes the fewest
// pixels. With LQ_TUNE_BOTH it uses the latency engine (all cores) if `exclusive`, else one core.
LQ_MUST_CHECK int lq_runner_prepare(struct lq_runner *runner, const struct lq_image *picture,
                                    bool exclusive, struct lq_error *err);
// Call it after prepare: mirrors the prepared picture left to right. A mask head's patch is
// mirrored back, so that both results can be averaged. Only for mask heads.
void lq_runner_mirror(struct lq_runner *runner);
// deadline_us: time after which the result is useless (engine.h); 0: none.
LQ_MUST_CHECK int lq_runner_infer(struct lq_runner *runner, uint64_t deadline_us,
                                  struct lq_error *err);
// *patches stays valid until the next prepare. *count is at most LQ_NAILS_MAX.
LQ_MUST_CHECK int lq_runner_patches(struct lq_runner *runner, const struct lq_patch **patches,
                                    int *count, struct lq_error *err);
