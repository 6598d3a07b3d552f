#include "cli/tune_pictures.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/limits.h"

static int is_picture(const struct dirent *entry)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp", ".avif"};
    const char *dot = strrchr(entry->d_name, '.');
    for (size_t i = 0; dot && dot != entry->d_name && i < LQ_COUNT(endings); i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return 1;
    return 0;
}

// Stores offsets first, because the buffers move while they grow.
static int read_one(struct lq_tune_pictures *pictures, const char *folder, const char *name,
                    struct lq_buf *file, struct lq_error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return lq_fail(err, LQ_ERR_ARGUMENT, "path too long: '%.60s…'", folder);
    int status = lq_file_read(path, file, err);
    if (status != LQ_OK)
        return status;
    struct lq_tune_picture *one = &pictures->items[pictures->count];
    one->len = file->len;
    if (lq_buf_append(&pictures->bytes, file->data, file->len) != LQ_OK ||
        lq_buf_append(&pictures->names, name, strlen(name) + 1) != LQ_OK)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "the pictures in '%.150s' have more than %d MiB",
                       folder, LQ_TUNE_PICTURE_BYTES_MAX >> 20);
    pictures->count++;
    return LQ_OK;
}

static void settle(struct lq_tune_pictures *pictures)
{
    const uint8_t *bytes = pictures->bytes.data;
    const char *name = (const char *)pictures->names.data;
    for (int i = 0; i < pictures->count; i++) {
        pictures->items[i].bytes = bytes;
        pictures->items[i].name = name;
        bytes += pictures->items[i].len;
        name += strlen(name) + 1;
    }
}

static int read_folder(struct lq_tune_pictures *pictures, const char *folder, struct lq_error *err)
{
    struct dirent **names = NULL;
    struct lq_buf file;
    int status = LQ_OK, count = scandir(folder, &names, is_picture, alphasort);
    if (count <= 0) {
        free(names);
        return lq_fail(err, LQ_ERR_IO, "no pictures in '%.200s'%s%s; --images takes a folder of "
                       ".jpg, .png, .webp or .avif files", folder, count < 0 ? ": " : "",
                       count < 0 ? strerror(errno) : "");
    }
    lq_buf_init(&file, LQ_FILE_BYTES_MAX);
    for (int i = 0; i < count && i < LQ_TUNE_PICTURES_MAX && status == LQ_OK; i++)
        status = read_one(pictures, folder, names[i]->d_name, &file, err);
    pictures->left_out = count > LQ_TUNE_PICTURES_MAX ? count - LQ_TUNE_PICTURES_MAX : 0;
    settle(pictures);
    lq_buf_release(&file);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return status;
}

int lq_tune_pictures_read(struct lq_tune_pictures *pictures, const char *folder,
                          struct lq_error *err)
{
    *pictures = (struct lq_tune_pictures){0};
    lq_buf_init(&pictures->bytes, LQ_TUNE_PICTURE_BYTES_MAX);
    lq_buf_init(&pictures->names, 64 << 10);
    if (folder)
        return read_folder(pictures, folder, err);
    for (; lq_tune_builtin[pictures->count].name; pictures->count++)
        pictures->items[pictures->count] = lq_tune_builtin[pictures->count];
    return LQ_OK;
}

void lq_tune_pictures_release(struct lq_tune_pictures *pictures)
{
    lq_buf_release(&pictures->bytes);
    lq_buf_release(&pictures->names);
}
