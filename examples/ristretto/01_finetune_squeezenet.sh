#!/usr/bin/env sh
# Step 1 of the tutorial: fine-tunes the quantised net that step 0 wrote. The solver's file says how long, and how often
# it is scored.
. "$(dirname "$0")/settings.sh"
float_weights
if [ ! -f "$QUANTIZED" ]; then
  echo "$QUANTIZED is missing: 00_quantize_squeezenet.sh writes it." >&2
  exit 1
fi

exec node bin/caffe.mjs train \
  --solver="$demo/solver_finetune.prototxt" \
  --weights="$WEIGHTS" --data="$LMDB" --gpu="$GPU" "$@"
