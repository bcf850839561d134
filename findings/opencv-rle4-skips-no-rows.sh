#!/bin/bash
# OpenCV 4.6.0 (Debian bookworm, python3-opencv 4.6.0+dfsg-12): BMP of 4-bit runs: a skip (0, 2, dx, dy) moves by dx alone, dy is not looked
# at; in 8-bit runs it counts. Seen: the pixels in the checks below.
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
import struct, sys
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
palette = b''.join(bytes([10 * i, 10 * i, 10 * i, 0]) for i in range(16))
def bmp(body, bits, compression):
    offset = 14 + 40 + len(palette)
    return (struct.pack('<2sIHHI', b'BM', offset + len(body), 0, 0, offset)
            + struct.pack('<IiiHHIIiiII', 40, 6, 2, 1, bits, compression, len(body), 0, 0, 16, 0) + palette + body)
rest = b'\0\1' + b'\0' * 16
check('8-bit runs, skip of 2 right and 1 row', decode(bmp(b'\1\1\0\2\2\1\2\2' + rest, 8, 1), 0).tolist(),
      [[0, 0, 0, 20, 20, 0], [10, 0, 0, 0, 0, 0]])
check('4-bit runs, the same', decode(bmp(b'\1\x10\0\2\2\1\2\x22' + rest, 4, 2), 0).tolist(),
      [[0, 0, 0, 0, 0, 0], [10, 0, 0, 20, 20, 0]])
sys.exit(bad > 0)
P
