/* liblacquer: fingernails found and painted, in your own program.
 *
 * Threads: a context belongs to one thread at a time; different contexts run side by side.
 *          lacquer_share() makes a further context on the same loaded model.
 * Owner:   what you pass stays yours. What a call hands out (nails, masks, encoded bytes, error
 *          text) belongs to the context and is valid until the next call on it.
 * Errors:  functions return LACQUER_OK or a negative code; lacquer_error() has a line of text.
 *
 * Link with `pkg-config --cflags --libs lacquer`. examples/paint.c uses all of it.
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
    LACQUER_ERR_MEMORY = -5
};

/* docs/LOOKS.md says what each looks like. */
enum lacquer_finish {
    LACQUER_CREME, LACQUER_GLOSS, LACQUER_SHEER, LACQUER_JELLY, LACQUER_SATIN, LACQUER_MATTE,
    LACQUER_PEARL, LACQUER_SHIMMER, LACQUER_GLITTER, LACQUER_METALLIC, LACQUER_CHROME,
    LACQUER_HOLOGRAPHIC, LACQUER_CAT_EYE, LACQUER_TEXTURED
};

/* What polish to paint. lacquer_look_default() is a good start. */
struct lacquer_look {
    uint8_t color[3];           /* sRGB */
    enum lacquer_finish finish;
    float opacity;              /* 0..1, how far the polish hides the nail */
    float texture;              /* 0..1, how much of the nail's fine detail shows */
    int sheen;                  /* nonzero: keep highlights and add the finish's own */
};

/* One nail. Lengths in pixels, origin at the picture's top left corner. */
struct lacquer_nail {
    int id;                     /* 1, 2, … within the picture */
    float confidence;           /* 0..1 */
    int x, y, width, height;    /* the box of `alpha` in the picture */
    float center_x, center_y;
    float axis_x, axis_y;       /* unit vector along the nail, either direction */
    float length, breadth;      /* along and across the axis */
    const uint8_t *alpha;       /* coverage 0..255, `height` rows of `alpha_stride` bytes */
    size_t alpha_stride;
};

struct lacquer_options {
    const char *model;          /* .onnx or .tflite; NULL: the one that comes with Lacquer */
    const char *engine;         /* "openvino", …; NULL: the best that runs here */
    const char *cache_dir;      /* compiled models are kept here; NULL: nowhere */
    int threads;                /* 0: all cores */
};

struct lacquer;

const char *lacquer_version(void);
struct lacquer_look lacquer_look_default(void);

/* Loads the model. options may be NULL. On failure *context is NULL and, when error is not NULL,
 * a line of text is written there. */
int lacquer_open(struct lacquer **context, const struct lacquer_options *options, char *error,
                 size_t error_size);

/* A further context on the same model, for another thread. */
int lacquer_share(struct lacquer **context, struct lacquer *from);

/* NULL is fine. The model goes with the last context that shares it. */
void lacquer_close(struct lacquer *context);

/* What the last failed call on this context found wrong. */
const char *lacquer_error(const struct lacquer *context);

/* Finds nails in pixels (8-bit RGB or RGBA, channels 3 or 4, `stride` bytes a row) and, when look
 * is not NULL, paints them in place. *nails and *count may be NULL. */
int lacquer_frame(struct lacquer *context, uint8_t *pixels, int width, int height, int channels,
                  size_t stride, const struct lacquer_look *look,
                  const struct lacquer_nail **nails, int *count);

/* The same for the bytes of a JPEG, PNG, WebP or AVIF file, or HEIC where libheif.so.1 is: *out and
 * *out_len get a painted JPEG or PNG of the same size (a PNG for a PNG or alpha, else a JPEG), colour profile kept and painted by, upright. quality is for JPEG, 1..100. */
int lacquer_file(struct lacquer *context, const void *bytes, size_t len,
                 const struct lacquer_look *look, int quality, const uint8_t **out,
                 size_t *out_len, const struct lacquer_nail **nails, int *count);

#ifdef __cplusplus
}
#endif
#endif
