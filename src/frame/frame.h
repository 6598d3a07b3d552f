// The pipeline: decode > prepare > infer > nails > paint > encode, with a time for each stage. A
// picture keeps its colour profile, and its pixels stay in its colours: the network gets a copy in
// sRGB, and polish is painted in linear light and stored in the picture's colours. All interfaces
// (command line, library, HTTP, WebSocket, Socket.IO) use it.
// Threads: a pipe belongs to one worker; a job to one owner at a time.
// Owner: new/free and init/release by the caller. A pipe's memory grows to the largest picture
// seen; after that, a frame allocates nothing.
#pragma once

#include "image/codec.h"
#include "model/model.h"
#include "nail/track.h"
#include "paint/paint.h"
#include "paint/scene.h"
#include "paint/surround_memory.h"

enum lq_stage { LQ_STAGE_DECODE, LQ_STAGE_PREPARE, LQ_STAGE_INFER, LQ_STAGE_NAILS, LQ_STAGE_PAINT,
                LQ_STAGE_ENCODE, LQ_STAGE_COUNT };

const char *lq_stage_name(enum lq_stage stage); // "decode", …

// One picture to process: what the caller sets, and what lq_pipe_run fills in.
struct lq_job {
    // set by the caller
    const uint8_t *input;     // picture file bytes (codec.h has the kinds); not owned
    size_t input_len;
    struct lq_look look;
    bool paint;               // false: only detect nails; do not paint or encode
    int jpeg_quality;         // 1..100
    enum lq_picture_kind kind_out; // JPEG, PNG or WEBP; UNKNOWN: PNG for a PNG or alpha, else JPEG
    bool may_shrink;          // decode a picture over pixels_max at a smaller size (codec.h)
    size_t pixels_max;
    struct lq_tracker *tracker; // of the video that this frame belongs to; not owned; NULL: a still
    uint64_t time_us;         // video: when the frame was taken or received
    bool smooth;              // video: smooth the outlines; false: only track ids
    bool may_propagate;       // video: nails may be propagated from the last frame (nail/track.h)
    bool multiscale;          // still: add the multi-scale pass (frame/multiscale.h)
    bool hands;               // find the hands that the nails belong to (nail/hand.h)
    bool exclusive;           // no other frame is being processed: this one may use all cores
    // not owned; if paint is false, receives the light (counted as LQ_STAGE_PAINT)
    struct lq_scene *scene;
    // of the video; not owned. If set, a frame that is not painted may be decoded in part when its
    // nails are detected in a region; NULL: decode whole frames
    struct lq_surround_memory *surround;
    uint64_t deadline_us;     // lq_clock_us() after which the result is useless; 0: none
    void (*pause)(void *context); // called between stages and between network passes; NULL: never.
                                  // It may run jobs on other pipes, whose time is not counted for
                                  // this job, and may change `exclusive`
    void *pause_context;
    struct lq_buf *output;    // the encoded picture is appended to it; not owned; NULL if paint is
                              // false

    // filled in
    int width, height;             // of the upright picture
    int shrunk, stored_width, stored_height; // as in struct lq_picture_info
    bool propagated;               // nails come from the last frame: no prepare, no infer
    bool is_part;                  // only the surroundings of the nails were decoded
    enum lq_picture_kind kind;     // of the encoded reply
    const struct lq_nails *nails;  // in the pipe; valid until its next job
    int passes;                    // runs of the network
    uint32_t stage_us[LQ_STAGE_COUNT];
    uint32_t total_us;
};

struct lq_pipe;

LQ_MUST_CHECK int lq_pipe_new(struct lq_pipe **pipe, const struct lq_model *model,
                              struct lq_error *err);
void lq_pipe_free(struct lq_pipe *pipe);
// Frees all memory that grew with pictures, but not what the network needs. The last job's nails
// become invalid. After MEMORY the pipe can only be freed.
LQ_MUST_CHECK int lq_pipe_rest(struct lq_pipe *pipe);
// Size in bytes of the decoded picture of the current job.
size_t lq_pipe_bytes(const struct lq_pipe *pipe);

void lq_job_init(struct lq_job *job); // default look, paint, quality 85, limits for the network

// Runs the whole pipeline. On failure the output buffer keeps its previous length.
LQ_MUST_CHECK int lq_pipe_run(struct lq_pipe *pipe, struct lq_job *job, struct lq_error *err);

// Processes pixels in memory, in place: prepare > infer > nails > paint. For include/lacquer.h.
LQ_MUST_CHECK int lq_pipe_run_image(struct lq_pipe *pipe, struct lq_job *job,
                                    struct lq_image *picture, struct lq_error *err);

// The decoded (and painted) picture of the last run; valid until the next run.
const struct lq_image *lq_pipe_picture(const struct lq_pipe *pipe);
