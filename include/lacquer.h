/* liblacquer finds fingernails in pictures and paints them. docs/LIBRARY.md is a tour.
 *
 * Threads: a context (struct lacquer) may be used by any thread, but by one at a time: a call that
 *          starts while another call on the same context runs returns LACQUER_ERR_BUSY. Different
 *          contexts run in parallel; lacquer_share() makes another context on the same loaded
 *          model. The comment on each other type states its own rule.
 * Owner:   the arguments of a call remain the caller's, and the library keeps no pointer to them
 *          after the call unless a comment says so. What a call returns through a context (nails,
 *          masks, encoded bytes, JSON, error text) belongs to the context and stays valid until
 *          the next call on that context.
 * Errors:  functions return LACQUER_OK or a negative code; lacquer_error() returns one line of
 *          text. A context stays usable after a failed call. Functions without a context write
 *          the text to `error` unless it is NULL: at most `error_size` bytes, NUL included.
 * Process: the library does not print, does not exit, and does not change signals, the locale, the
 *          umask or environment variables. A process that forks after lacquer_open() must not use
 *          the library in the child before exec().
 * ABI:     a struct either begins with its size or has `reserved` members for later additions.
 *          As long as the library is liblacquer.so.0, functions are added but never removed. A
 *          member that is 0 selects the default.
 *
 * Link with `pkg-config --cflags --libs lacquer`. examples/ contains programs to start from.
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
    LACQUER_ERR_PICTURE = -2,   /* not a picture of a supported format, damaged, or too large */
    LACQUER_ERR_MODEL = -3,     /* the model cannot be read or is of an unknown kind */
    LACQUER_ERR_ENGINE = -4,    /* no inference engine is available, or it failed */
    LACQUER_ERR_MEMORY = -5,
    LACQUER_ERR_TIMEOUT = -6,   /* request.timeout_ms has expired */
    LACQUER_ERR_BUSY = -7       /* another thread's call on this context is running; no error text
                                   is stored */
};

/* A short description of a code; accepts any number. The text is static: do not free it. */
const char *lacquer_strerror(int code);

const char *lacquer_version(void); /* "1.0.0" */

/* ---- what to paint */

/* docs/LOOKS.md describes how each one looks. */
enum lacquer_finish {
    LACQUER_CREME, LACQUER_GLOSS, LACQUER_SHEER, LACQUER_JELLY, LACQUER_SATIN, LACQUER_MATTE,
    LACQUER_PEARL, LACQUER_SHIMMER, LACQUER_GLITTER, LACQUER_METALLIC, LACQUER_CHROME,
    LACQUER_HOLOGRAPHIC, LACQUER_CAT_EYE, LACQUER_TEXTURED
};

/* The simple form: one polish for all nails. Start from lacquer_look_default(). The size of this
 * struct is fixed; for anything it cannot express use struct lacquer_full_look. */
struct lacquer_look {
    uint8_t color[3];           /* sRGB */
    enum lacquer_finish finish;
    float opacity;              /* 0..1: how much the polish hides the nail */
    float texture;              /* 0..1: how much of the nail's fine detail remains visible */
    int sheen;                  /* nonzero: keep highlights and add those of the finish */
};

struct lacquer_look lacquer_look_default(void);

/* Named swatches, looks and nail art: the built-in ones plus those in a folder (docs/LOOKS.md).
 * Threads: any, in parallel. Free it with lacquer_catalogue_close (NULL is allowed); a look made
 * from it may outlive it. */
struct lacquer_catalogue;

/* folder: NULL loads only the built-in entries. */
int lacquer_catalogue_open(struct lacquer_catalogue **catalogue, const char *folder, char *error,
                           size_t error_size);
void lacquer_catalogue_close(struct lacquer_catalogue *catalogue);

/* All entries as `lacquer looks --json` prints them, in UTF-8. The text belongs to the catalogue.
 * */
const char *lacquer_catalogue_json(const struct lacquer_catalogue *catalogue);

/* A complete look: a polish for each finger, finishes with their parameters, nail art, French tips,
 * and nails of a different shape and length. Threads: any, in parallel. Free it with
 * lacquer_full_look_free (NULL is allowed) when no call uses it any more. */
struct lacquer_full_look;

/* text: `len` bytes of JSON as described in docs/LOOKS.md, or the name of a look in the catalogue.
 * catalogue: NULL for the built-in one. An error names the offending key. */
int lacquer_full_look_new(struct lacquer_full_look **look, const char *text, size_t len,
                          struct lacquer_catalogue *catalogue, char *error, size_t error_size);
