# tails.gp - how often each group's norm is at least x times its median.
#
# Columns of tails.tsv: ratio (norm over its median), share of the steps with at least this ratio,
# group.  Data blocks: the groups, most energy first.  Both axes are logarithmic, so that a power
# law is a straight line; ALPHA is its slope by Hill's estimate over the largest TAIL of the norms,
# and ERROR its standard error.
# As many digits as the error has.
digits(g) = ERROR[g] >= 1.95 ? "  %.0f ± %.0f" : ERROR[g] >= 0.095 ? "  %.1f ± %.1f" : \
    "  %.2f ± %.2f"
slope(g) = GROUP[g]. \
    (ALPHA[g] == ALPHA[g] ? sprintf(digits(g), ALPHA[g], ERROR[g]) : "")
letters = 8
do for [g = 1:N_SHOWN] { letters = at_least(letters, strlen(slope(g))) }
below = narrow(5.4) && !TERM
n_entries = N_SHOWN + (REST > 0)
legend_across = entries_across(inches(WIDTH, 5.4), letters)
foot = below ? LEGEND_ROW * ((n_entries + legend_across - 1) / legend_across) + 0.05 : 0
bottom_h = PAPER ? 0.38 : 0.5
eval terminal(5.4 + beyond(letters), HEAD_H + (PAPER ? 1.9 : 2.6) + bottom_h + foot)
TITLE = "Tails of the norms, ".TRACE
NOTE = sprintf("slope (Hill) of the largest %s, ± its standard error", TAIL_SHARE). \
    " if steps were independent"
if (TERM) NOTE = "share of steps with at least this norm over its median"
eval HEAD
right_edge = 1 - (below ? 0.1 : 0.46 + LETTER * letters) / PICTURE_W
top_edge = 1 - HEAD_H / PICTURE_H
if (TERM) {
    set tmargin 3
    set key outside right top vertical Left reverse
} else {
    eval edges(left_of_axis(100, 1) / PICTURE_W, right_edge, top_edge, \
        (bottom_h + foot) / PICTURE_H)
    set multiplot
    if (below) {
        unset key
    } else {
        set key at screen right_edge + 0.01, screen top_edge left top vertical maxrows 24 Left
        set key reverse samplen 1.2
        if (N_SHOWN > 10) { set key font small spacing 0.9 * SPACING samplen 2.2 }
    }
}
low = 0.5
high = at_least(2.2, RATIO_MAX * 1.1)
floor_y = 0.7 / N_NORMS
set logscale xy
set xrange [low:high]
set yrange [100 * floor_y:100]
set format x decades(low, high)
set format y decades(100 * floor_y, 100)
eval between("x", low, high)
eval between("y", 100 * floor_y, 100)
if (few_decades(low, high) && high < 10) { set xtics add (3, 4, 7) }
set xlabel "norm / its median" offset 0, LIFT
set ylabel plain("steps with at least this (%)") offset 0.5, 0
back(k) = N_SHOWN + 1 - k
OTHERS = 'for [k = 1:REST] ROWS index N_GROUPS + 1 - k using 1:(100 * $2) with '. \
    (TERM ? 'points pointtype "."' : 'lines linewidth 0.5').' linecolor rgb "#'.GREY.'", '
SHOWN = 'for [k = 1:N_SHOWN] ROWS index back(k) using 1:(100 * $2) with '. \
    (TERM ? 'points pointtype letter(back(k))' : 'lines linewidth 1.3 dashtype dash(back(k))'). \
    ' linecolor rgb colour(back(k)), '
START = TERM ? "" : '100 * TAIL with lines linewidth 0.6 dashtype 3 linecolor rgb "#444444", '
ENTRIES = 'for [g = 1:N_SHOWN] keyentry with '.GROUP_SAMPLE. \
    ' linecolor rgb colour(g) title plain(slope(g))'. \
    also(REST > 0, 'keyentry with '.REST_SAMPLE.' linecolor rgb "#'.GREY.'" title rest_title')
eval "plot ".(REST > 0 ? OTHERS : "").SHOWN.START.ENTRIES
if (below) {
    eval foot_key(legend_across, 0.02)
    eval "plot [0:1] [0:1] 2, ".ENTRIES
}
if (!TERM) unset multiplot
