#!/bin/sh
# Screenshots of every state of the page (empty, looks, live with and without nails, compare, slow
# link, photo, photo error, own design, reference photo, token page) on desktop, tablet and phone,
# light and dark, left to right and right to left: build/screens/DEVICE-SCHEME-DIRECTION/STATE.png.
#
#   tools/screens.sh                     all
#   tools/screens.sh phone dark rtl      some; any of the three may be left out
#   tools/screens.sh phone de            in this language of web/lang
#
# Needs build/lacquer and Chromium; its camera is the rendered hand of tests/e2e/hand.mjpeg.
set -eu
cd "$(dirname "$0")/.."
exec node tests/e2e/browser-screens.mjs "$PWD/build/screens" "$@"
