/* Threads with contexts of one model, videos of their own and one look: all must paint the same.
 *
 *   threads MODEL THREADS FRAMES
 */
#include <lacquer.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 96, HEIGHT = 64, BYTES = WIDTH * HEIGHT * 3, THREADS_MAX = 16 };

static struct lacquer_full_look *look;
static int frames;

struct worker {
    pthread_t thread;
    struct lacquer *context;
    unsigned char pixels[BYTES];
    int nails, failed;
};

static void *paint(void *own)
{
    struct worker *worker = own;
    struct lacquer_video *video = NULL;
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    struct lacquer_image image = {worker->pixels, WIDTH, HEIGHT, WIDTH * 3, LACQUER_BGR};
    worker->failed = lacquer_video_new(&video) != LACQUER_OK;
    request.full_look = look;
    request.video = video;
    for (int i = 0; i < frames && !worker->failed; i++) {
        for (int at = 0; at < BYTES; at++)
            worker->pixels[at] = (unsigned char)(at * 7 + i);
        request.time_us = (uint64_t)i * 33333;
        worker->failed = lacquer_process_pixels(worker->context, &request, &image, &response) !=
                         LACQUER_OK;
        worker->nails = response.nail_count;
    }
    lacquer_video_free(video);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MAX];
    char error[512];
    int count = argc == 4 ? (int)strtol(argv[2], NULL, 10) : 0, wrong = 0;
    struct lacquer_options options = LACQUER_OPTIONS_INIT;
    if (count < 1 || count > THREADS_MAX)
        return 2;
    frames = (int)strtol(argv[3], NULL, 10);
    options.model = argv[1];
    if (lacquer_open(&workers[0].context, &options, error, sizeof error) != LACQUER_OK ||
        lacquer_full_look_new(&look, "classic-french", 14, NULL, error, sizeof error) !=
            LACQUER_OK) {
        puts(error);
        return 1;
    }
    for (int i = 1; i < count; i++)
        wrong += lacquer_share(&workers[i].context, workers[0].context) != LACQUER_OK;
    for (int i = 0; i < count; i++)
        pthread_create(&workers[i].thread, NULL, paint, &workers[i]);
    for (int i = 0; i < count; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < count; i++) {
        wrong += workers[i].failed;
        wrong += memcmp(workers[i].pixels, workers[0].pixels, BYTES) != 0;
        lacquer_close(workers[i].context);
    }
    lacquer_full_look_free(look);
    printf("%d threads, %d nails, %d wrong\n", count, workers[0].nails, wrong);
    return wrong ? 1 : 0;
}
