// Every bound on foreign input, in one place. Compile-time numbers; no state.
// A limit that a user can meet has a status in base/error.h and a test that crosses it.
#pragma once

enum {
    LQ_PICTURE_SIDE_MAX = 16384,              // pixels, each side
    LQ_PICTURE_PIXELS_MAX = 64 * 1000 * 1000, // pixels in all: command line and library
    LQ_FRAME_PIXELS_MAX = 16 * 1000 * 1000,   // pixels in all: over the network
    LQ_JPEG_SCANS_MAX = 64,                   // progressive scans before a file counts as hostile
    LQ_FILE_BYTES_MAX = 256 * 1024 * 1024,    // one picture file on the command line
    LQ_MODEL_BYTES_MAX = 1024 * 1024 * 1024,  // one model file
    LQ_SIDECAR_BYTES_MAX = 64 * 1024,         // one sidecar .json
    LQ_BODY_BYTES_MAX = 16 * 1024 * 1024,     // one HTTP body
    LQ_MESSAGE_BYTES_MAX = 4 * 1024 * 1024,   // one WebSocket message
    LQ_TENSOR_BYTES_MAX = 256 * 1024 * 1024,  // one tensor from or to a server
    LQ_NAILS_MAX = 32,                        // nails in a picture
    LQ_SESSIONS_MAX = 512,                    // live sessions of a server, all transports together
    LQ_IN_FLIGHT_MAX = 2,                     // frames of one session being worked on
};
