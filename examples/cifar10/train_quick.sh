#!/usr/bin/env sh
# Trains cifar10_quick, then finds how few bits it needs. It needs examples/cifar10/cifar10_train_lmdb and
# cifar10_test_lmdb: CIFAR-10's images as convert_imageset or Caffe's own script writes them.
cd "$(dirname "$0")/../.." || exit 1
here=examples/cifar10
for set in train test; do
  if [ ! -d $here/cifar10_${set}_lmdb ]; then
    echo "$here/cifar10_${set}_lmdb is missing: make it with bin/convert_imageset.mjs, or link yours there." >&2
    exit 1
  fi
done
if [ ! -f $here/mean.binaryproto ]; then
  node bin/compute_image_mean.mjs $here/cifar10_train_lmdb $here/mean.binaryproto || exit 1
fi
node bin/caffe.mjs train --solver=$here/cifar10_quick_solver.prototxt "$@" || exit 1

exec node bin/ristretto.mjs quantize \
  --model=$here/cifar10_quick_train_test.prototxt \
  --weights=$here/cifar10_quick_iter_4000.caffemodel \
  --model_quantized=$here/cifar10_quick_iter_4000_quantized.prototxt \
  --trimming_mode=dynamic_fixed_point --iterations=20 --error_margin=3
