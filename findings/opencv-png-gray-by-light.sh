#!/bin/bash
# OpenCV 4.6.0 (Debian bookworm, python3-opencv 4.6.0+dfsg-12): IMREAD_GRAYSCALE of a PNG is not cvtColor of what IMREAD_COLOR gives. libpng
# makes the gray: rounded down, and as a sum of light where the file has a gAMA or sRGB chunk. The same pixels with and
# without that chunk differ in gray (red 147, not 76) and are equal in colour. Seen: the numbers in the checks below.
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
import struct, sys, zlib
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
def chunk(name, data): return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
def png(extra=b''):
    row = b'\0' + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 77])
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 4, 1, 8, 2, 0, 0, 0)) + extra
            + chunk(b'IDAT', zlib.compress(row)) + chunk(b'IEND', b''))
srgb = chunk(b'sRGB', b'\0')
check('PNG, colours alike with and without sRGB', bool((decode(png(), 1) == decode(png(srgb), 1)).all()), True)
check('PNG as gray', decode(png(), 0)[0].tolist(), [76, 149, 29, 129])
check('PNG with sRGB as gray', decode(png(srgb), 0)[0].tolist(), [147, 200, 95, 159])
check('cvtColor of its colours', cv2.cvtColor(decode(png(), 1), cv2.COLOR_BGR2GRAY)[0].tolist(), [76, 150, 29, 129])
sys.exit(bad > 0)
P
