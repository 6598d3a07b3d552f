// The one pipeline: decode > prepare > infer > nails > paint > encode, with a time for each stage.
// A picture's colour profile is kept and its pixels stay in its colours; the network is shown a
// copy in sRGB, and polish is painted in linear light and stored in the picture's colours.
// Every way in (command line, library, HTTP, WebSocket, Socket.IO) ends here.
// Threads: a pipe belongs to one worker; a job to one owner at a time.
// Owner: new/free and init/release by the caller. A pipe's memory grows to the largest picture it
// has seen; after that a frame allocates nothing.
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
    bool paint;               // false: find nails only; nothing is painted or encoded
    int jpeg_quality;         // 1..100
    enum lq_picture_kind kind_out; // JPEG, PNG or WEBP; UNKNOWN: PNG for a PNG or alpha, else JPEG
    bool may_shrink;          // a picture beyond pixels_max is taken at a smaller size (codec.h)
    size_t pixels_max;
    struct lq_tracker *tracker; // of the video of which this is a frame; not owned; NULL: a still
    uint64_t time_us;         // video: when the frame was taken or received
    bool smooth;              // video: steady the outlines; false: only keep the nails' ids
    bool may_propagate;       // video: nails may be propagated from the last frame (nail/track.h)
    bool multiscale;          // still: add the multi-scale pass (frame/multiscale.h)
    bool hands;               // find the hands behind the nails (nail/hand.h)
    bool exclusive;           // no other frame is in work: this one may use all cores
    // not owned; with paint false filled with the light (as LQ_STAGE_PAINT)
    struct lq_scene *scene;
    // of the video; not owned. With it a frame that is not painted may be decoded in part, where
    // its nails are looked for in a region; NULL: frames are decoded whole
    struct lq_surround_memory *surround;
    uint64_t deadline_us;     // lq_clock_us() after which the result is of no use; 0: none
    void (*pause)(void *context); // called between stages and between network passes. It may run
                              // jobs on other pipes, whose time is not counted as this job's, and
                              // change `exclusive`; NULL: no call
    void *pause_context;
    struct lq_buf *output;    // encoded picture is appended; not owned; NULL with paint false

    // filled in
    int width, height;             // upright picture
    int shrunk, stored_width, stored_height; // as in struct lq_picture_info
    bool propagated;               // nails come from the last frame: no prepare, no infer
    bool is_part;                  // only the surroundings of the nails were decoded
    enum lq_picture_kind kind;     // of the encoded reply
    const struct lq_nails *nails;  // in the pipe, until its next job
    int passes;                    // runs of the network
    uint32_t stage_us[LQ_STAGE_COUNT];
    uint32_t total_us;
};

struct lq_pipe;

LQ_MUST_CHECK int lq_pipe_new(struct lq_pipe **pipe, const struct lq_model *model,
                              struct lq_error *err);
void lq_pipe_free(struct lq_pipe *pipe);
// Gives back all memory that grew with pictures; what the network needs stays. The last job's nails
// are gone. No memory to go on with: MEMORY, the pipe can only be freed then.
LQ_MUST_CHECK int lq_pipe_rest(struct lq_pipe *pipe);
// Bytes of the decoded picture of the job in flight.
size_t lq_pipe_bytes(const struct lq_pipe *pipe);

void lq_job_init(struct lq_job *job); // default look, paint, quality 85, limits for the network

// Runs the whole pipeline. On failure the output buffer is as long as it was before.
LQ_MUST_CHECK int lq_pipe_run(struct lq_pipe *pipe, struct lq_job *job, struct lq_error *err);

// The same on pixels in memory, in place: prepare > infer > nails > paint. For include/lacquer.h.
LQ_MUST_CHECK int lq_pipe_run_image(struct lq_pipe *pipe, struct lq_job *job,
                                    struct lq_image *picture, struct lq_error *err);

// The decoded (and painted) picture of the last run; valid until the next.
const struct lq_image *lq_pipe_picture(const struct lq_pipe *pipe);
