/* Paints a video, frame by frame: raw RGB frames on stdin, painted ones on stdout. Nails keep their
 * ids and their outlines are steady from frame to frame.
 *
 *   cc examples/video.c $(pkg-config --cflags --libs lacquer) -o video
 *   ffmpeg -i in.mp4 -f rawvideo -pix_fmt rgb24 - | ./video 640 480 30 french |
 *     ffmpeg -f rawvideo -pix_fmt rgb24 -s 640x480 -r 30 -i - out.mp4
 *
 * The last argument is a look: its name (`lacquer looks` lists them) or JSON (docs/LOOKS.md).
 */
#include <lacquer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct painter {
    struct lacquer *lacquer;
    struct lacquer_full_look *look;
    struct lacquer_video *video;
};

static int open_all(struct painter *painter, const char *look, char *error, size_t error_size)
{
    int code = lacquer_open(&painter->lacquer, NULL, error, error_size);
    if (code == LACQUER_OK)
        code = lacquer_full_look_new(&painter->look, look, strlen(look), NULL, error, error_size);
    if (code == LACQUER_OK && (code = lacquer_video_new(&painter->video)) != LACQUER_OK)
        snprintf(error, error_size, "%s", lacquer_strerror(code));
    return code;
}

static void close_all(struct painter *painter)
{
    lacquer_video_free(painter->video);
    lacquer_full_look_free(painter->look);
    lacquer_close(painter->lacquer);
}

/* Returns the number of frames painted, or a negative number if one failed. */
static long paint_all(struct painter *painter, unsigned char *pixels, int width, int height,
                      double fps)
{
    size_t bytes = (size_t)width * (size_t)height * 3;
    struct lacquer_image image = {pixels, width, height, (size_t)width * 3, LACQUER_RGB};
    struct lacquer_request request = LACQUER_REQUEST_INIT;
    struct lacquer_response response = LACQUER_RESPONSE_INIT;
    request.full_look = painter->look;
    request.video = painter->video;
    request.flags = LACQUER_FIND_HANDS;
    for (long frame = 0;; frame++) {
        if (fread(pixels, 1, bytes, stdin) != bytes)
            return frame;
        request.time_us = (uint64_t)((double)frame * 1e6 / fps);
        if (lacquer_process_pixels(painter->lacquer, &request, &image, &response) != LACQUER_OK)
            return -1;
        if (fwrite(pixels, 1, bytes, stdout) != bytes)
            return -1;
        for (int i = 0; i < response.nail_count; i++)
            fprintf(stderr, "frame %ld nail %d finger %d\n", frame, response.nails[i].id,
                    (int)response.nails[i].finger);
    }
}

/* Returns 0 if the text is not a number or the number exceeds `most`. */
static double number(const char *text, double most)
{
    char *end;
    double value = strtod(text, &end);
    return *text && !*end && value > 0 && value <= most ? value : 0;
}

int main(int argc, char **argv)
{
    int width = argc == 5 ? (int)number(argv[1], 16384) : 0;
    int height = argc == 5 ? (int)number(argv[2], 16384) : 0;
    double fps = argc == 5 ? number(argv[3], 1000) : 0;
    if (width < 1 || height < 1 || fps == 0) {
        fprintf(stderr, "usage: %s WIDTH HEIGHT FPS LOOK <in.rgb >out.rgb\n", argv[0]);
        return 2;
    }
    char error[256] = "";
    struct painter painter = {NULL, NULL, NULL};
    unsigned char *pixels = malloc((size_t)width * (size_t)height * 3);
    long frames = -1;
    if (!pixels)
        fprintf(stderr, "out of memory\n");
    else if (open_all(&painter, argv[4], error, sizeof error) != LACQUER_OK)
        fprintf(stderr, "%s\n", error);
    else if ((frames = paint_all(&painter, pixels, width, height, fps)) < 0)
        fprintf(stderr, "%s\n", lacquer_error(painter.lacquer));
    close_all(&painter);
    free(pixels);
    return frames < 0;
}
