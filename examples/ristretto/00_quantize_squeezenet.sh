#!/usr/bin/env sh
# Step 0 of the tutorial: finds how few bits SqueezeNet needs, and writes the quantised net.
. "$(dirname "$0")/settings.sh"
float_weights

exec node bin/ristretto.mjs quantize \
  --model="$MODEL" \
  --weights="$WEIGHTS" \
  --model_quantized="$QUANTIZED" \
  --trimming_mode=dynamic_fixed_point \
  --data="$LMDB" --train_data="$TRAIN_LMDB" --gpu="$GPU" --iterations="$ITERATIONS" \
  --error_margin=3 "$@"
