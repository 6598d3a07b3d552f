/* liblacquer: fingernails found and painted, in your own program. docs/LIBRARY.md is a tour.
 *
 * Threads: a context (struct lacquer) belongs to one thread at a time; a second one that comes
 *          meanwhile gets LACQUER_ERR_BUSY. Contexts run side by side; lacquer_share() makes a
 *          further one on the same loaded model. Each other object says its own rule below.
 * Owner:   what you pass stays yours and is not kept beyond the call, but for what a comment says.
 *          What a call on a context hands out (nails, masks, encoded bytes, JSON, error text)
 *          belongs to the context and is valid until the next call on it.
 * Errors:  functions return LACQUER_OK or a negative code; lacquer_error() has a line of text. A
 *          failed call leaves its context usable. Functions without a context write the text to
 *          `error` (not NULL: `error_size` bytes, always ended by a zero).
 * Process: the library prints nothing, ends nothing, and changes no signal, locale, file mask or
 *          environment variable. A process that forks after lacquer_open() must not use it in the
 *          child before exec().
 * ABI:     structs begin with their size or have room in `reserved`; functions are only added
 *          while the library is liblacquer.so.0. A member that is 0 asks for the default.
 *
 * Link with `pkg-config --cflags --libs lacquer`. Programs to begin with are in examples/.
 */
#ifndef LACQUER_H
#define LACQUER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LACQUER_OK = 0,
    LACQUER_ERR_ARGUMENT = -1,  /* a parameter is out of range */
    LACQUER_ERR_PICTURE = -2,   /* no picture of a kind that is read, damaged, or too large */
    LACQUER_ERR_MODEL = -3,     /* the model cannot be read or is of no known kind */
    LACQUER_ERR_ENGINE = -4,    /* no inference engine, or it failed */
    LACQUER_ERR_MEMORY = -5,
    LACQUER_ERR_TIMEOUT = -6,   /* request.timeout_ms is over */
    LACQUER_ERR_BUSY = -7       /* another thread is in a call on this context; no text is kept */
};

/* What a code means, in a few words; for any number. Never freed. */
const char *lacquer_strerror(int code);

const char *lacquer_version(void); /* "1.0.0" */

/* ---- what to paint */

/* docs/LOOKS.md says what each looks like. */
enum lacquer_finish {
    LACQUER_CREME, LACQUER_GLOSS, LACQUER_SHEER, LACQUER_JELLY, LACQUER_SATIN, LACQUER_MATTE,
    LACQUER_PEARL, LACQUER_SHIMMER, LACQUER_GLITTER, LACQUER_METALLIC, LACQUER_CHROME,
    LACQUER_HOLOGRAPHIC, LACQUER_CAT_EYE, LACQUER_TEXTURED
};

/* One polish for all nails, the short way. lacquer_look_default() is a good start; its size is
 * fixed, and what it cannot say a struct lacquer_full_look can. */
struct lacquer_look {
    uint8_t color[3];           /* sRGB */
    enum lacquer_finish finish;
    float opacity;              /* 0..1, how far the polish hides the nail */
    float texture;              /* 0..1, how much of the nail's fine detail shows */
    int sheen;                  /* nonzero: keep highlights and add the finish's own */
};

struct lacquer_look lacquer_look_default(void);

/* Named swatches, looks and nail art: the built-in ones and those of a folder (docs/LOOKS.md).
 * Threads: any, at once. Freed by lacquer_catalogue_close (NULL is fine); looks made with it may
 * outlive it. */
struct lacquer_catalogue;

/* folder: NULL for the built-in ones alone. */
int lacquer_catalogue_open(struct lacquer_catalogue **catalogue, const char *folder, char *error,
                           size_t error_size);
void lacquer_catalogue_close(struct lacquer_catalogue *catalogue);

/* Everything in it, as `lacquer looks --json` prints it; UTF-8, the catalogue's. */
const char *lacquer_catalogue_json(const struct lacquer_catalogue *catalogue);

/* A whole look: a polish for each finger, finishes with their numbers, nail art, French tips, and
 * nails of another shape and length. Threads: any, at once. Freed by lacquer_full_look_free
 * (NULL is fine), not while a call uses it. */
struct lacquer_full_look;

/* text: `len` bytes of JSON as docs/LOOKS.md has it, or the name of a look in the catalogue.
 * catalogue: NULL for the built-in one. An error names the key that is wrong. */
int lacquer_full_look_new(struct lacquer_full_look **look, const char *text, size_t len,
                          struct lacquer_catalogue *catalogue, char *error, size_t error_size);
void lacquer_full_look_free(struct lacquer_full_look *look);

/* ---- a model, opened */

/* Whether a model that does not come with Lacquer is run once in a process of its own before it
 * is opened in yours: engines compile what a file says, and some files end them (docs/LIBRARY.md,
 * "Foreign models"). What was found is kept in cache_dir. */
enum lacquer_model_check { LACQUER_CHECK_FOREIGN, LACQUER_CHECK_NEVER };

enum lacquer_tune {
    LACQUER_LATENCY,            /* one picture as fast as can be, on all threads */
    LACQUER_THROUGHPUT          /* one thread a picture: many contexts side by side */
};

