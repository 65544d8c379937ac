#!/bin/bash
# report_browser.sh - a real browser loads a page of `gradtrace report`: it complains of nothing,
# has all figures at their size, sorts tables by click, reads well in the dark, fits a phone, and
# prints.
#
#     tests/report_browser.sh [FOLDER]      keep pictures of the page in FOLDER
#
# The page asks for nothing, so the browser is given no network.
set -u
here=$(cd "$(dirname "$0")" && pwd)
program=${GRADTRACE:-${BUILD:-build}/gradtrace}

for browser in chromium chromium-browser google-chrome; do
    command -v $browser >/dev/null && break
    browser=
done
[ -n "$browser" ] || exec "$here/skip.sh" no chromium here
command -v gnuplot >/dev/null || exec "$here/skip.sh" no gnuplot here

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { # SENTENCE STATUS [WHAT]
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1: ${3-}"
    fi
}

browse() { # OPTIONS: what it says of the page goes to log
    timeout 60 $browser --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$work/profile" --host-resolver-rules='MAP * ~NOTFOUND' \
        --hide-scrollbars --enable-logging=stderr "$@" 2>>"$work/log"
}

# Runs a script in a copy of the page; it leaves its answer in the title.
ask() { # SCRIPT [OPTIONS]
    local script=$1
    shift
    sed 's,</body>,,;s,</html>,,' "$work/page.html" >"$work/asked.html"
    echo "<script>document.title=String((function(){$script})())</script></body></html>" \
        >>"$work/asked.html"
    browse --dump-dom "$@" "file://$work/asked.html" | sed -n 's/.*<title>\([^<]*\).*/\1/p' |
        head -n 1
}
is() { # SENTENCE WANTED GOT
    [ "$2" = "$3" ]
    check "$1" $? "wanted $2, got $3"
}

"$program" report "$here/../traces/lora.h5" -o "$work/page.html" || exit 1

wanted=$(grep -c '^<figure ' "$work/page.html")
is "every figure is there, with a width and a height" "$wanted" \
    "$(ask 'return [...document.querySelectorAll("figure svg")].filter(s=>{
        const b=s.getBoundingClientRect();return b.width>300&&b.height>150}).length')"
is "no two elements have one id" 0 "$(ask '
    const ids=[...document.querySelectorAll("[id]")].map(e=>e.id);
    return ids.length-new Set(ids).size')"
is "every link leads somewhere" "" "$(ask '
    return [...document.querySelectorAll("a[href]")].map(a=>a.getAttribute("href")).filter(h=>
        !document.getElementById(h.slice(1))).join(" ")')"
is "nothing was fetched" 0 "$(ask 'return performance.getEntriesByType("resource").length')"
is "a click on a number sorts from the largest" "true descending" "$(ask '
    const t=document.getElementById("table-groups"),h=t.tHead.rows[0].cells[3];
    h.querySelector("button").click();
    const v=[...t.tBodies[0].rows].map(r=>+r.cells[3].dataset.value);
    return v.every((x,i)=>i===0||x<=v[i-1])+" "+h.getAttribute("aria-sort")')"
is "a second click turns it around" "true ascending" "$(ask '
    const t=document.getElementById("table-groups"),h=t.tHead.rows[0].cells[3];
    h.querySelector("button").click();h.querySelector("button").click();
    const v=[...t.tBodies[0].rows].map(r=>+r.cells[3].dataset.value);
    return v.every((x,i)=>i===0||x>=v[i-1])+" "+h.getAttribute("aria-sort")')"
is "names are sorted by their letters" true "$(ask '
    const t=document.getElementById("table-groups");
    t.tHead.rows[0].cells[0].querySelector("button").click();
    const v=[...t.tBodies[0].rows].map(r=>r.cells[0].textContent);
    return v.every((x,i)=>i===0||x>=v[i-1])')"
is "the page is not wider than the window of a phone" true "$(ask '
    return document.documentElement.scrollWidth<=
        document.documentElement.clientWidth' --window-size=500,900)"
# What text has of contrast with its ground, least of all that there is (WCAG: 4.5).
contrast='
    const c=s=>s.match(/[\d.]+/g).slice(0,3).map(Number).map(v=>(v/=255)<=.03928?v/12.92:
        Math.pow((v+.055)/1.055,2.4)).reduce((a,v,i)=>a+v*[.2126,.7152,.0722][i],0);
    const ground=c(getComputedStyle(document.body).backgroundColor);
    const ratio=e=>{const l=c(getComputedStyle(e).color);
        return (Math.max(l,ground)+.05)/(Math.min(l,ground)+.05)};
    return (ground<.5?"dark ":"light ")+[...document.querySelectorAll(
        "p,a,td,th,figcaption,h1,h2,dt,dd,caption,.badge")].every(e=>ratio(e)>=4.5)'
is "text stands out in the light" "light true" \
    "$(ask "$contrast" --blink-settings=preferredColorScheme=1)"
is "text stands out in the dark" "dark true" \
    "$(ask "$contrast" --blink-settings=preferredColorScheme=0)"
browse --print-to-pdf="$work/page.pdf" --no-pdf-header-footer "file://$work/page.html" >/dev/null
[ "$(head -c 4 "$work/page.pdf" 2>/dev/null)" = %PDF ]
check "it prints" $? "no PDF"
if [ $# -gt 0 ]; then
    mkdir -p "$1"
    for scheme in 0:dark 1:light; do
        browse --blink-settings=preferredColorScheme=${scheme%:*} --window-size=1000,11000 \
            --screenshot="$1/${scheme#*:}.png" "file://$work/page.html"
    done
    cp "$work/page.pdf" "$1/page.pdf"
fi

! grep -E 'CONSOLE' "$work/log" >"$work/console"
check "the browser complains of nothing" $? "$(head -n 3 "$work/console")"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
