#!/bin/sh
# Installs what building and testing need, says what and why, and asks nothing. Safe to run again: when everything is
# there it ends at once, without the network.
#   scripts/setup.sh          everything that `make test` uses
#   scripts/setup.sh --demo   only what `make demo` needs to build
set -eu
cd "$(dirname "$0")/.."

demo_only=false
case "${1:-}" in
  --demo) demo_only=true ;;
  "") ;;
  *) echo "setup: unknown argument $1; known: --demo" >&2; exit 2 ;;
esac

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# Debian or Ubuntu package, Homebrew formula or -, reason. One line each; the list is the documentation.
demo_packages="
gcc          -        C compiler, for ring (TLS) and the linker
g++          -        C++ compiler, for openh264 (H.264 encoder)
libc6-dev    -        headers of the C library
make         -        runs the Makefile
nasm         nasm     assembler, for openh264: without it encoding costs 2.5 times the CPU
"
test_packages="
ffmpeg                          ffmpeg              makes camera clips, judges recordings, is the measure in the benchmarks
nginx                           -                   RTMP destination of the tests
libnginx-mod-rtmp               -                   its RTMP module
libnginx-mod-stream             -                   its TLS front, for RTMPS
python3                         python@3            runs the test cameras and the benchmark harness
python3-gi                      pygobject3          lets Python use GStreamer
gir1.2-gst-rtsp-server-1.0      gstreamer           RTSP server of the test cameras
gstreamer1.0-plugins-base       -                   its sources
gstreamer1.0-plugins-good       -                   its RTP payloaders and MP4 reader
gstreamer1.0-plugins-bad        -                   its H.264 and H.265 parsers
glib-networking                 glib-networking     its TLS, for rtsps://
openssl                         openssl@3           makes throw-away certificates
ca-certificates                 -                   lets cargo fetch crates over TLS
python3-venv                    -                   keeps the ONVIF client of the tests to itself
procps                          -                   process figures for the benchmarks
fonts-dejavu-core               -                   font of FFmpeg's side of the benchmarks
"
# Other processors, for the golden pictures. Their emulator runs on one only.
if [ "$(uname -sm)" = "Linux x86_64" ]; then
  test_packages="$test_packages
qemu-user                       -                   runs the golden tests as other processors would
"
  [ -z "${MACHINES_ALL:-}" ] || test_packages="$test_packages
gcc-aarch64-linux-gnu           -                   links them for ARM64
libc6-dev-arm64-cross           -                   its C library
"
fi

packages=$demo_packages
$demo_only || packages="$demo_packages$test_packages"

install_debian() {
  missing=""
  nginx_was_here=true
  while read -r name _ reason; do
    [ -n "$name" ] || continue
    if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q "ok installed"; then
      [ "$name" = nginx ] && nginx_was_here=false
      missing="$missing $name"
      say "needs $name: $reason"
    fi
  done <<LIST
$packages
LIST
  [ -n "$missing" ] || { say "all system packages are there"; return; }

  root=""
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo. Install as root:$missing"
    root="sudo"
  fi
  say "installing:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing </dev/null ||
    { $root apt-get -q update </dev/null &&
      $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing </dev/null; } ||
    fail "apt-get could not install:$missing"
  # Debian starts a web server with the package. The tests start their own; do not leave one on port 80.
  if ! $nginx_was_here && [ -d /run/systemd/system ] && ! $demo_only; then
    say "the nginx package starts a service: switching it off, the tests start their own"
    $root systemctl disable --now nginx || say "could not switch off the nginx service; see systemctl status nginx"
  fi
}

install_macos() {
  xcode-select -p >/dev/null 2>&1 || fail "no C compiler: run xcode-select --install, then again"
  command -v brew >/dev/null || fail "Homebrew is missing: see https://brew.sh, then run again"
  have=$(brew list --formula -1)
  missing=""
  while read -r _ name reason; do
    [ -n "$name" ] && [ "$name" != - ] || continue
    if ! echo "$have" | grep -qx "${name%@*}\(@.*\)\{0,1\}"; then
      missing="$missing $name"
      say "needs $name: $reason"
    fi
  done <<LIST
$packages
LIST
  # shellcheck disable=SC2086
  [ -z "$missing" ] || brew install -q $missing </dev/null || fail "brew could not install:$missing"
  if ! $demo_only && ! ls /opt/homebrew/lib/nginx/modules/ngx_rtmp_module.so >/dev/null 2>&1; then
    say "Homebrew's nginx has no RTMP module: the tests that publish to nginx will fail here and say so"
  fi
}

