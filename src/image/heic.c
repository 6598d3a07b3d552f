#include "image/heic.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "image/color.h"

// ---- the part of libheif's interface (1.x, stable) that is used ---------------------------------

enum { COLORSPACE_RGB = 1, CHROMA_RGB = 10, CHROMA_RGBA = 11, CHANNEL_INTERLEAVED = 10 };

struct heif_context;
struct heif_handle;
struct heif_picture;

struct heif_error {
    int code;
    int subcode;
    const char *message;
};

struct heif_nclx {
    uint8_t version;
    int primaries;
    int transfer; // more members follow that are not read
};

// Allocated by the library, whose struct has more members after these.
struct heif_options {
    uint8_t version;
    uint8_t ignore_transformations;
    void (*start_progress)(void);
    void (*on_progress)(void);
    void (*end_progress)(void);
    void *progress_user_data;
    uint8_t to_8_bits; // since version 2
};

static struct {
    pthread_once_t once;
    bool there;
    struct heif_context *(*context_alloc)(void);
    void (*context_free)(struct heif_context *);
    struct heif_error (*read)(struct heif_context *, const void *, size_t, const void *);
    void (*limit_side)(struct heif_context *, int);
    struct heif_error (*primary)(struct heif_context *, struct heif_handle **);
    void (*handle_release)(const struct heif_handle *);
    int (*width)(const struct heif_handle *);
    int (*height)(const struct heif_handle *);
    int (*has_alpha)(const struct heif_handle *);
    size_t (*icc_size)(const struct heif_handle *);
    struct heif_error (*icc)(const struct heif_handle *, void *);
    struct heif_error (*nclx)(const struct heif_handle *, struct heif_nclx **);
    void (*nclx_free)(struct heif_nclx *);
    struct heif_options *(*options_alloc)(void);
    void (*options_free)(struct heif_options *);
    struct heif_error (*decode)(const struct heif_handle *, struct heif_picture **, int, int,
                                const struct heif_options *);
    int (*picture_width)(const struct heif_picture *, int);
    int (*picture_height)(const struct heif_picture *, int);
    const uint8_t *(*plane)(const struct heif_picture *, int, int *);
    void (*picture_release)(const struct heif_picture *);
} heif = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
    const struct {
        const char *name;
        void *at;
    } wanted[] = {
        {"heif_context_alloc", &heif.context_alloc},
        {"heif_context_free", &heif.context_free},
        {"heif_context_read_from_memory_without_copy", &heif.read},
        {"heif_context_set_maximum_image_size_limit", &heif.limit_side},
        {"heif_context_get_primary_image_handle", &heif.primary},
        {"heif_image_handle_release", &heif.handle_release},
        {"heif_image_handle_get_width", &heif.width},
        {"heif_image_handle_get_height", &heif.height},
        {"heif_image_handle_has_alpha_channel", &heif.has_alpha},
        {"heif_image_handle_get_raw_color_profile_size", &heif.icc_size},
        {"heif_image_handle_get_raw_color_profile", &heif.icc},
        {"heif_image_handle_get_nclx_color_profile", &heif.nclx},
        {"heif_nclx_color_profile_free", &heif.nclx_free},
        {"heif_decoding_options_alloc", &heif.options_alloc},
        {"heif_decoding_options_free", &heif.options_free},
        {"heif_decode_image", &heif.decode},
        {"heif_image_get_width", &heif.picture_width},
        {"heif_image_get_height", &heif.picture_height},
        {"heif_image_get_plane_readonly", &heif.plane},
        {"heif_image_release", &heif.picture_release},
    };
    void *library = dlopen("libheif.so.1", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < LQ_COUNT(wanted); i++) {
        void *symbol = dlsym(library, wanted[i].name);
        if (!symbol)
            return;
        memcpy(wanted[i].at, &symbol, sizeof symbol);
    }
    heif.there = library != NULL;
}

// ---- decoding -----------------------------------------------------------------------------------

static int fail_heif(struct lq_error *err, struct heif_error error)
{
    return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the HEIC: %.150s",
                   error.message ? error.message : "no reason given");
}

