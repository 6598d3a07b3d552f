#include "cli/quantize_pictures.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/limits.h"
#include "eval/raw_mask.h"

// ---- the folder

static int is_picture(const struct dirent *entry)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic"};
    const char *dot = strrchr(entry->d_name, '.');
    for (size_t i = 0; dot && dot != entry->d_name && i < LQ_COUNT(endings); i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return 1;
    return 0;
}

int lq_quantize_list(const char *folder, int wanted, char ***paths, int *count,
                     struct lq_error *err)
{
    struct dirent **names;
    int found = scandir(folder, &names, is_picture, alphasort);
    if (found < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot open folder '%.200s': %s", folder, strerror(errno));
    *count = found < wanted ? found : wanted;
    *paths = calloc((size_t)*count + 1, sizeof **paths);
    bool fine = *paths != NULL;
    for (int i = 0; i < *count && fine; i++) {
        const char *name = names[(int64_t)i * found / *count]->d_name;
        fine = asprintf(&(*paths)[i], "%s/%s", folder, name) >= 0;
    }
    for (int i = 0; i < found; i++)
        free(names[i]);
    free(names);
    if (!fine)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    return found ? LQ_OK
                 : lq_fail(err, LQ_ERR_IO, "no pictures in '%.200s' (.jpg, .jpeg, .png, .webp, "
                           ".avif, .heic): give a folder of photos as the network will see them",
                           folder);
}

// ---- one picture

static int decode(struct lq_quantize_pictures *pictures, int index, struct lq_error *err)
{
    const char *path = pictures->paths[index];
    int status = lq_file_read(path, &pictures->file, err);
    const struct lq_picture_file file = {pictures->file.data, pictures->file.len,
                                         LQ_PICTURE_PIXELS_MAX};
    if (status == LQ_OK)
        status = lq_codec_decode(pictures->codec, &file, &pictures->pixels, &pictures->picture,
                                 NULL, err);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "'%.200s'", path);
}

static const struct lq_size *nearest(const struct lq_quantize_pictures *pictures)
{
    int chosen = 0;
    for (int i = 1; i < pictures->size_count; i++)
        if (lq_prepare_distance(&pictures->sizes[i], &pictures->picture) <
            lq_prepare_distance(&pictures->sizes[chosen], &pictures->picture))
            chosen = i;
    return &pictures->sizes[chosen];
}

