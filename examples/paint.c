/* Paints the nails of one picture with liblacquer, and prints where they are.
 *
 *   cc examples/paint.c $(pkg-config --cflags --libs lacquer) -o paint
 *   ./paint hand.jpg painted.jpg
 */
#include <lacquer.h>

#include <stdio.h>
#include <stdlib.h>

static unsigned char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    unsigned char *bytes = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        bytes = size > 0 ? malloc((size_t)size) : NULL;
        *len = bytes ? fread(bytes, 1, (size_t)size, file) : 0;
    }
    fclose(file);
    return bytes;
}

static int write_file(const char *path, const unsigned char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    size_t written = fwrite(bytes, 1, len, file);
    return fclose(file) == 0 && written == len ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s IN.jpg OUT.jpg\n", argv[0]);
        return 2;
    }
    size_t len = 0, out_len;
    unsigned char *bytes = read_file(argv[1], &len);
    if (!bytes) {
        fprintf(stderr, "cannot read '%s'\n", argv[1]);
        return 1;
    }

    char error[256];
    struct lacquer *lacquer;
    if (lacquer_open(&lacquer, NULL, error, sizeof error) != LACQUER_OK) {
        fprintf(stderr, "%s\n", error);
        free(bytes);
        return 1;
    }

    struct lacquer_look look = lacquer_look_default();
    look.finish = LACQUER_GLOSS;
    const struct lacquer_nail *nails;
    const unsigned char *out;
    int count, failed = 0;
    if (lacquer_file(lacquer, bytes, len, &look, 92, &out, &out_len, &nails, &count) !=
        LACQUER_OK) {
        fprintf(stderr, "%s\n", lacquer_error(lacquer));
        failed = 1;
    } else if (write_file(argv[2], out, out_len) != 0) {
        fprintf(stderr, "cannot write '%s'\n", argv[2]);
        failed = 1;
    } else {
        for (int i = 0; i < count; i++)
            printf("nail %d at %.0f,%.0f: %.0f x %.0f px\n", nails[i].id, nails[i].center_x,
                   nails[i].center_y, nails[i].length, nails[i].width);
    }
    lacquer_close(lacquer);
    free(bytes);
    return failed;
}
