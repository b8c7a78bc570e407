#!/usr/bin/env bash
# Stages all that check.sh needs on a machine with a GPU and no network, as one folder:
#   bash tests/gpu/prepare.sh [FOLDER]        FOLDER: .gpu in the repository's root
# It holds wheels (the project's own among them), the project's HEAD with its tests, images, and
# these scripts. Copy the folder to that machine, then: cd FOLDER && bash tools/gpu/check.sh
#   PYTHON         the interpreter whose packages' versions are staged (.venv/bin/python, or python3)
#   PYTHON_THERE   version of the other machine's interpreter (3.12)
#   DATA           folder of images (../shared/data/flowers, where it is there; else the digits)
#   EXTRA_WHEELS   more requirements to stage, such as "scipy==1.17.1"
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
proj=$(git -C "$here" rev-parse --show-toplevel)
to=${1:-$proj/.gpu} data=${DATA:-$proj/../shared/data/flowers}
py=${PYTHON:-$proj/.venv/bin/python}
[ -n "${PYTHON:-}" ] || [ -x "$py" ] || py=python3

# The rest (torch, torchvision, numpy, scipy, pillow, nvidia-ml-py, tqdm, matplotlib) is there.
names=(textual rich pygments markdown-it-py mdurl mdit-py-plugins linkify-it-py uc-micro-py
  platformdirs typing-extensions msgspec plotext torch-lr-finder
  pytest iniconfig pluggy packaging pytest-asyncio pytest-xdist execnet hypothesis sortedcontainers)

if [ -e "$to" ] && [ ! -f "$to/.proj/commit" ]; then
  echo "$to was not made by this script: remove it yourself, or name another folder" >&2
  exit 1
fi
rm -rf "$to"
mkdir -p "$to/tools/gpu" "$to/.whl" "$to/.proj/clr-tui" "$to/data"
git -C "$proj" rev-parse HEAD >"$to/.proj/commit"
cp "$here"/*.sh "$here"/*.py "$to/tools/gpu/"
[ ! -d "$data" ] || cp -r "$data" "$to/data/"
chmod -R u+w "$to"

mapfile -t wanted < <("$py" -c '
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        print(f"{name}=={importlib.metadata.version(name)}")
    except importlib.metadata.PackageNotFoundError:
        print(name)  # not installed here: the newest
' "${names[@]}")
platforms=()
for glibc in 2_28 2_27 2_17 2014 1; do
  case $glibc in 2_*) tag=manylinux_$glibc ;; *) tag=manylinux$glibc ;; esac
  platforms+=(--platform "${tag}_x86_64")
done
# shellcheck disable=SC2086 # EXTRA_WHEELS is a list
"$py" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
  --python-version "${PYTHON_THERE:-3.12}" --implementation cp "${platforms[@]}" \
  -d "$to/.whl" "${wanted[@]}" ${EXTRA_WHEELS:-}

git -C "$proj" archive HEAD -- . ':(exclude)screenshots' | tar x -C "$to/.proj/clr-tui"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
git -C "$proj" archive HEAD | tar x -C "$build"
"$py" -m pip wheel -q --disable-pip-version-check --no-deps -w "$to/.whl" "$build"
echo "commit $(cut -c1-9 "$to/.proj/commit"), $(ls "$to/.whl" | wc -l) wheels," \
  "images: $(ls "$to/data" | head -1 | grep . || echo 'none, the digits will do')," \
  "$(du -sm "$to" | cut -f1) MiB in $to"
