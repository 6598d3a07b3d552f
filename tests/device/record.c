// Records how the native build of src/device processes pictures, so that lacquer.wasm can be
// compared with it (tests/e2e/device-parity.mjs): each picture's pixels, the inputs and outputs of
// the networks (the real ones, run by OpenVINO), and the reply's bytes.
//
//   device-record OUT NAIL.onnx HAND.onnx [--video] PICTURE.jpg … [--video PICTURE.jpg …]
//
// Pictures are stills; those after --video are frames of a video, 33 ms apart.
// The file: 32-bit little-endian words. A picture: 'P', id, still, microseconds, width, height,
// RGBA; a run: 'R', network, width, height, count of inputs and each SAMPLEth of them, then count
// of each of three outputs and its floats; the reply: 'A', bytes, the bytes padded to 4.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "device/device.h"
#include "device/network.h"
#include "engine/list.h"
#include "image/codec.h"

enum { SIZES = 3, SAMPLE = 5 };
static const int32_t sizes[SIZES][2] = {{384, 288}, {288, 384}, {320, 320}};

static FILE *out;
static struct network {
    struct lq_engine *engine;
    struct lq_request *request;
} nets[SIZES + 1]; // the last one: the hand's

static void put(uint32_t word)
{
    fwrite(&word, 4, 1, out);
}

static void put_floats(const float *floats, size_t count)
{
    put((uint32_t)count);
    fwrite(floats, 4, count, out);
}

static struct network *network_of(int which, int width, int height)
{
    for (int i = 0; i < SIZES && which == LQ_MIRROR_NAILS; i++)
        if (sizes[i][0] == width && sizes[i][1] == height)
            return &nets[i];
    return &nets[SIZES];
}

int lq_mirror_run(int which, const float *input, int width, int height, float *const outputs[3])
{
    struct network *network = network_of(which, width, height);
    const struct lq_tensors *tensors = lq_engine_openvino.request_tensors(network->request);
    memcpy(tensors->inputs[0].data, input, lq_tensor_bytes(&tensors->inputs[0]));
    int status = lq_engine_openvino.run(network->request, 0, NULL);
    put('R');
    put((uint32_t)which);
    put((uint32_t)width);
    put((uint32_t)height);
    size_t inputs = (lq_tensor_count(&tensors->inputs[0]) + SAMPLE - 1) / SAMPLE;
    put((uint32_t)inputs);
    for (size_t i = 0; i < inputs; i++)
        fwrite(&input[i * SAMPLE], 4, 1, out);
    for (int i = 0; i < 3; i++) {
        size_t count = outputs[i] ? lq_tensor_count(&tensors->outputs[i]) : 0;
        if (count)
            memcpy(outputs[i], tensors->outputs[i].data, count * sizeof(float));
        put_floats(outputs[i], count);
    }
    return status;
}

static int open_network(struct network *network, const char *path, const int32_t size[2],
                        struct lq_error *err)
{
    struct lq_engine_options options = {.precision = LQ_PRECISION_F32, .tune = LQ_TUNE_LATENCY,
                                        .threads = 1};
    if (size) {
        options.shape_rank = 4;
        memcpy(options.shape, (int64_t[]){1, 3, size[1], size[0]}, 4 * sizeof(int64_t));
    }
    struct lq_engine_model *model;
    int status = lq_engine_openvino.read(&model, &(struct lq_engine_source){.path = path}, err);
    if (status == LQ_OK)
        status = lq_engine_openvino.compile(&network->engine, model, &options, err);
    lq_engine_openvino.forget(model);
    return status == LQ_OK
               ? lq_engine_openvino.request_new(&network->request, network->engine, err)
               : status;
}

static int look_at(struct lq_mirror *mirror, const struct lq_image *image, uint32_t id, bool still)
{
    uint8_t *pixels = lq_mirror_picture(mirror, image->width, image->height);
    struct lq_mirror_look look = {.id = id, .still = still, .time_us = 1000 + 33000.0 * id};
    if (!pixels)
        return LQ_ERR_MEMORY;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++, pixels += 4) {
            memcpy(pixels, lq_image_row(image, y) + (size_t)x * (size_t)image->channels, 3);
            pixels[3] = 255;
        }
    size_t bytes = 4 * (size_t)image->width * (size_t)image->height;
    const uint32_t words[] = {'P', id, still, (uint32_t)look.time_us, (uint32_t)image->width,
                              (uint32_t)image->height};
    fwrite(words, 4, LQ_COUNT(words), out);
    fwrite(pixels - bytes, 1, bytes, out);
    int status = lq_mirror_find(mirror, &look);
    if (status != LQ_OK)
        return status;
    size_t len = lq_mirror_reply_bytes(mirror);
    put('A');
    put((uint32_t)len);
    fwrite(lq_mirror_reply(mirror), 1, len, out);
    fwrite("\0\0\0", 1, (4 - len % 4) % 4, out);
    return LQ_OK;
}

static int record(struct lq_mirror *mirror, char **paths, struct lq_error *err)
{
    struct lq_codec *codec = NULL;
    struct lq_buf file, pixels;
    lq_buf_init(&file, 64 << 20);
    lq_buf_init(&pixels, 256 << 20);
    int status = lq_codec_new(&codec, err);
    bool video = false;
    uint32_t id = 0;
    for (char **path = paths; *path && status == LQ_OK; path++) {
        struct lq_image image;
        if (strcmp(*path, "--video") == 0) {
            video = true;
            continue;
        }
        status = lq_file_read(*path, &file, err);
        if (status == LQ_OK)
            status = lq_codec_decode(codec, &(struct lq_picture_file){file.data, file.len, 1 << 26},
                                     &pixels, &image, NULL, err);
        if (status == LQ_OK) {
            status = look_at(mirror, &image, id++, !video);
            if (status != LQ_OK)
                (void)!lq_fail(err, status, "%s: %s", *path, lq_mirror_error(mirror));
        }
    }
    lq_buf_release(&file);
    lq_buf_release(&pixels);
    lq_codec_free(codec);
    return status;
}

int main(int argc, char **argv)
{
    struct lq_error err = {0};
    struct lq_mirror_networks networks = {SIZES, {{0}}, 0.5f, 1};
    memcpy(networks.sizes, sizes, sizeof sizes);
    if (argc < 5) {
        fprintf(stderr, "usage: device-record OUT NAIL.onnx HAND.onnx PICTURE… [--video …]\n");
        return 2;
    }
    out = fopen(argv[1], "wb");
    int status = out ? LQ_OK : lq_fail(&err, LQ_ERR_IO, "cannot write '%s'", argv[1]);
    for (int i = 0; i < SIZES && status == LQ_OK; i++)
        status = open_network(&nets[i], argv[2], sizes[i], &err);
    if (status == LQ_OK)
        status = open_network(&nets[SIZES], argv[3], NULL, &err);
    struct lq_mirror *mirror = status == LQ_OK ? lq_mirror_open(&networks) : NULL;
    if (mirror)
        status = record(mirror, argv + 4, &err);
    lq_mirror_close(mirror);
    for (int i = 0; i <= SIZES; i++) {
        lq_engine_openvino.request_free(nets[i].request);
        lq_engine_openvino.close(nets[i].engine);
    }
    bool written = out && fclose(out) == 0;
    if (status != LQ_OK || !mirror || !written)
        fprintf(stderr, "device-record: %s\n", err.text[0] ? err.text : "failed");
    return status == LQ_OK && mirror && written ? 0 : 1;
}
