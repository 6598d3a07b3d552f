// A picture divided into square blocks of pixels, as edge refinement and tracking sample it.
// Threads: any. Owner: plain data.
#pragma once

// width x height blocks: block (i, j) is the step x step pixels from (x + i * step, y + j * step).
struct lq_blocks {
    int x, y; // picture pixels
    int step; // pixels across a block
    int width, height; // blocks
};