if command -v apt-get >/dev/null; then
  install_debian
elif [ "$(uname)" = Darwin ]; then
  install_macos
else
  say "neither apt-get nor macOS; install the like of these yourself:"
  echo "$packages" | sed '/^$/d; s/^/  /'
fi

command -v cargo >/dev/null || fail "no cargo on PATH: install Rust, see https://rustup.rs"
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -1)
actual=$(rustc --version | cut -d' ' -f2)
[ "$(printf '%s\n%s\n' "$wanted" "$actual" | sort -V | head -1)" = "$wanted" ] ||
  fail "rustc $actual is too old: $wanted or newer is needed (rustup update stable)"
$demo_only && exit 0

for part in clippy fmt; do
  cargo "$part" --version >/dev/null 2>&1 && continue
  component=$([ "$part" = fmt ] && echo rustfmt || echo clippy)
  command -v rustup >/dev/null || fail "cargo $part is missing: install the component $component of your Rust"
  say "adding Rust component $component"
  rustup component add "$component"
done

# ONVIF clients that others wrote, for the simulated camera. Kept under .peers, with their dependencies.
if [ ! -x .peers/onvif-zeep/bin/python ] || [ ! -f .peers/onvif-zeep/ready ]; then
  say "installing onvif-zeep from PyPI: an ONVIF client of the tests"
  python3 -m venv .peers/onvif-zeep && .peers/onvif-zeep/bin/python -m pip -q install onvif-zeep==0.2.12 &&
    touch .peers/onvif-zeep/ready || fail "onvif-zeep could not be installed"
fi
if [ ! -d .peers/onvif-npm/node_modules/onvif ]; then
  # By its command: other packages than Debian's bring it too, and cannot be installed beside it.
  if ! command -v npm >/dev/null; then
    say "needs npm: installs an ONVIF client of the tests"
    if command -v apt-get >/dev/null; then
      sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
      $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install npm </dev/null ||
        fail "apt-get could not install npm"
    else
      brew install -q node </dev/null || fail "brew could not install node"
    fi
  fi
  say "installing onvif from npm: another ONVIF client of the tests"
  mkdir -p .peers/onvif-npm
  npm --silent --no-audit --no-fund --prefix .peers/onvif-npm install onvif@0.8.3 </dev/null || fail "npm could not install onvif"
fi

# ONVIF devices that others wrote, for our client. A workspace of their own: the product's lock file has none of it. About
# 200 seconds of compiling on one core, once.
devices=vistter-ptz/tests/peers/devices
if [ ! -x .peers/devices/debug/onvif-devices ] || [ ! -f .peers/devices/ready ] ||
  [ "$devices/src/main.rs" -nt .peers/devices/ready ] || [ "$devices/Cargo.lock" -nt .peers/devices/ready ]; then
  say "building oxvif's mock and onvif-server: ONVIF devices of the tests"
  cargo build -q --locked --manifest-path "$devices/Cargo.toml" --target-dir .peers/devices &&
    touch .peers/devices/ready || fail "the ONVIF devices of the tests could not be built"
fi

# Its result is kept in ~/.cargo/bin. Unoptimised: it runs for two seconds, but takes minutes to compile.
if ! command -v cargo-deny >/dev/null && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-deny" ]; then
  say "installing cargo-deny (checks licences and banned crates of all dependencies); takes some minutes, once"
  CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_INCREMENTAL=false \
    cargo install -q --locked --debug --target-dir "${CARGO_TARGET_DIR:-target}/tools" cargo-deny ||
    fail "cargo install cargo-deny failed"
  rm -rf "${CARGO_TARGET_DIR:-target}/tools"
fi
say "ready"
