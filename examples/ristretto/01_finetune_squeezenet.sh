#!/usr/bin/env sh
# Step 1 of the tutorial: fine-tunes the quantised net that step 0 wrote. The solver's file says how long, and how often
# it is scored. Where QUANTIZED or ITERATIONS is set, a solver's file that says so is written beside the snapshots.
. "$(dirname "$0")/settings.sh"
float_weights
if [ ! -f "$QUANTIZED" ]; then
  echo "$QUANTIZED is missing: 00_quantize_squeezenet.sh writes it." >&2
  exit 1
fi

solver=$demo/solver_finetune.prototxt
if [ "$QUANTIZED" != "$demo/quantized.prototxt" ] || [ -n "$ITERATIONS_GIVEN" ]; then
  {
    grep -v -E '^(net|test_iter|snapshot_prefix):' "$solver"
    printf 'net: "%s"\n' "$(escaped "$QUANTIZED")"
    printf 'test_iter: %s\n' "$ITERATIONS"
    printf 'snapshot_prefix: "%s"\n' "$(escaped "$snapshots")"
  } >"${snapshots}_solver.prototxt" || exit 1
  solver=${snapshots}_solver.prototxt
fi

exec node bin/caffe.mjs train \
  --solver="$solver" \
  --weights="$WEIGHTS" --data="$LMDB" --train_data="$TRAIN_LMDB" --gpu="$GPU" "$@"
