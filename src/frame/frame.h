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

enum lq_stage { LQ_STAGE_DECODE, LQ_STAGE_PREPARE, LQ_STAGE_INFER, LQ_STAGE_NAILS, LQ_STAGE_PAINT,
                LQ_STAGE_ENCODE, LQ_STAGE_COUNT };

const char *lq_stage_name(enum lq_stage stage); // "decode", …

// What is asked and what came of it.
struct lq_job {
    // asked
    const uint8_t *input;     // picture file bytes (codec.h has the kinds); not owned
    size_t input_len;
    struct lq_look look;
    bool paint;               // false: nails only, nothing is painted or encoded
    int jpeg_quality;         // 1..100
    enum lq_picture_kind kind_out; // JPEG, PNG or WEBP; UNKNOWN: PNG for a PNG or alpha, else JPEG
    bool may_shrink;          // a picture beyond pixels_max is taken at a smaller size (codec.h)
    size_t pixels_max;
    struct lq_tracker *tracker; // the film that this is a frame of; not owned; NULL: a single picture
    uint64_t time_us;         // … and when it was taken or came
    bool smooth;              // … and whether outlines are steadied, else only ids are kept
    bool may_carry;           // … and whether its nails may be carried from the last (track.h)
    bool closer;              // … of a single picture: look twice, the second time closer (closer.h)
    bool hands;               // look for the hands behind the nails (nail/hand.h)
    bool alone;               // no other frame is worked on: all cores may be used for this one
    struct lq_scene *scene;   // not owned; with paint false filled with the light (as LQ_STAGE_PAINT)
    uint64_t deadline_us;     // lq_clock_us() after which the answer is of no use; 0: none
    void (*pause)(void *context); // called between steps: stages, and passes of a closer look. May
                              // run jobs on other pipes, whose time is not counted as this job's,
                              // and change `alone`; NULL: nothing
    void *pause_context;
    struct lq_buf *output;    // encoded picture is appended; not owned; NULL with paint false

    // done
    int width, height;             // upright picture
    int shrunk, stored_width, stored_height; // as in struct lq_picture_info
    bool carried;                  // nails were carried along, not looked for: no prepare, no infer
    enum lq_picture_kind kind;     // of the encoded reply
    const struct lq_nails *nails;  // in the pipe, until its next job
    int passes;                    // how often the network was run
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
// What the decoded picture of the job that is under way takes.
size_t lq_pipe_bytes(const struct lq_pipe *pipe);

void lq_job_init(struct lq_job *job); // default look, paint, quality 85, limits for the network

// Runs the whole pipeline. On failure the output buffer is as long as it was before.
LQ_MUST_CHECK int lq_pipe_run(struct lq_pipe *pipe, struct lq_job *job, struct lq_error *err);

// The same on pixels in memory, in place: prepare > infer > nails > paint. For include/lacquer.h.
LQ_MUST_CHECK int lq_pipe_run_image(struct lq_pipe *pipe, struct lq_job *job,
                                    struct lq_image *picture, struct lq_error *err);

// The decoded (and painted) picture of the last run; valid until the next.
const struct lq_image *lq_pipe_picture(const struct lq_pipe *pipe);
