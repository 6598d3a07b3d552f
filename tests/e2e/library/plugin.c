/* A host that knows liblacquer only by dlopen, twice: two instances side by side.
 *
 *   plugin LIBRARY MODEL PICTURE
 */
#include <lacquer.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned char file[1 << 20];

#define GET(name)                                                                                 \
    __typeof__(&lacquer_##name) name =                                                            \
        (__typeof__(&lacquer_##name))dlsym(library, "lacquer_" #name)

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        puts(dlerror());
        return 1;
    }
    GET(open);
    GET(close);
    GET(process_file);
    FILE *in = fopen(argv[3], "rb");
    size_t len = in ? fread(file, 1, sizeof file, in) : 0;
    char error[1024];
    struct lacquer *both[2] = {NULL, NULL};
    struct lacquer_options options = LACQUER_OPTIONS_INIT;
    options.model = argv[2];
    for (int i = 0; i < 2; i++) {
        struct lacquer_request request = LACQUER_REQUEST_INIT;
        struct lacquer_response response = LACQUER_RESPONSE_INIT;
        options.threads = i + 1;
        if (open(&both[i], &options, error, sizeof error) != LACQUER_OK) {
            puts(error);
            return 1;
        }
        if (process_file(both[i], &request, file, len, &response) != LACQUER_OK)
            return 1;
        printf("%d nails\n", response.nail_count);
    }
    close(both[0]);
    close(both[1]);
    fclose(in);
    return 0;
}