struct lacquer_options {
    size_t size;                /* sizeof(struct lacquer_options); 0: up to `threads` alone */
    const char *model;          /* .onnx or .tflite; NULL: the one that comes with Lacquer */
    const char *engine;         /* "openvino", "triton", … by name; NULL: the best that runs here */
    const char *cache_dir;      /* compiled models are kept here; NULL: nowhere */
    int threads;                /* 0: all cores */
    const char *precision;      /* "f32", "bf16"; NULL: the faster that is exact enough */
    enum lacquer_tune tune;
    enum lacquer_model_check check;
    float confidence_min;       /* 0..1: nails below are left out; 0: the model's own */
    /* Of an engine that runs elsewhere. Servers are [http://]HOST[:PORT][/PATH], up to 8 with
     * commas between them. */
    const char *servers;
    const char *server_model;   /* its name there; NULL: the model file's stem */
    const char *fallback;       /* engine that runs `model` while no server does; NULL: none */
    int server_timeout_ms;      /* of one inference; 0: the default */
};

#define LACQUER_OPTIONS_INIT                                                                      \
    {sizeof(struct lacquer_options), NULL, NULL, NULL, 0, NULL, LACQUER_LATENCY,                  \
     LACQUER_CHECK_FOREIGN, 0, NULL, NULL, NULL, 0}

struct lacquer;

/* Loads the model. options may be NULL. On failure *context is NULL and, when error is not NULL,
 * a line of text is written there. Takes from 0.1 s to some seconds. Any thread. */
int lacquer_open(struct lacquer **context, const struct lacquer_options *options, char *error,
                 size_t error_size);

/* A further context on the same model, for another thread. `from` counts as used meanwhile. */
int lacquer_share(struct lacquer **context, struct lacquer *from);

/* NULL is fine. The model goes with the last context that shares it. */
void lacquer_close(struct lacquer *context);

/* What the last failed call on this context found wrong. */
const char *lacquer_error(const struct lacquer *context);

/* What was opened: {"version", "engine", "model", "head", "precision", "sizes"}. */
int lacquer_describe(struct lacquer *context, const char **json);

/* Names of the engines that this build knows, best first; NULL past the last. */
const char *lacquer_engine_name(int index);

/* LACQUER_OK when it can run here, else why not. */
int lacquer_engine_probe(const char *name, char *error, size_t error_size);

/* ---- pictures and frames */

enum lacquer_finger {
    LACQUER_FINGER_UNKNOWN, LACQUER_THUMB, LACQUER_INDEX, LACQUER_MIDDLE, LACQUER_RING,
    LACQUER_LITTLE
};

/* A part of a picture: its top left pixel, and how wide and high it is. */
struct lacquer_box {
    int x, y, width, height;
};

/* One nail. Lengths in pixels, origin at the picture's top left corner, y down. */
struct lacquer_nail {
    int id;                     /* 1, 2, … within the picture; stable within a video */
    float confidence;           /* 0..1 */
    struct lacquer_box box;     /* upright, around the nail: the part that `alpha` covers */
    float center_x, center_y;
    float axis_x, axis_y;       /* unit vector along the nail, to the tip where tip_known */
    float length, width;        /* of the nail, along and across its axis */
    const uint8_t *alpha;       /* coverage 0..255, `box.height` rows of `alpha_stride` bytes */
    size_t alpha_stride;
    int64_t area;               /* pixels with alpha >= 128 */
    int tip_known;              /* nonzero: the axis points to the tip, else either way */
    float tip_confidence;       /* 0..1 */
    float curvature;            /* radians that the middle line turns over the length, clockwise */
    enum lacquer_finger finger;
    float finger_confidence[5]; /* thumb first; all 0: not judged */
    uint32_t reserved[6];       /* 0 */
};

/* The memory of one video: ids, motion, outlines and hands from frame to frame.
 * Threads: any; frames of one video are worked on one at a time. Freed by lacquer_video_free
 * (NULL is fine), not while a call uses it. */
struct lacquer_video;

int lacquer_video_new(struct lacquer_video **video);
void lacquer_video_free(struct lacquer_video *video);
/* After a cut: the next frame begins anew, with ids not given before. */
void lacquer_video_reset(struct lacquer_video *video);

enum lacquer_flags {
    LACQUER_MULTI_SCALE = 1,    /* stills: the network runs again on the whole and on windows
                                   around the nails, mirrored too: finer outlines for 5 to 7 times
                                   the work */
    LACQUER_FIND_HANDS = 2,     /* directions and fingers from the hand behind the nails; in a video
                                   one run of a second network a hand and frame at most */
    LACQUER_NO_SMOOTHING = 4,   /* videos: ids alone, outlines as each frame has them */
    LACQUER_PROPAGATE = 8,      /* videos: up to two of three frames may move the last frame's nails
                                   instead of detecting them, for a tenth of the work */
    LACQUER_SHRINK = 16         /* files: beyond 64 megapixels a JPEG or WebP is decoded smaller */
};

