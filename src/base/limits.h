// Every limit on input from outside, in one table. Threads: any; compile-time constants, no state.
// Columns: name, value, unit, what is limited, and the response when the limit is exceeded ("":
// input from outside cannot exceed it). tools/limits.py writes docs/LIMITS.md from this table and
// finds the tests that exceed each limit.
#pragma once

#define LQ_LIMIT_MAP(X)                                                                           \
    X(PICTURE_SIDE_MAX, 16384, "pixels", "each side of a picture", "413 TOO_LARGE")               \
    X(PICTURE_PIXELS_MAX, 64000000, "pixels", "a picture on the command line or in the library",  \
      "an error")                                                                                 \
    X(SOURCE_PIXELS_MAX, 256000000, "pixels",                                                     \
      "a JPEG or WebP for `apply`, which is scaled down to the limit above", "an error")          \
    X(FRAME_PIXELS_MAX, 16000000, "pixels", "a picture over the network", "413 TOO_LARGE")        \
    X(PROFILE_BYTES_MAX, 4194304, "bytes", "a colour profile; a larger one is ignored", "")       \
    X(JPEG_SCANS_MAX, 64, "scans", "a progressive JPEG", "413 TOO_LARGE")                         \
    X(FILE_BYTES_MAX, 268435456, "bytes", "a picture file on the command line", "an error")       \
    X(MODEL_BYTES_MAX, 1073741824, "bytes", "a model file", "an error")                           \
    X(SIDECAR_BYTES_MAX, 65536, "bytes", "a sidecar .json", "an error")                           \
    X(TENSOR_BYTES_MAX, 268435456, "bytes", "a recording's or a server's tensor", "an error")     \
    X(NAILS_MAX, 32, "nails", "a picture; the most confident are kept", "")                       \
    X(HEADER_BYTES_MAX, 16384, "bytes", "a request's headers", "414 or 431 TOO_LARGE")            \
    X(BODY_BYTES_MAX, 16777216, "bytes", "an HTTP body", "413 TOO_LARGE")                         \
    X(MESSAGE_BYTES_MAX, 4194304, "bytes", "a WebSocket message", "close 1009")                   \
    X(TEXT_BYTES_MAX, 65536, "bytes", "a text message on /ws", "close 1009")                      \
    X(FRAMES_BYTES_MAX, 1073741824, "bytes",                                                      \
      "all frames and replies (--max-frame-memory); the largest holder is disconnected",          \
      "503 BUSY, close 1013")                                                                     \
    X(OUTBOX_BYTES_MAX, 65536, "bytes", "messages queued for a client; more are dropped", "")     \
    X(JSON_DEPTH_MAX, 16, "levels", "arrays and objects inside each other", "400 SYNTAX")         \
    X(JSON_VALUES_MAX, 1024, "values", "a JSON text", "400 SYNTAX")                               \
    X(FORM_PARTS_MAX, 64, "parts", "a form", "413 TOO_LARGE")                                     \
    X(PACKETS_MAX, 64, "packets", "a POST of Socket.IO's long polling", "400, the session ends")  \
    X(SESSIONS_MAX, 512, "sessions", "a server (--max-sessions)", "503 BUSY, close 1013")         \
    X(ADDRESS_SESSIONS_MAX, 32, "sessions", "an address (--max-sessions-per-address)",            \
      "429 RATE, close 1008")                                                                     \
    X(SESSION_CONNECTIONS_MAX, 8, "connections", "an address, for each session it may have",      \
      "the connection ends")                                                                      \
    X(ADDRESS_STILLS_MAX, 8, "pictures", "an address, over HTTP, queued or being processed",      \
      "429 RATE")                                                                                 \
    X(IN_FLIGHT_MAX, 2, "frames", "a session, being processed; the newest waits", "")             \
    X(FRAMES_PER_S_MAX, 1000, "frames a second", "a session (--max-fps)", "an error RATE")        \
    X(TOKENS_MAX, 64, "tokens", "the token file", "an error")                                     \
    X(TOKEN_CHARS_MAX, 128, "characters", "a token", "an error")                                  \
    X(HANDSHAKE_S, 20, "seconds", "TLS handshake and request headers", "the connection ends")     \
    X(KEEPALIVE_S, 20, "seconds", "an HTTP connection without a request", "the connection ends")  \
    X(BODY_S, 60, "seconds", "a request body to arrive", "408 TIMEOUT")                           \
    X(SLOW_READER_S, 20, "seconds", "a client to read a reply", "the connection ends")            \
    X(PONG_S, 45, "seconds", "a WebSocket that sends nothing (the server pings after 20)",        \
      "the connection ends")                                                                      \
    X(IDLE_S, 600, "seconds", "a live session without a frame (--idle-timeout)", "close 1001")    \
    X(WORK_S, 60, "seconds", "a frame of an HTTP request to be processed", "the connection ends") \
    X(DRAIN_WORK_S, 30, "seconds",                                                                \
      "pictures in flight when the server is told to stop, while progress is made",               \
      "the connection ends")

enum {
#define X(name, value, unit, of, when_over) LQ_##name = value,
    LQ_LIMIT_MAP(X)
#undef X
};