void lacquer_full_look_free(struct lacquer_full_look *look);

/* ---- opening a model */

/* Whether to try a model that is not Lacquer's own in a separate process before opening it here.
 * Engines compile what a model file contains, and some files crash them (docs/LIBRARY.md, "Foreign
 * models"). The result of the trial is stored in cache_dir. */
enum lacquer_model_check { LACQUER_CHECK_FOREIGN, LACQUER_CHECK_NEVER };

enum lacquer_tune {
    LACQUER_LATENCY,            /* lowest latency: one picture uses all threads */
    LACQUER_THROUGHPUT          /* one thread for each picture; run many contexts in parallel */
};

struct lacquer_options {
    size_t size;                /* sizeof(struct lacquer_options); 0: only the members up to
                                   `threads` are read */
    const char *model;          /* .onnx or .tflite; NULL: the model that ships with Lacquer */
    const char *engine;         /* "openvino", "triton", …; NULL: the best engine that runs here */
    const char *cache_dir;      /* where compiled models are stored; NULL: they are not stored */
    int threads;                /* 0: all cores */
    const char *precision;      /* "f32", "bf16"; NULL: the fastest that is accurate enough */
    enum lacquer_tune tune;
    enum lacquer_model_check check;
    float confidence_min;       /* 0..1: nails below it are dropped; 0: the model's own threshold */
    /* For an engine that runs on a server. `servers` holds up to 8 addresses of the form
     * [http://]HOST[:PORT][/PATH], separated by commas. */
    const char *servers;
    const char *server_model;   /* the model's name on the server; NULL: the model file's stem */
    const char *fallback;       /* engine that runs `model` while no server responds; NULL: none */
    int server_timeout_ms;      /* for one inference; 0: the default */
};

#define LACQUER_OPTIONS_INIT                                                                      \
    {sizeof(struct lacquer_options), NULL, NULL, NULL, 0, NULL, LACQUER_LATENCY,                  \
     LACQUER_CHECK_FOREIGN, 0, NULL, NULL, NULL, 0}

struct lacquer;

/* Loads the model, which takes from 0.1 s to several seconds. options may be NULL. On failure
 * *context is NULL, and a line of text is written to `error` unless that is NULL. Any thread may
 * call it. */
int lacquer_open(struct lacquer **context, const struct lacquer_options *options, char *error,
                 size_t error_size);

/* Creates another context on the same model, for another thread. The call counts as a use of
 * `from`. */
int lacquer_share(struct lacquer **context, struct lacquer *from);

/* context may be NULL. The model is freed with the last context that shares it. */
void lacquer_close(struct lacquer *context);

/* The error text of the last failed call on this context. */
const char *lacquer_error(const struct lacquer *context);

/* Describes what was opened: {"version", "engine", "model", "head", "precision", "sizes"}. */
int lacquer_describe(struct lacquer *context, const char **json);

/* Names of the engines compiled into this build, best first; NULL past the last one. */
const char *lacquer_engine_name(int index);

/* LACQUER_OK when the engine can run here; otherwise a code, and the reason in `error`. */
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

/* State kept across the frames of one video: ids, motion, outlines and hands. Threads: any; frames
 * of one video are processed one at a time. Free it with lacquer_video_free (NULL is allowed) when
 * no call uses it any more. */
struct lacquer_video;

int lacquer_video_new(struct lacquer_video **video);
void lacquer_video_free(struct lacquer_video *video);
/* Call it after a cut, while no frame of this video is being processed: the next frame starts a new
 * sequence, at any time_us, and its nails get unused ids. */
void lacquer_video_reset(struct lacquer_video *video);

enum lacquer_flags {
    LACQUER_MULTI_SCALE = 1,    /* stills: run the network again on the whole picture and on windows
                                   around the nails, also mirrored; outlines are finer, for 5 to 7
                                   times the work */
    LACQUER_FIND_HANDS = 2,     /* estimate directions and fingers from the hands. In a video this
                                   costs at most one run of a second network per hand and frame */
    LACQUER_NO_SMOOTHING = 4,   /* videos: track ids only; each frame keeps its own outlines */
    LACQUER_PROPAGATE = 8,      /* videos: for up to two of every three frames, move the last
                                   frame's nails instead of detecting them, at a tenth of the
                                   work */
    LACQUER_SHRINK = 16         /* files: decode a JPEG or WebP over 64 megapixels smaller */
};

enum lacquer_format { LACQUER_FORMAT_SAME, LACQUER_JPEG, LACQUER_PNG, LACQUER_WEBP };

