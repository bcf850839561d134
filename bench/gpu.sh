#!/usr/bin/env bash
# Everything about a GPU in one command, on a machine that has nvcc, cmake and a C++ compiler (no Node): builds the
# kernels, runs their tests on the device, then measures them.
#
#   bench/gpu.sh [--part build|test|bench|peers] [--force] [--sanitize] [--json FILE] [--build DIR]
#                [--architectures LIST] [--shapes PATH] [--emulated]
#
# Without --part all four parts run, one after the other. What has finished is not done again: a part, or a single
# test, is skipped while the sources are the ones it finished with (--force: do it again). So a run that was cut off
# goes on where it stopped.
#   --sanitize       the tests once more under compute-sanitizer's memcheck and racecheck
#   --json FILE      all results (default: gpu.json in the build folder)
#   --build DIR      the build folder (default: build-gpu)
#   --architectures  as CMAKE_CUDA_ARCHITECTURES (default: those of the GPUs here)
#   --shapes PATH    a folder or file of convolutions (default: bench/shapes)
#   --emulated       the host executor instead of a GPU, tiny problems: to try this script, not to measure
#
# Exit code: 0 all well, 1 something failed, 2 wrong usage, 3 a tool is missing, 77 built, but nothing ran: no GPU.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly MISSING=3 NOTHING_RAN=77
readonly TEST_SECONDS=300  # one test, sanitizers included
part=all build=build-gpu json='' architectures=present shapes=bench/shapes
force='' sanitize='' emulated=''

fail() {
  local code=$1
  shift
  printf 'gpu.sh: %s\n' "$*" >&2
  exit "$code"
}
usage() { sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p;}' "$0"; }

while [ $# -gt 0 ]; do
  case $1 in
    --force) force=1 ;;
    --sanitize) sanitize=1 ;;
    --emulated) emulated=1 ;;
    --help | -h)
      usage
      exit 0
      ;;
    --part | --json | --build | --architectures | --shapes)
      [ $# -ge 2 ] || fail 2 "flag $1 wants a value"
      case $1 in
        --part) part=$2 ;;
        --json) json=$2 ;;
        --build) build=$2 ;;
        --architectures) architectures=$2 ;;
        --shapes) shapes=$2 ;;
      esac
      shift
      ;;
    *) fail 2 "there is no flag '$1'; --help lists them" ;;
  esac
  shift
done
[ -z "$sanitize" ] || [ -z "$emulated" ] || fail 2 '--sanitize wants a GPU'
case $part in all | build | test | bench | peers) ;; *) fail 2 "--part: '$part' is not build, test, bench or peers" ;; esac
[ -n "$json" ] || json=$build/gpu.json

