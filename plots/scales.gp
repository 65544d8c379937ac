# scales.gp - how the scales of each policy are distributed, group by group.
#
# Columns of scales.tsv: scale, share of the steps with at most this scale, group, policy.  Data
# blocks: the groups of the first policy, most energy first, then those of the second, and so on.
# THINNED: if a group had more different scales than that, so many quantiles are drawn.
eval grid(N_POLICIES, left_of_axis(100, 0))
set xrange [X_MIN:X_MAX]
set yrange [0:TERM ? 110 : 100]
if (LOG) set logscale x
if (LOG) eval between("x", X_MIN, X_MAX)
block(p, g) = (p - 1) * N_GROUPS + g
set key outside right top vertical Left reverse     # in a terminal, beside each panel
OTHERS = 'for [k = 1:REST] ROWS index block(p, N_SHOWN + k) using 1:(100 * $2) with '. \
    (TERM ? 'points pointtype "."' : 'steps').' linewidth 0.6 linecolor rgb "#'.GREY.'"'
# Lines that coincide are seen as bands: the first is the widest.
SHOWN = 'for [g = 1:N_SHOWN] ROWS index block(p, g) using 1:(100 * $2) with '. \
    (TERM ? 'steps linecolor rgb colour(g), for [g = 1:N_SHOWN] ROWS index block(p, g) using 1:(100 * $2) '. \
     'with points pointtype letter(g)' : 'steps linewidth (0.9 + 2.6 * (N_SHOWN - g) / N_SHOWN) dashtype dash(g)'). \
    ' linecolor rgb colour(g)'
do for [p = 1:N_POLICIES] {
    eval panel(p)
    TITLE = short(POLICY[p], 34).(TERM ? ": % of steps with at most this scale" : "")
    NOTE = MODES[p]
    eval HEAD
    set format y (outer_left(p) ? "%g" : "")
    set format x (!outer_below(p) ? "" : LOG ? decades(X_MIN, X_MAX) : "%g")
    if (outer_left(p)) { set ylabel plain("steps with at most this scale (%)") offset 0, 0 } else { unset ylabel }
    if (outer_below(p)) { set xlabel "scale".(THINNED ? sprintf(" (%d quantiles)", THINNED) : "") offset 0, LIFT } else { unset xlabel }
    eval "plot ".(REST > 0 ? OTHERS.", " : "").SHOWN.(TERM ? ", ".GROUP_ENTRIES : "")
}
if (!TERM) eval foot
if (!TERM) unset multiplot
