// The Content-Type of files, by name. Threads: any. Owner: static text.
#pragma once

// By the file name's ending; application/octet-stream if unknown.
const char *lq_asset_type(const char *path);