// Copies to `image`, whose size and channels are those that the header announced.
static int copy_pixels(const struct heif_picture *decoded, const struct lq_image *image,
                       struct lq_error *err)
{
    int stride = 0;
    size_t row_len = (size_t)image->width * (size_t)image->channels;
    const uint8_t *plane = heif.plane(decoded, CHANNEL_INTERLEAVED, &stride);
    if (!plane || heif.picture_width(decoded, CHANNEL_INTERLEAVED) != image->width ||
        heif.picture_height(decoded, CHANNEL_INTERLEAVED) != image->height ||
        stride < (int)row_len)
        return lq_fail(err, LQ_ERR_CORRUPT, "cannot decode the HEIC: its sizes differ");
    for (int y = 0; y < image->height; y++)
        memcpy(lq_image_row(image, y), plane + (size_t)y * (size_t)stride, row_len);
    return LQ_OK;
}

static int decode_handle(const struct heif_handle *handle, struct lq_stored_picture *picture,
                         struct lq_error *err)
{
    struct heif_picture *decoded = NULL;
    struct heif_options *options = heif.options_alloc();
    if (!options)
        return lq_fail(err, LQ_ERR_MEMORY, "no room for the picture");
    if (options->version >= 2)
        options->to_8_bits = 1;
    int channels = heif.has_alpha(handle) ? 4 : 3;
    struct heif_error error = heif.decode(handle, &decoded, COLORSPACE_RGB,
                                          channels == 4 ? CHROMA_RGBA : CHROMA_RGB, options);
    heif.options_free(options);
    if (error.code || !decoded)
        return fail_heif(err, error);
    int status = lq_image_alloc(&picture->image, picture->pixels, heif.width(handle),
                                heif.height(handle), channels, 8);
    if (status == LQ_OK)
        status = copy_pixels(decoded, &picture->image, err);
    else
        lq_fail(err, status, "no room for the picture");
    heif.picture_release(decoded);
    return status;
}

static int read_profile(const struct heif_handle *handle, struct lq_buf *icc)
{
    struct heif_nclx *nclx = NULL;
    size_t size = heif.icc_size(handle);
    lq_buf_clear(icc);
    if (size > icc->max)
        return LQ_OK;
    if (size > 0) {
        int status = lq_buf_resize(icc, size);
        if (status == LQ_OK && heif.icc(handle, icc->data).code)
            lq_buf_clear(icc);
        return status;
    }
    if (heif.nclx(handle, &nclx).code || !nclx)
        return LQ_OK;
    int status = lq_color_profile_of_codes(nclx->primaries, nclx->transfer, icc);
    heif.nclx_free(nclx);
    return status;
}

static int decode_primary(struct heif_context *context, size_t pixels_max,
                          struct lq_stored_picture *picture, struct lq_picture_info *info,
                          struct lq_error *err)
{
    struct heif_handle *handle = NULL;
    struct heif_error error = heif.primary(context, &handle);
    if (error.code || !handle)
        return fail_heif(err, error);
    int width = heif.width(handle), height = heif.height(handle);
    int status = lq_image_check_size(width > 0 ? (uint32_t)width : 0,
                                     height > 0 ? (uint32_t)height : 0, pixels_max, err);
    if (status == LQ_OK)
        status = decode_handle(handle, picture, err);
    if (status == LQ_OK && info) {
        info->kind = LQ_PICTURE_HEIC;
        info->source_channels = picture->image.channels;
        info->source_depth = 8;
        if (read_profile(handle, &info->icc) != LQ_OK)
            status = lq_fail(err, LQ_ERR_MEMORY, "no room for the colour profile");
    }
    heif.handle_release(handle);
    return status;
}

int lq_heic_decode(const struct lq_picture_file *file, struct lq_stored_picture *picture,
                   struct lq_picture_info *info, struct lq_error *err)
{
    pthread_once(&heif.once, load);
    if (!heif.there)
        return lq_fail(err, LQ_ERR_FORMAT, "the file is a HEIC, for which libheif is needed "
                       "(Debian: apt-get install libheif1); or save it as a JPEG");
    struct heif_context *context = heif.context_alloc();
    if (!context)
        return lq_fail(err, LQ_ERR_MEMORY, "no room for the picture");
    heif.limit_side(context, LQ_PICTURE_SIDE_MAX);
    struct heif_error error = heif.read(context, file->bytes, file->len, NULL);
    int status = error.code ? fail_heif(err, error)
                            : decode_primary(context, file->pixels_max, picture, info, err);
    heif.context_free(context);
    return status;
}
