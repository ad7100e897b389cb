#!/usr/bin/env bash
# Makes sure that the programs of PostgreSQL (15 or newer) and Redis are on the
# machine. Only the programs are wanted: internal/devstack starts private servers
# from them, and the distribution's own server stays off.
#
# As root on Debian and its kin, what is missing is installed. Everybody else is
# told what to install, and goes on where it is there already.
set -euo pipefail

version_min=15

# newest_postgres prints the major version of the newest PostgreSQL whose initdb
# and postgres lie in one folder, as devstack looks for it; nothing if there is none.
newest_postgres() {
  local folder version newest=0
  local -a folders
  IFS=: read -ra folders <<<"$PATH"
  if [[ -n ${PG_BIN:-} ]]; then
    folders=("$PG_BIN")
  else
    folders+=(/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin
      /usr/local/opt/postgresql@*/bin /Library/PostgreSQL/*/bin /usr/libexec/postgresql[1-9]* /usr/local/pgsql/bin)
  fi
  for folder in "${folders[@]}"; do
    [[ -x $folder/initdb && -x $folder/postgres ]] || continue
    version=$("$folder/postgres" --version | sed -nE 's/.*\(PostgreSQL\) ([0-9]+).*/\1/p')
    ((${version:-0} > newest)) && newest=$version
  done
  ((newest == 0)) || echo "$newest"
}

has_postgres() {
  local version
  version=$(newest_postgres)
  ((${version:-0} >= version_min))
}

has_redis() {
  local program
  for program in "${REDIS_SERVER:-}" redis-server valkey-server /usr/bin/redis-server /usr/local/bin/redis-server /opt/homebrew/bin/redis-server; do
    [[ -n $program ]] && command -v "$program" >/dev/null && return
  done
  return 1
}

# install_debian installs packages without starting the services in them: where
# nothing forbids that yet, a policy does for as long as this takes.
install_debian() {
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    # shellcheck disable=SC2064 # the path of now is meant
    trap "rm -f '$policy'" EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o DPkg::Lock::Timeout=120 update
  apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

main() {
  local -a missing=()
  has_postgres || missing+=(postgresql)
  has_redis || missing+=(redis-server)
  ((${#missing[@]})) || return 0

  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    install_debian "${missing[@]}" >&2
  fi
  if ! has_redis; then
    echo "no redis-server found: the queue will be kept in memory, and tests of durability are skipped" >&2
    echo "  install it (Debian: apt-get install redis-server), or set REDIS_SERVER to its path" >&2
  fi
  if ! has_postgres; then
    echo "no PostgreSQL $version_min or newer found; do one of:" >&2
    echo "  install it (Debian: apt-get install postgresql; macOS: brew install postgresql@17)" >&2
    echo "  set PG_BIN to the folder that holds its initdb and postgres" >&2
    echo "  set DATABASE_URL (for tests: TEST_DATABASE_URL) to a server that runs" >&2
    [[ -n ${DATABASE_URL:-}${TEST_DATABASE_URL:-} ]]
  fi
}

main
