#!/usr/bin/env sh
# The recipe of letters.caffemodel: draws the letters and trains the small SqueezeNet from scratch, which takes a few
# minutes. train.log is what it said. Flags for `caffe train` can be given to the script.
cd "$(dirname "$0")/../.." || exit 1
out=quickstart-output
mkdir -p $out
if [ ! -d $out/train_lmdb ] || [ ! -d $out/test_lmdb ]; then
  rm -rf $out/train_lmdb $out/test_lmdb
  node bin/ristretto.mjs draw_imageset --seed=1 $out/train_lmdb $out/test_lmdb || exit 1
fi

exec node bin/caffe.mjs train --solver=examples/letters/solver.prototxt "$@"
