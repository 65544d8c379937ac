#!/bin/bash
# deps.sh - find what is missing to build, show and test gradtrace, and install it.
#
#     tests/deps.sh [all|build]      build: leave out what only the tests need
#
# Each row below is one need: how to see whether it is there, and its package for each package
# manager ("-": none).  If all are there nothing is done.  Otherwise the system's own package
# manager installs what is missing, if this user may (root, or sudo without a password); if not,
# the line to type is printed and the exit status is 1.
set -u

# for   there if       apt-get              dnf                pacman         zypper          brew
needs='
build cmd:gcc        gcc                  gcc                gcc            gcc             gcc
build cmd:make       make                 make               make           make            make
build cmd:pkg-config pkg-config           pkgconf-pkg-config pkgconf        pkg-config      pkgconf
build h:stdio.h      libc6-dev            glibc-devel        glibc          glibc-devel     -
build lib:hdf5       libhdf5-dev          hdf5-devel         hdf5           hdf5-devel      hdf5
build lib:json-c     libjson-c-dev        json-c-devel       json-c         libjson-c-devel json-c
build lib:zlib       zlib1g-dev           zlib-devel         zlib           zlib-devel      zlib
build host:g++       g++                  gcc-c++            gcc            gcc-c++         gcc
build cmd:gnuplot    gnuplot-nox          gnuplot            gnuplot        gnuplot         gnuplot
test  cmd:g++        g++                  gcc-c++            gcc            gcc-c++         gcc
test  cmd:clang      clang                clang              clang          clang           llvm
test  mpi:mpicc      libopenmpi-dev       -                  openmpi        -               open-mpi
test  mpi:mpirun     openmpi-bin          -                  openmpi        -               open-mpi
test  browser:any    chromium             chromium           chromium       chromium        -
test  py:numpy       python3-numpy        python3-numpy      python-numpy   python3-numpy   numpy
test  py:h5py        python3-h5py         python3-h5py       python-h5py    python3-h5py    -
test  py:torch       python3-torch        python3-torch      python-pytorch python3-torch   pytorch
test  py:torch       libopenblas0-pthread -                  -              -               -'

is_there() {
    local name=${1#*:}
    case $1 in
    cmd:*) command -v "$name" ;;
    host:*) ! command -v nvcc || command -v "$name" ;; # nvcc stands on it
    # Where MPIs are modules, which one to load is the user's choice.
    mpi:*) [ "$manager" = dnf ] || [ "$manager" = zypper ] || command -v "$name" ;;
    # Only one test wants one: it is left out where there is no plain package.
    browser:*) command -v chromium || command -v chromium-browser || command -v google-chrome ||
        [ "$manager" = brew ] || { [ "$manager" = apt-get ] && ! apt-cache show chromium; } ;;
    h:*) echo "#include <$name>" | gcc -E - ;;
    lib:*) pkg-config --exists "$name" ;;
    py:*) has_module /usr/bin/python3 "$name" || has_module python3 "$name" ;;
    esac >/dev/null 2>&1
}

has_module() {
    "$1" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$2') is None)"
}

for manager in apt-get dnf pacman zypper brew none; do
    command -v $manager >/dev/null && break
done
case $manager in
apt-get) column=3 install='apt-get install -y --no-install-recommends' ;;
dnf) column=4 install='dnf install -y' ;;
pacman) column=5 install='pacman -S --noconfirm --needed' ;;
zypper) column=6 install='zypper --non-interactive install' ;;
brew) column=7 install='brew install' ;;
none) column=3 install= ;;
esac

missing=() packages=()
while read -r -a row; do
    [ ${#row[@]} -eq 0 ] && continue
    [ "${1:-all}" = build ] && [ "${row[0]}" != build ] && continue
    is_there "${row[1]}" && continue
    [[ " ${missing[*]} " = *" ${row[1]#*:} "* ]] || missing+=("${row[1]#*:}")
    package=${row[column - 1]}
    [ "$package" != - ] && packages+=(${package//,/ })
done <<<"$needs"

if [ ${#missing[@]} -eq 0 ]; then
    echo "make deps: nothing to do, all there"
    exit 0
fi
echo "make deps: missing: ${missing[*]}"
if [ -z "$install" ]; then
    echo "make deps: no package manager known here; on Debian these are: ${packages[*]}" >&2
    exit 1
fi

may=
if [ "$(id -u)" -ne 0 ] && [ "$manager" != brew ]; then
    may='sudo '
    if ! sudo -n true 2>/dev/null; then
        update=
        [ "$manager" = apt-get ] && update='sudo apt-get update && '
        echo "make deps: not allowed to install; type:  ${update}sudo $install ${packages[*]}" >&2
        exit 1
    fi
fi
[ "$manager" = apt-get ] && ${may}apt-get update -q
# Through env, because sudo drops the environment.
${may}env DEBIAN_FRONTEND=noninteractive $install "${packages[@]}" || exit 1

still=()
for need in $(awk -v only="${1:-all}" 'NF && (only != "build" || $1 == only) { print $2 }' \
    <<<"$needs"); do
    is_there "$need" || still+=("${need#*:}")
done
if [ ${#still[@]} -gt 0 ]; then
    echo "make deps: still missing after the installation: ${still[*]}" >&2
    exit 1
fi
echo "make deps: all there now"
