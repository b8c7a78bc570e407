#!/usr/bin/env bash
# Checks clr-tui on a machine with a GPU. In the folder that prepare.sh staged:
#   bash tools/gpu/check.sh [PART]...     no PART: all of them, the most telling first
# or, where the project is installed with its tests' packages, in the repository:
#   bash tests/gpu/check.sh [PART]...
# A dry run on the CPU, in either place:  DEVICE=cpu TINY=1 bash .../check.sh
#   TOTAL   seconds for all parts together (475; a dry run has no such limit)
#   OUT     folder for check.log, the runs' logs and the rest (/tmp/gpu-check; a new one in a dry run)
#   WORK    folder for what is made on the way (/tmp/gpu-work; a new one, removed, in a dry run)
#   DATA    folder of images, or "digits" (the staged images; ../shared/data/flowers; the digits)
#   PY      the interpreter (the repository's .venv/bin/python, where it is there; else python3)
# It exits with 1 if a line of this call begins with "!!".
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PARTS=(install facts probe ranges compare designs peers tests train oom heavy compiled names stacked
  transfer)
# Seconds that each part may take.
declare -A LIMIT=([install]=60 [facts]=60 [probe]=110 [ranges]=70 [compare]=140 [designs]=80
  [peers]=60 [tests]=120 [train]=50 [oom]=60 [heavy]=90 [compiled]=120 [names]=60 [stacked]=45
  [transfer]=50)

# --- what each part does; each runs in a shell of its own ---