enum lacquer_format { LACQUER_FORMAT_SAME, LACQUER_JPEG, LACQUER_PNG, LACQUER_WEBP };

/* What to do with one picture. */
struct lacquer_request {
    size_t size;                /* sizeof(struct lacquer_request) */
    const struct lacquer_look *look;           /* what is painted: this … */
    const struct lacquer_full_look *full_look; /* … or this; neither: nails are found alone */
    struct lacquer_video *video; /* the video that it is a frame of; NULL: a still */
    uint64_t time_us;           /* … and its time on a clock that does not run backwards */
    unsigned flags;             /* enum lacquer_flags, or'ed */
    enum lacquer_format format; /* of an encoded reply; SAME: PNG for a PNG or alpha, else JPEG */
    int quality;                /* 1..100 of JPEG and WebP; 0: 92 */
    int timeout_ms;             /* ends with LACQUER_ERR_TIMEOUT between two stages; 0: none */
};

#define LACQUER_REQUEST_INIT                                                                      \
    {sizeof(struct lacquer_request), NULL, NULL, NULL, 0, 0, LACQUER_FORMAT_SAME, 0, 0}

enum lacquer_stage {
    LACQUER_DECODE, LACQUER_PREPARE, LACQUER_INFER, LACQUER_NAILS, LACQUER_PAINT, LACQUER_ENCODE,
    LACQUER_STAGES
};

/* What came of it. */
struct lacquer_response {
    size_t size;                /* sizeof(struct lacquer_response), set by you before the call */
    int width, height;          /* of the upright picture */
    int nail_count;
    const struct lacquer_nail *nails;
    const uint8_t *bytes;       /* lacquer_process_file: the painted file; NULL: nothing painted */
    size_t bytes_len;
    enum lacquer_format format; /* … and what it is */
    int passes;                 /* how often the detection network was run */
    int propagated;             /* nonzero: the last frame's nails, moved along */
    uint32_t stage_us[LACQUER_STAGES]; /* microseconds */
    uint32_t total_us;
};

#define LACQUER_RESPONSE_INIT                                                                     \
    {sizeof(struct lacquer_response), 0, 0, 0, NULL, NULL, 0, LACQUER_FORMAT_SAME, 0, 0,          \
     {0, 0, 0, 0, 0, 0}, 0}

/* Order of bytes in memory, 8 bits each; alpha is left as it is. OpenCV has BGR. */
enum lacquer_pixel_format { LACQUER_RGB, LACQUER_RGBA, LACQUER_BGR, LACQUER_BGRA };

struct lacquer_image {
    uint8_t *pixels;            /* top left; painted in place */
    int width, height;          /* 1..16384 */
    size_t stride;              /* bytes from one row to the next */
    enum lacquer_pixel_format format;
};

/* Finds nails in pixels and paints them in place. response may be NULL. On failure pixels are as
 * before, but for a failure while they were painted (LACQUER_ERR_MEMORY). */
int lacquer_process_pixels(struct lacquer *context, const struct lacquer_request *request,
                           const struct lacquer_image *image, struct lacquer_response *response);

/* The same for the bytes of a JPEG, PNG, WebP or AVIF file, or HEIC where libheif.so.1 is:
 * response->bytes is a painted file of the same size, colour profile kept and painted by,
 * upright. */
int lacquer_process_file(struct lacquer *context, const struct lacquer_request *request,
                         const void *bytes, size_t len, struct lacquer_response *response);

/* Draws the coverage 0..255 of all nails of the last response into `mask`, rows of `stride` bytes,
 * as wide and high as the picture was. */
int lacquer_mask(struct lacquer *context, uint8_t *mask, int width, int height, size_t stride);

/* The last response as JSON, with the keys of `lacquer apply --json` and each nail's geometry. */
int lacquer_response_json(struct lacquer *context, const char **json);

/* ---- for all of the process */

enum lacquer_log_level { LACQUER_LOG_ERROR, LACQUER_LOG_WARNING, LACQUER_LOG_INFO,
                         LACQUER_LOG_DEBUG };

/* Where warnings go that are no failure: an unused cache, an unknown key. NULL: nowhere, as from
 * the start. The function may be called from any thread, one call at a time; it must not call the
 * library. Never gets pixels or tokens. */
void lacquer_set_log(void (*log)(void *user, enum lacquer_log_level level, const char *text),
                     void *user);

/* ---- names of the first version, for one version more */

/* As lacquer_process_pixels for a still: channels 3 or 4 is RGB or RGBA. *nails and *count may be
 * NULL. */
int lacquer_frame(struct lacquer *context, uint8_t *pixels, int width, int height, int channels,
                  size_t stride, const struct lacquer_look *look,
                  const struct lacquer_nail **nails, int *count);

/* As lacquer_process_file with LACQUER_MULTI_SCALE and LACQUER_FIND_HANDS; quality 1..100. */
int lacquer_file(struct lacquer *context, const void *bytes, size_t len,
                 const struct lacquer_look *look, int quality, const uint8_t **out,
                 size_t *out_len, const struct lacquer_nail **nails, int *count);

#ifdef __cplusplus
}
#endif
#endif
