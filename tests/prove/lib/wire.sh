# wire PRESET ROUNDS TEST [PYTEST ARGUMENT …]: builds that preset and runs the wire test with that many rounds in a private
# network and mount namespace. AZSACR_ROUNDS and AZSACR_PROGRAM, when set, win.
wire() {
  local preset=$1 rounds=$2; shift 2
  script/install build test >&2
  export AZSACR_PROGRAM=${AZSACR_PROGRAM:-$(script/build "$preset")}
  export AZSACR_ROUNDS=${AZSACR_ROUNDS:-$rounds}
  echo "$(date -u +%Y-%m-%d) $(git rev-parse --short HEAD) $preset, AZSACR_ROUNDS=$AZSACR_ROUNDS: $*"
  unshare --mount --net -- bash -c \
    'ip link set lo up && AZSACR_PRIVATE_NETWORK=1 exec /usr/bin/python3 -m pytest -p no:cacheprovider -q -s "$@"' pytest "$@"
}
