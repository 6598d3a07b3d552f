// Content-Type of files by their names. Threads: any. Owner: static text.
#pragma once

// For a file name's ending; application/octet-stream for one that is unknown.
const char *lq_asset_type(const char *path);