px() { [ -n "$TINY" ] && echo 16 || echo "$1"; }
n() { [ -n "$TINY" ] && echo "$2" || echo "$1"; }
clr() { "$PY" -m clr_tui.tui "$@"; }
# Leaves the exit code in $code. Progress lines go to a file.
start() {
  local begin=$SECONDS
  clr "$@" --device "$DEVICE" >"$WORK/printed" 2>"$WORK/progress"
  code=$?
  echo "   exit $code after $((SECONDS - begin)) s: clr-tui $*" | cut -c1-150
}
ending() { echo "$(tail -c 300 "$WORK/printed" | tr '\n' ' ') $(tail -2 "$WORK/progress" | tr '\n' ' ')"; }
newest() { ls -td "$CLR_TUI_RUNS"/*/ | head -1 | xargs basename; }
report() { "$PY" "$here/read_runs.py" "$CLR_TUI_RUNS" "$@" 2>&1; }
run() {
  start "$@"
  [ $code -eq 0 ] || echo "!! clr-tui $1 exits with $code: $(ending)"
  report "$(newest)"
}
run_that_fails() {
  start "$@"
  if [ $code -eq 0 ]; then echo "!! clr-tui $1 should have failed"; else echo "   $(ending)"; fi
}
script() { "$PY" "$here/$1.py" "${@:2}" 2>>"$OUT/stderr.txt"; }
dry() { [ "$DEVICE" = cpu ] && [ -z "${INSTALL:-}" ]; }

part_install() {
  dry && { echo "a dry run installs nothing"; return; }
  [ -d "$root/.whl" ] || { echo "this is no staged folder: nothing to install"; return; }
  rm -rf "$SITE"
  "$PY" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade \
    --target "$SITE" "$root"/.whl/*.whl 2>&1 | tail -3
  "$PY" -c "import clr_tui.engine, torch; print(clr_tui.engine.__file__, torch.__version__)"
}

part_facts() {
  command -v nvidia-smi >/dev/null && nvidia-smi --format=csv,noheader --query-gpu=name,$(
  )driver_version,memory.total,memory.used,compute_mode,mig.mode.current,clocks.sm,power.limit \
    2>&1 | head -3
  echo "MPS: $(command -v nvidia-cuda-mps-control || echo none); $(nproc) cores;$(
    grep -m1 'model name' /proc/cpuinfo | cut -d: -f2); $(free -g | awk '/Mem/{print $2}') GB;" \
    "cgroup: $(cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/memory.max 2>/dev/null | tr '\n' ' ')"
  "$PY" - <<'PYTHON'
import importlib.metadata, os, tempfile, time

names = "torch torchvision numpy pillow scipy rich nvidia-ml-py pytest setuptools".split()
versions = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
print(" ".join(f"{name} {versions.get(name, 'none')}" for name in names))
times = []
with tempfile.TemporaryFile(dir=os.environ["OUT"]) as file:
    for _ in range(5):
        begin = time.perf_counter()
        file.write(b"\0" * 12_000_000)
        file.flush()
        os.fsync(file.fileno())
        times.append(time.perf_counter() - begin)
print(f"12 MB written and synced in {sorted(times)[2] * 1e3:.0f} ms")
begin = time.perf_counter()
import torch

print(f"import torch {time.perf_counter() - begin:.1f} s; cuDNN {torch.backends.cudnn.version()};"
      f" CUDA {torch.cuda.is_available()}")
PYTHON
}

part_probe() {
  script probe ${CHECKS:-first_steps worker warmed panel rates pieces waits copies grids agreement \
    again optimizers checkpoints restored no_memory}
}
part_heavy() { script probe ${CHECKS:-memory transfer}; }

part_ranges() {
  run range-test --data digits --headless
  run range-test --data "$DATA" --image-size $(px 32) --seeds $(n 3 1) --steps $(n 200 12) --headless
  [ -n "$TINY" ] && return
  run range-test --data "$DATA" --image-size 128 --seeds 2 --steps 200 --headless
  run range-test --data "$DATA" --image-size 32 --seeds 3 --steps 2000 --end-lr 0.1 --headless
}

# One trial's time comes from --jobs 1; then as many at a time as clr-tui chooses, 8, and 16.
part_compare() {
  local study=(compare --study cnn --data "$DATA" --image-size "$(px 32)" --epochs "$(n 20 1)"
    --headless)
  [ -n "$TINY" ] && study+=(--batch-size 16)
  run "${study[@]}" --seeds 1 --jobs 1
  run "${study[@]}" --seeds $(n 3 1)
  [ -n "$TINY" ] && return
  run "${study[@]}" --seeds 3 --jobs 8
  run "${study[@]}" --seeds 3 --jobs 16
}

part_designs() { script designs same steps streams; }
part_stacked() { script designs stacked; }
part_names() { script designs names; }

part_peers() {
  [ -d "$DATA" ] || { echo "left out: these loaders need a folder of images"; return; }
  script peers_gpu $(px 32) $(n "0 8 16" 0)
  [ -n "$TINY" ] || script peers_gpu 128 16
}

part_train() {
  local task=(--data "$DATA" --image-size "$(px 32)" --base-lr 6e-4 --max-lr 3.6e-3) id begin
  [ -n "$TINY" ] && task+=(--batch-size 16)
  run train "${task[@]}" --epochs $(n 16 1) $(n "" --no-whole-cycles) --headless
  # One that would go on for ever is stopped: how soon does it end, and what is left of it?
  id=$(clr train "${task[@]}" --epochs 9999 --device "$DEVICE" --detach 2>&1 | tail -1)
  await epoch-finished "$id" 600
  begin=$(date +%s%N)
  clr stop "$id" | tail -1
  await run-finished "$id" 100
  echo "ended $((($(date +%s%N) - begin) / 1000000)) ms after it was asked to stop"
  report "$id"
  "$PY" -c "
import sys, torch
state = torch.load(sys.argv[1], map_location='cpu', weights_only=True)
finite = all(bool(v.isfinite().all()) for v in state['model'].values())
print('last.pt: step', state['step'], 'epoch', state['epoch'], 'finite', finite)
" "$CLR_TUI_RUNS/$id/checkpoints/last.pt"
}
# await EVENT RUN TENTHS: until the run's log holds such an event.
await() {
  local log=$CLR_TUI_RUNS/$2/events.jsonl
  for _ in $(seq "$3"); do grep -qs "$1" "$log" && return; sleep 0.1; done
  echo "!! no $1 in the log of $2 after $(($3 / 10)) s"
}

part_transfer() {
  run range-test --data "$DATA" --model resnet34 --weights none --image-size $(n 224 64) \
    --batch-size $(n 64 16) --steps $(n 150 3) --headless
}

part_oom() {
  [ "$DEVICE" = cpu ] && { echo "left out on the CPU: it would take all memory"; return; }
  echo "(these three should fail, each with a clear sentence:)"
  local large=(--data digits --image-size 1024 --batch-size 1200 --headless)
  run_that_fails range-test "${large[@]}" --steps 5
  report "$(newest)"
  run_that_fails compare "${large[@]}" --optimizers adam --seeds 1 --epochs 1
  run_that_fails compare --data "$DATA" --image-size 32 --optimizers adam,adamw --seeds 2 \
    --epochs 1 --jobs 60 --headless
}

part_compiled() {
  [ "$DEVICE" = cpu ] && { echo "left out on the CPU: --compile does nothing there"; return; }
  run range-test --data "$DATA" --image-size 32 --seeds 2 --steps 2000 --end-lr 0.1 --compile \
    --headless
  script designs compile_it
}

part_tests() {
  local project=$root/.proj/clr-tui log=$OUT/tests.log
  [ -d "$project" ] || project=$root
  cd "$project" || return
  if [ -n "$TINY" ]; then
    "$PY" -m pytest -q -p no:cacheprovider tests/tasks/test_device_choice.py \
      tests/training/test_stopwatch.py >"$log" 2>&1 || echo "!! tests fail"
    tail -3 "$log"
    return
  fi
  local tests=(-m "not slow" -o cache_dir="$WORK/pytest" tests/training tests/tasks tests/comparing
    tests/library tests/callbacks tests/own_loop/test_taken_values.py tests/log/test_nvml_devices.py)
  export COLUMNS=300 # ps cuts its lines at so many
  "$PY" -m pytest -n "${WORKERS:-12}" -o faulthandler_timeout=60 --tb=short -rfE "${tests[@]}" \
    >"$log" 2>&1 || echo "!! tests fail"
  grep -E "^(FAILED|ERROR)|passed|failed|no tests" "$log" | cut -c1-220 | tail -30
  grep -qE "^(FAILED|ERROR)" "$log" || return 0
  echo "the same ones again, without the GPU (what fails here as well is not due to CUDA):"
  CUDA_VISIBLE_DEVICES="" "$PY" -m pytest -n 8 --lf --tb=no -rfE "${tests[@]}" \
    >"$OUT/tests-no-gpu.log" 2>&1
  grep -E "^(FAILED|ERROR)|passed|failed" "$OUT/tests-no-gpu.log" | cut -c1-160 | tail -15
}

# --- around the parts ---

say() { echo "$@" | tee -a "$OUT/check.log"; }

interpreter() {
  local found=python3 each
  for each in "$root/.venv/bin/python" "$root/../.venv/bin/python"; do
    [ ! -x "$each" ] || { found=$each; break; }
  done
  found=${PY:-$found}
  # Parts change the folder. The link itself is kept: it is what makes a virtual environment.
  case $found in */*) found=$(cd "$(dirname "$found")" && pwd)/$(basename "$found") ;; esac
  echo "$found"
}

