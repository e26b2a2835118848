# Steps with names and times, for the other scripts.

steps=()
started=$SECONDS

step() { # name, command...
  local name=$1 from=$SECONDS
  shift
  echo
  echo "== $name"
  if ! "$@"; then
    echo "== $name: FAILED after $((SECONDS - from)) s ($*)" >&2
    exit 1
  fi
  steps+=("$(printf '%5d s  %s' "$((SECONDS - from))" "$name")")
  echo "== $name: fine, $((SECONDS - from)) s"
}

limit() { # seconds, command...: macOS has no timeout
  if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi
}

warnings=()
warn() {
  warnings+=("$*")
  echo "WARNING: $*" >&2
}

summary() {
  echo
  printf '%s\n' "${steps[@]}"
  [ ${#warnings[@]} = 0 ] || printf 'WARNING: %s\n' "${warnings[@]}"
  echo "all steps fine in $((SECONDS - started)) s"
}
