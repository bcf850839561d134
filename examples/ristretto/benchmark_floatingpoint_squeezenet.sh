#!/usr/bin/env sh
# Scores the float net, to compare with.
. "$(dirname "$0")/settings.sh"
float_weights

exec node bin/caffe.mjs test \
  --model="$MODEL" \
  --weights="$WEIGHTS" \
  --data="$LMDB" --gpu="$GPU" --iterations="$ITERATIONS" "$@"
