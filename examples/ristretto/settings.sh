# Read by the scripts of this folder. Paths are the tutorial's own, from the project's root; each can be set in the
# environment:
#   MODEL    the net for training and scoring       WEIGHTS     its trained weights
#   LMDB     replaces the net's data sources        ITERATIONS  batches per score
#   GPU      device id; the CPU where it is empty,  QUANTIZED   the quantised net: written by step 0, used by the others;
#            or there is none                                   fine-tuned weights are then written beside it
#   TRAIN_LMDB  replaces the sources of the TRAIN phase alone, to fine-tune on other images than are scored
# Further flags for the tool can be given to the script itself.
# Relative paths given in the environment start from where the script was called.
called_from=$PWD
cd "$(dirname "$0")/../.." || exit 1

absolute() {
  case $1 in
    /*) printf %s "$1" ;;
    *) printf %s "$called_from/$1" ;;
  esac
}

# A text as it stands between the quotes of a prototxt.
escaped() {
  printf %s "$1" | sed 's/[\\"]/\\&/g'
}

demo=models/SqueezeNet/RistrettoDemo
if [ -n "$MODEL" ]; then MODEL=$(absolute "$MODEL"); else MODEL=models/SqueezeNet/train_val.prototxt; fi
# What names of snapshots begin with: each quantised net has its own.
if [ -n "$QUANTIZED" ]; then
  QUANTIZED=$(absolute "$QUANTIZED")
  snapshots=${QUANTIZED%.prototxt}
else
  QUANTIZED=$demo/quantized.prototxt
  snapshots=$demo/squeezenet
fi
if [ -n "$LMDB" ]; then LMDB=$(absolute "$LMDB"); fi
if [ -n "$TRAIN_LMDB" ]; then TRAIN_LMDB=$(absolute "$TRAIN_LMDB"); fi
ITERATIONS_GIVEN=$ITERATIONS
ITERATIONS=${ITERATIONS:-2000}
GPU=${GPU-0}

# Sets WEIGHTS to the published float weights, unless the environment names others.
float_weights() {
  if [ -n "$WEIGHTS" ]; then
    WEIGHTS=$(absolute "$WEIGHTS")
    return
  fi
  WEIGHTS=models/SqueezeNet/squeezenet_v1.0.caffemodel
  if [ ! -f "$WEIGHTS" ]; then
    echo "$WEIGHTS is missing. Get it with" >&2
    echo "  node bin/ristretto.mjs fetch squeezenet_v1.0 --weights_only models/SqueezeNet" >&2
    echo "or set WEIGHTS to yours." >&2
    exit 1
  fi
}