state=$build/state
suffix=_device program=cuda_bench
if [ -n "$emulated" ]; then suffix='' program=cuda_bench_emulated; fi
tests=()
for source in test/cuda/*_test.cpp; do
  name=$(basename "$source" .cpp)
  # The executor's own tests are nothing for a device.
  if [ "$name" = executor_test ] && [ -z "$emulated" ]; then continue; fi
  tests+=("cuda_$name$suffix")
done

wanted() { [ "$part" = all ] || [ "$part" = "$1" ]; }

# What results depend on. A step's file in the state folder holds it once the step has finished well.
fingerprint=$({
  find CMakeLists.txt cmake native test/cuda test/native bench/native bench/shapes bench/peers -type f -print0 |
    LC_ALL=C sort -z | xargs -0 cksum
  echo "$architectures $shapes $emulated"
} | cksum)
stands() { [ -f "$state/$1" ] && [ "$(cat "$state/$1")" = "$fingerprint" ]; }
finished() { [ -z "$force" ] && stands "$1"; }
finish() { printf '%s\n' "$fingerprint" >"$state/$1"; }

seconds_between() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'; }
clock() { date +%s.%N; }

require_tools() {
  command -v cmake >/dev/null || fail $MISSING 'cmake was not found: install cmake 3.20 or newer'
  command -v "${CXX:-c++}" >/dev/null || fail $MISSING "no C++ compiler (${CXX:-c++}) was found: install g++ 11 or newer"
  [ -z "$emulated" ] || return 0
  [ -n "${CUDACXX:-}" ] && return 0
  local folder
  for folder in '' "${CUDA_HOME:-}" "${CUDA_PATH:-}" /usr/local/cuda; do
    command -v "${folder:+$folder/bin/}nvcc" >/dev/null && return 0
  done
  fail $MISSING 'nvcc was not found: install the CUDA toolkit 13 or newer, or set CUDA_HOME'
}

build_part() {
  require_tools
  local options=(-DRISTRETTO_BENCHMARKS=ON "-DRISTRETTO_CUDA_ARCHITECTURES=$architectures") jobs
  if [ ! -f "$build/CMakeCache.txt" ] && command -v ninja >/dev/null; then options+=(-G Ninja); fi
  jobs=$(nproc 2>/dev/null || echo 4)
  cmake -S . -B "$build" "${options[@]}" >"$state/configure.log" 2>&1 || {
    cat "$state/configure.log"
    fail 1 'cmake failed'
  }
  grep 'ristretto:' "$state/configure.log" || true
  cmake --build "$build" --parallel "$jobs" --target "${tests[@]}" "$program" >"$state/build.log" 2>&1 || {
    grep -n -A5 'error' "$state/build.log" | head -60 || true
    fail 1 "the build failed: $state/build.log"
  }
}

# name, how it runs (plain, memcheck, racecheck), the command. Appends one line of JSON; the result is its status.
run_test() {
  local name=$1 how=$2 start stop code=0 result log
  shift 2
  log=$state/$name.$how.log
  start=$(clock)
  timeout "$TEST_SECONDS" "$@" >"$log" 2>&1 || code=$?
  stop=$(clock)
  case $code in
    0) result=passed ;;
    77) result=skipped ;;
    124) result="stopped after $TEST_SECONDS s" ;;
    *) result="failed, exit code $code" ;;
  esac
  printf '%-44s %-10s %8s s  %s\n' "$name" "$how" "$(seconds_between "$start" "$stop")" "$result"
  printf '{"test": "%s", "how": "%s", "seconds": %s, "result": "%s"}\n' "$name" "$how" \
    "$(seconds_between "$start" "$stop")" "$result" >"$state/$name.$how.json"
  if [ "$code" -eq 0 ]; then
    finish "$name.$how"
    return 0
  fi
  rm -f "$state/$name.$how"
  grep -v '^=*$' "$log" | tail -15 | sed 's/^/    /'
  [ "$code" -eq 77 ]
}

test_part() {
  local name tool failed='' sanitizer=''
  if [ -n "$sanitize" ]; then
    sanitizer=$(command -v compute-sanitizer || ls "${CUDA_HOME:-/usr/local/cuda}/bin/compute-sanitizer" 2>/dev/null) ||
      fail $MISSING 'compute-sanitizer was not found: it comes with the CUDA toolkit'
  fi
  for name in "${tests[@]}"; do
    if finished "$name.plain"; then
      echo "$name: passed before"
    else
      run_test "$name" plain "$build/$name" || failed=1
    fi
    [ -n "$sanitizer" ] || continue
    for tool in memcheck racecheck; do
      if finished "$name.$tool"; then
        echo "$name, $tool: passed before"
      else
        run_test "$name" "$tool" "$sanitizer" --tool "$tool" --error-exitcode 99 "$build/$name" || failed=1
      fi
    done
  done
  [ -z "$failed" ] || fail 1 'tests failed'
}

bench_part() {
  local options=(--shapes "$shapes" --json "$state/bench.json")
  [ -z "$emulated" ] || options+=(--smoke)
  "$build/$program" "${options[@]}" || fail 1 'the benchmark failed'
}

# Only what this machine's Python has already: nothing is installed.
peers_part() {
  rm -f "$state/peers.jsonl"
  if [ -n "$emulated" ] || ! command -v python3 >/dev/null ||
    ! python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    echo 'peers: skipped, this python3 has no torch that can use a GPU'
    ran=''
    return 0
  fi
  local script
  for script in bench/peers/torch_inference.py bench/peers/torch_training.py; do
    timeout 280 python3 "$script" | tee -a "$state/peers.jsonl" || echo "peers: $script failed"
  done
}

# Every part's results in one object.
write_json() {
  {
    printf '{"tests": ['
    local name how
    for name in "${tests[@]}"; do
      for how in plain memcheck racecheck; do
        if [ -f "$state/$name.$how.json" ]; then cat "$state/$name.$how.json"; fi
      done
    done | paste -sd, -
    printf '],\n"benchmark": '
    if [ -f "$state/bench.json" ]; then cat "$state/bench.json"; else echo null; fi
    printf ',\n"peers": ['
    if [ -f "$state/peers.jsonl" ]; then paste -sd, "$state/peers.jsonl"; fi
    printf ']}\n'
  } >"$json.part"
  mv "$json.part" "$json"
}

run_part() {
  local name=$1 start
  wanted "$name" || return 0
  # Tests remember one by one that they passed.
  if [ "$name" != test ] && finished "$name"; then
    echo "== $name: finished before (--force does it again)"
    return 0
  fi
  echo "== $name"
  start=$(clock)
  rm -f "${state:?}/$name"
  ran=1
  "${name}_part"
  [ -z "$ran" ] || finish "$name"
  echo "== $name: $(seconds_between "$start" "$(clock)") s"
}

mkdir -p "$state"
if command -v nvidia-smi >/dev/null; then
  nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,power.limit --format=csv,noheader 2>/dev/null || true
fi
run_part build
[ "$part" != build ] || exit 0
stands build || fail 1 "no build of these sources in $build: run --part build first"
code=0
why=$("$build/$program" --check 2>&1) || code=$?
if [ "$code" -eq "$NOTHING_RAN" ]; then
  echo "tests, benchmark and peers skipped: $why"
  exit $NOTHING_RAN
fi
[ "$code" -eq 0 ] || fail 1 "$why"
trap write_json EXIT
run_part test
run_part bench
run_part peers
echo "results: $json"