images() {
  local each
  for each in ${DATA:+"$DATA"} "$root"/data/*/ "$root/../shared/data/flowers"; do
    [ ! -d "$each" ] || { (cd "$each" && pwd); return; }
    [ "$each" != "${DATA:-}" ] || { echo "$each"; return; }
  done
  echo digits
}

few_images() {
  local folder
  for folder in "$DATA"/*/; do
    mkdir -p "$WORK/tiny/$(basename "$folder")"
    find "$folder" -name '*.jpg' | sort | head -40 | xargs cp -t "$WORK/tiny/$(basename "$folder")"
  done
  DATA=$WORK/tiny
}

# Workers are detached and outlive the part that started them: none may disturb the
# next part.
stop_strays() {
  local dir pid
  for dir in "$CLR_TUI_RUNS"/*/; do
    [ -f "$dir/events.jsonl" ] || continue
    grep -q '"type":"run-finished"' "$dir/events.jsonl" && continue
    pid=$(head -1 "$dir/events.jsonl" | grep -o '"pid":[0-9]*' | cut -d: -f2)
    [ -n "$pid" ] && grep -qs clr_tui "/proc/$pid/cmdline" || continue
    say "!! $(basename "$dir") goes on: its worker $pid is killed"
    tail -3 "$dir/worker.log" | cut -c1-200 | tee -a "$OUT/check.log"
    kill -9 "$pid"
  done
}

part() {
  local name=$1 limit=$2 begin=$SECONDS code
  say "== $name"
  timeout -k 5 "$limit" bash "${BASH_SOURCE[0]}" --do "$name" 2>&1 | tee -a "$OUT/check.log"
  code=${PIPESTATUS[0]}
  case $code in
    0) ;;
    124 | 137) say "!! $name ran past its limit of $limit s" ;;
    *) say "!! $name exits with $code: $(tail -1 "$OUT/stderr.txt" 2>/dev/null | cut -c1-200)" ;;
  esac
  say "   $name: $((SECONDS - begin)) s"
  stop_strays
}

if [ "${1:-}" = --do ]; then
  cd "$root" && "part_$2"
  exit
fi

export DEVICE=${DEVICE:-cuda} TINY=${TINY:-} PYTHONUNBUFFERED=1
if dry; then
  temporary=$(mktemp -d)
  trap 'rm -rf "$temporary"' EXIT
  WORK=${WORK:-$temporary} OUT=${OUT:-$(mktemp -d)} TOTAL=${TOTAL:-100000}
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} # threads that wait for busy cores are slow
fi
WORK=${WORK:-/tmp/gpu-work} OUT=${OUT:-/tmp/gpu-check} TOTAL=${TOTAL:-475}
mkdir -p "$OUT" "$WORK"
OUT=$(cd "$OUT" && pwd) WORK=$(cd "$WORK" && pwd)
SITE=$WORK/site PY=$(interpreter) DATA=$(images)
rm -rf "$WORK/runs" "$WORK/tiny" && mkdir "$WORK/runs"
[ -z "$TINY" ] || [ ! -d "$DATA" ] || few_images
export OUT WORK SITE PY DATA CLR_TUI_RUNS=$WORK/runs XDG_CACHE_HOME=$WORK/cache
dry || export PYTHONPATH=$SITE
if [ $# -gt 0 ]; then
  PARTS=("$@")
  # What an earlier call installed is still there.
  [[ " $* " = *" install "* ]] || [ -d "$SITE/clr_tui" ] || dry || PARTS=(install "$@")
fi

touch "$OUT/check.log"
before=$(wc -l <"$OUT/check.log")
commit=$(cat "$root/.proj/commit" 2>/dev/null || git -C "$root" rev-parse HEAD 2>/dev/null)
say "clr-tui ${commit:0:9}, device $DEVICE, data $(basename "$DATA"), $(date -u +%FT%TZ)"
SECONDS=0
for name in "${PARTS[@]}"; do
  limit=${LIMIT[$name]:?no such part} left=$((TOTAL - SECONDS))
  if dry; then limit=$((3 * limit)); fi # this machine may be slow, or busy
  if [ $left -lt 12 ]; then say "== $name: left out, no time is left"; continue; fi
  part "$name" $((limit < left ? limit : left))
done
tar czf "$OUT/runs.tgz" -C "$CLR_TUI_RUNS" --exclude=checkpoints . 2>/dev/null
if [ -f "$OUT/stderr.txt" ]; then
  tail -c 100000 "$OUT/stderr.txt" >"$OUT/stderr.tail" && mv "$OUT/stderr.tail" "$OUT/stderr.txt"
fi
failures=$(tail -n +$((before + 1)) "$OUT/check.log" | grep '^!!' | sort | uniq -c | cut -c1-200)
say "== $SECONDS s in all; $OUT holds: $(ls "$OUT" | tr '\n' ' ')"
[ -z "$failures" ] || { printf 'look at these first:\n%s\n' "$(head -30 <<<"$failures")"; exit 1; }
