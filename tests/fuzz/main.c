// Replays a corpus: calls a fuzz target with each file of the given folders, in order of name.
// Fails if there is no file, so that a missing corpus is noticed.
#include <dirent.h>
#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "fuzz/fuzz.h"

static int run_file(const char *path)
{
    struct lq_buf buf;
    struct lq_error error;
    lq_buf_init(&buf, LQ_FILE_BYTES_MAX);
    if (lq_file_read(path, &buf, &error) != LQ_OK) {
        fprintf(stderr, "%s\n", error.text);
        lq_buf_release(&buf);
        return 0;
    }
    // A block of exactly this length, so that AddressSanitizer detects a read past its end.
    uint8_t *bytes = malloc(buf.len ? buf.len : 1);
    FUZZ_CHECK(bytes);
    for (size_t i = 0; i < buf.len; i++)
        bytes[i] = buf.data[i];
    LLVMFuzzerTestOneInput(bytes, buf.len);
    free(bytes);
    lq_buf_release(&buf);
    return 1;
}

static int run_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), done = 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            done += run_file(path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return done;
}

int main(int argc, char **argv)
{
    int done = 0;
    for (int i = 1; i < argc; i++)
        done += run_folder(argv[i]);
    printf("%d input(s) replayed\n", done);
    return done > 0 ? 0 : 1;
}