int lq_quantize_get(void *context, int index, const struct lq_tensor **input,
                    struct lq_error *err)
{
    struct lq_quantize_pictures *pictures = context;
    *input = &pictures->tensor;
    if (pictures->held == index)
        return LQ_OK;
    pictures->held = -1;
    int status = decode(pictures, index, err);
    if (status != LQ_OK)
        return status;
    const struct lq_size *size = nearest(pictures);
    if (lq_buf_resize(&pictures->data, 12 * (size_t)size->width * (size_t)size->height) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for a picture");
    bool first = pictures->input.channels_first;
    pictures->tensor = (struct lq_tensor){
        .type = LQ_TENSOR_F32, .rank = 4, .data = pictures->data.data,
        .dims = {1, first ? 3 : size->height, first ? size->height : size->width,
                 first ? size->width : 3}};
    struct lq_resize_target target = {.data = pictures->tensor.data, .channels_first = first,
                                      .tensor_width = size->width, .tensor_height = size->height};
    lq_prepare_place(&target, &pictures->sidecar, pictures->letterbox, &pictures->picture);
    status = lq_resizer_run(pictures->resizer, &pictures->picture, &target, err);
    if (status == LQ_OK)
        pictures->held = index;
    return status;
}

// ---- opening

static int describe(struct lq_quantize_pictures *pictures, const char *model, struct lq_error *err)
{
    struct lq_tensors tensors = {0};
    const struct lq_engine_source source = {.path = model, .name = pictures->source};
    const struct lq_engine_ops *ops = lq_engine_find("openvino", err);
    struct lq_engine_model *read = NULL;
    int status = ops ? ops->read(&read, &source, err) : LQ_ERR_UNAVAILABLE;
    if (status == LQ_OK) {
        tensors = read->tensors;
        ops->forget(read);
    }
    if (status == LQ_OK)
        status = lq_sidecar_read(&pictures->sidecar, pictures->source, err);
    if (status == LQ_OK && (tensors.input_count != 1 || tensors.inputs[0].type != LQ_TENSOR_F32))
        status = lq_fail(err, LQ_ERR_MODEL, "'%.150s' has %d inputs, the first of type %s: only "
                         "networks with one picture in, in float32, can be calibrated with "
                         "pictures", pictures->source, tensors.input_count,
                         lq_tensor_type_name(tensors.inputs[0].type));
    if (status == LQ_OK)
        status = lq_input_decide(&pictures->input, &tensors, &pictures->sidecar, err);
    if (status != LQ_OK)
        return status;
    lq_prepare_normalise(&pictures->sidecar, &tensors);
    pictures->size_count = lq_prepare_sizes(pictures->sizes, &pictures->sidecar, &pictures->input,
                                            &tensors);
    pictures->letterbox = pictures->sidecar.resize == LQ_SIDECAR_RESIZE_ANY
                              ? lq_has_yolo_shapes(&tensors)
                              : pictures->sidecar.resize == LQ_SIDECAR_LETTERBOX;
    return LQ_OK;
}

// Decodes each picture once before anything is computed, so that a damaged one is reported at the
// start and not in the middle.
static int leave_out_bad(struct lq_quantize_pictures *pictures, struct lq_error *err)
{
    int kept = 0;
    for (int i = 0; i < pictures->count; i++) {
        if (decode(pictures, i, pictures->bad_count ? err : &pictures->first_bad) == LQ_OK) {
            char *path = pictures->paths[i];
            pictures->paths[i] = pictures->paths[kept];
            pictures->paths[kept++] = path;
        } else {
            pictures->bad_count++;
        }
    }
    for (int i = kept; i < pictures->count; i++)
        free(pictures->paths[i]);
    pictures->count = kept;
    return kept ? LQ_OK
                : lq_fail(err, LQ_ERR_CORRUPT, "none of %d pictures can be read; the first: %s",
                          pictures->bad_count, pictures->first_bad.text);
}

int lq_quantize_pictures_open(struct lq_quantize_pictures *pictures, char **paths, int count,
                              const char *model, const char *source, struct lq_error *err)
{
    *pictures = (struct lq_quantize_pictures){.paths = paths, .count = count, .held = -1,
                                              .source = source};
    lq_buf_init(&pictures->file, LQ_FILE_BYTES_MAX);
    lq_buf_init(&pictures->pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 10);
    lq_buf_init(&pictures->data, INT32_MAX);
    lq_buf_init(&pictures->mask, LQ_PICTURE_PIXELS_MAX);
    int status = lq_codec_new(&pictures->codec, err);
    if (status == LQ_OK && lq_resizer_new(&pictures->resizer) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (status == LQ_OK)
        status = leave_out_bad(pictures, err);
    return status == LQ_OK ? describe(pictures, model, err) : status;
}

void lq_quantize_pictures_close(struct lq_quantize_pictures *pictures)
{
    for (int i = 0; i < pictures->count; i++)
        free(pictures->paths[i]);
    free(pictures->paths);
    for (int i = 0; i < pictures->painted_count; i++)
        free(pictures->painted[i]);
    lq_codec_free(pictures->codec);
    lq_resizer_free(pictures->resizer);
    lq_buf_release(&pictures->file);
    lq_buf_release(&pictures->pixels);
    lq_buf_release(&pictures->data);
    lq_buf_release(&pictures->mask);
}

// ---- what is painted

static int draw(struct lq_quantize_pictures *pictures, struct lq_runner *runner, int index,
                struct lq_image *mask, struct lq_error *err)
{
    const struct lq_patch *patches;
    int count, status = decode(pictures, index, err);
    pictures->held = -1;
    if (status == LQ_OK)
        status = lq_runner_prepare(runner, &pictures->picture, true, err);
    if (status == LQ_OK)
        status = lq_runner_infer(runner, 0, err);
    if (status == LQ_OK)
        status = lq_runner_patches(runner, &patches, &count, err);
    if (status != LQ_OK)
        return status;
    int width = pictures->picture.width, height = pictures->picture.height;
    if (lq_buf_resize(&pictures->mask, (size_t)width * (size_t)height) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for a mask");
    *mask = (struct lq_image){pictures->mask.data, width, height, 1, 8, (size_t)width};
    lq_raw_mask_draw(mask, patches, count);
    return LQ_OK;
}

static uint8_t *keep_bits(const struct lq_image *mask)
{
    size_t pixels = (size_t)mask->width * (size_t)mask->height;
    uint8_t *bits = calloc(pixels / 8 + 1, 1);
    for (size_t i = 0; bits && i < pixels; i++)
        bits[i / 8] |= (uint8_t)((mask->data[i] >= 128) << i % 8);
    return bits;
}

struct overlap {
    uint64_t both, either;
};

static void count_overlap(const struct lq_image *mask, const uint8_t *bits,
                          struct overlap *overlap)
{
    size_t pixels = (size_t)mask->width * (size_t)mask->height;
    for (size_t i = 0; i < pixels; i++) {
        bool a = mask->data[i] >= 128, b = bits[i / 8] >> i % 8 & 1;
        overlap->both += a && b;
        overlap->either += a || b;
    }
}

// With `overlap`, masks are compared; without it, they are stored.
static int draw_all(struct lq_quantize_pictures *pictures, const char *path,
                    struct overlap *overlap, struct lq_error *err)
{
    const struct lq_model_options options = {.engine = "openvino", .source = pictures->source,
                                             .precision = LQ_PRECISION_F32, .no_landmarks = true};
    struct lq_model *model = NULL;
    struct lq_runner *runner = NULL;
    int status = lq_model_open(&model, path, &options, err);
    if (status == LQ_OK)
        status = lq_runner_new(&runner, model, err);
    int wanted = pictures->count < LQ_QUANTIZE_PAINTED ? pictures->count : LQ_QUANTIZE_PAINTED;
    for (int i = 0; i < wanted && status == LQ_OK; i++) {
        struct lq_image mask;
        status = draw(pictures, runner, (int)((int64_t)i * pictures->count / wanted), &mask, err);
        if (status != LQ_OK)
            break;
        if (overlap)
            count_overlap(&mask, pictures->painted[i], overlap);
        else if (!(pictures->painted[pictures->painted_count++] = keep_bits(&mask)))
            status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for a mask");
    }
    lq_runner_free(runner);
    lq_model_close(model);
    return status;
}

int lq_quantize_painted(struct lq_quantize_pictures *pictures, const char *model,
                        const char *path, double *iou, struct lq_error *err)
{
    struct overlap overlap = {0};
    *iou = NAN;
    if (pictures->unpainted[0])
        return LQ_OK;
    if (pictures->painted_count == 0 && draw_all(pictures, model, NULL, err) != LQ_OK) {
        if (err->status == LQ_ERR_MEMORY)
            return err->status;
        // A network of another kind: only its outputs are compared.
        snprintf(pictures->unpainted, sizeof pictures->unpainted, "%.250s", err->text);
        return LQ_OK;
    }
    int status = draw_all(pictures, path, &overlap, err);
    if (status == LQ_OK && overlap.either > 0)
        *iou = (double)overlap.both / (double)overlap.either;
    return status;
}
