#!/usr/bin/env sh
# Step 2 of the tutorial: scores the quantised net with fine-tuned weights: those that WEIGHTS names, else the newest
# snapshot of step 1.
. "$(dirname "$0")/settings.sh"
if [ -n "$WEIGHTS" ]; then
  WEIGHTS=$(absolute "$WEIGHTS")
else
  for candidate in "$snapshots"_iter_*.caffemodel "${snapshots}_finetuned.caffemodel" \
    "$demo/squeezenet_finetuned.caffemodel"; do
    [ -f "$candidate" ] || continue
    if [ -z "$WEIGHTS" ] || [ "$candidate" -nt "$WEIGHTS" ]; then WEIGHTS=$candidate; fi
  done
  if [ -z "$WEIGHTS" ]; then
    echo "There are no fine-tuned weights ${snapshots}_*.caffemodel: run 01_finetune_squeezenet.sh, or put the tutorial's" >&2
    echo "squeezenet_finetuned.caffemodel into $demo, or set WEIGHTS to yours (the float weights work too)." >&2
    exit 1
  fi
fi
if [ ! -f "$QUANTIZED" ]; then
  echo "$QUANTIZED is missing: 00_quantize_squeezenet.sh writes it." >&2
  exit 1
fi

exec node bin/caffe.mjs test \
  --model="$QUANTIZED" \
  --weights="$WEIGHTS" \
  --data="$LMDB" --gpu="$GPU" --iterations="$ITERATIONS" "$@"
