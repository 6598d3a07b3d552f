#!/bin/sh
# Run by `meson install` without DESTDIR: adds the new library to the loader's cache.
#
#   tools/after_install.sh FOLDER_OF_THE_LIBRARY
PATH=$PATH:/sbin:/usr/sbin
if [ "$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then ldconfig; fi
if ! ldconfig -p 2>/dev/null | grep -q "liblacquer.so.0 .*=> $1/"; then
    echo "install: the loader does not look in $1:" >&2
    echo "install: name it in /etc/ld.so.conf.d and run ldconfig, or for single programs set" >&2
    echo "install: LD_LIBRARY_PATH=$1" >&2
fi
exit 0
