#!/bin/bash
# OpenCV 4.6.0 (Debian bookworm, python3-opencv 4.6.0+dfsg-12): PGM and PPM with a maximum below 255: samples of the text forms (P2, P3)
# are brought to 255, raw ones (P5, P6) are not. One image, two brightnesses. Seen: the numbers in the checks below.
# Exits non-zero where one of them changes.
set -eu
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
VERSION=4.6.0+dfsg-12
apt-get update -qq
apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
  "python3-opencv=$VERSION" | grep '^[a-z]' | grep -v '^python3-opencv$' | sort -u > names
mkdir packages root
(cd packages && chmod 777 . && apt-get download -qq "python3-opencv=$VERSION" && apt-get download -qq $(apt-cache show --no-all-versions $(cat ../names) 2>/dev/null | sed -n 's/^Package: //p' | sort -u)) > /dev/null
for deb in packages/*.deb; do dpkg-deb -x "$deb" root; done
L=$T/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$L:$T/root/lib/x86_64-linux-gnu:$L/blas:$L/lapack:$L/pulseaudio PYTHONHOME=$T/root/usr
PYTHONPATH=$T/root/usr/lib/python3/dist-packages "$T/root/usr/bin/python3.11" - <<'P'
import sys
import cv2
import numpy as np
print('OpenCV', cv2.__version__)
bad = 0
def check(what, seen, expected):
    global bad
    same = seen == expected
    bad += not same
    print('as seen' if same else 'CHANGED', what, seen)
def decode(data, flag): return cv2.imdecode(np.frombuffer(data, np.uint8), flag)
check('P2 of 25 50 100 with maximum 100', decode(b'P2\n3 1\n100\n25 50 100\n', 0)[0].tolist(), [63, 127, 255])
check('P5 of the same', decode(b'P5\n3 1\n100\n' + bytes([25, 50, 100]), 0)[0].tolist(), [25, 50, 100])
sys.exit(bad > 0)
P