/* What to do with one picture. */
struct lacquer_request {
    size_t size;                /* sizeof(struct lacquer_request) */
    const struct lacquer_look *look;           /* what to paint: set this member … */
    const struct lacquer_full_look *full_look; /* … or this one; if both are NULL, nails are only
                                                  detected */
    struct lacquer_video *video; /* the video this frame belongs to; NULL: a still */
    uint64_t time_us;           /* … and the frame's time, on a clock that never goes back */
    unsigned flags;             /* enum lacquer_flags, or'ed */
    enum lacquer_format format; /* of an encoded reply; SAME: PNG if the input is PNG or has alpha,
                                   else JPEG */
    int quality;                /* 1..100 for JPEG and WebP; 0: 92 */
    int timeout_ms;             /* checked between stages: LACQUER_ERR_TIMEOUT when over; 0: none */
};

#define LACQUER_REQUEST_INIT                                                                      \
    {sizeof(struct lacquer_request), NULL, NULL, NULL, 0, 0, LACQUER_FORMAT_SAME, 0, 0}

enum lacquer_stage {
    LACQUER_DECODE, LACQUER_PREPARE, LACQUER_INFER, LACQUER_NAILS, LACQUER_PAINT, LACQUER_ENCODE,
    LACQUER_STAGES
};

/* The result of processing one picture. */
struct lacquer_response {
    size_t size;                /* set it to sizeof(struct lacquer_response) before the call */
    int width, height;          /* of the picture after it was turned upright */
    int nail_count;
    const struct lacquer_nail *nails;
    const uint8_t *bytes;       /* lacquer_process_file: the painted file; NULL: nothing was painted
                                   */
    size_t bytes_len;
    enum lacquer_format format; /* … and its format */
    int passes;                 /* number of times the detection network ran */
    int propagated;             /* nonzero: nails were propagated from the last frame */
    uint32_t stage_us[LACQUER_STAGES]; /* microseconds */
    uint32_t total_us;
};

#define LACQUER_RESPONSE_INIT                                                                     \
    {sizeof(struct lacquer_response), 0, 0, 0, NULL, NULL, 0, LACQUER_FORMAT_SAME, 0, 0,          \
     {0, 0, 0, 0, 0, 0}, 0}

/* Order of the bytes in memory, 8 bits each; alpha is not changed. OpenCV uses BGR. */
enum lacquer_pixel_format { LACQUER_RGB, LACQUER_RGBA, LACQUER_BGR, LACQUER_BGRA };

struct lacquer_image {
    uint8_t *pixels;            /* first pixel of the top row; painted in place */
    int width, height;          /* 1..16384 */
    size_t stride;              /* bytes from one row to the next */
    enum lacquer_pixel_format format;
};

/* Finds nails in the pixels and paints them in place. response may be NULL. On failure the pixels
 * are unchanged, unless painting itself failed (LACQUER_ERR_MEMORY). */
int lacquer_process_pixels(struct lacquer *context, const struct lacquer_request *request,
                           const struct lacquer_image *image, struct lacquer_response *response);

/* Does the same for the bytes of a JPEG, PNG, WebP or AVIF file (HEIC too where libheif.so.1 is
 * installed). response->bytes is a painted, upright file of the same size; its colour profile is
 * kept and is used for painting. */
int lacquer_process_file(struct lacquer *context, const struct lacquer_request *request,
                         const void *bytes, size_t len, struct lacquer_response *response);

/* Draws the coverage 0..255 of all nails of the last response into `mask`. width and height must be
 * those of the picture; rows are `stride` bytes apart. */
int lacquer_mask(struct lacquer *context, uint8_t *mask, int width, int height, size_t stride);

/* The last response as JSON, with the keys of `lacquer apply --json` and the geometry of each nail.
 * */
int lacquer_response_json(struct lacquer *context, const char **json);

/* ---- settings of the whole process */

enum lacquer_log_level { LACQUER_LOG_ERROR, LACQUER_LOG_WARNING, LACQUER_LOG_INFO,
                         LACQUER_LOG_DEBUG };

/* Sets the function that receives warnings which are not errors, such as an unused cache or an
 * unknown key. NULL, the initial state, discards them. The function may be called from any thread,
 * one call at a time; it must not call the library. It never receives pixels or tokens. */
void lacquer_set_log(void (*log)(void *user, enum lacquer_log_level level, const char *text),
                     void *user);

/* ---- names of the first version, kept for one more version */

/* As lacquer_process_pixels for a still; 3 or 4 channels mean RGB or RGBA. nails and count may be
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
