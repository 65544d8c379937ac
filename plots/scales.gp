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
OTHERS = 'for [k = 1:REST] ROWS index block(p, N_SHOWN + k) using 1:(100 * $2) '. \
    'with '.(TERM ? 'points pointtype "."' : 'steps linewidth 0.6').' linecolor rgb "#'.GREY.'", '
# Lines that coincide are seen as bands: the first is the widest.
SHOWN = 'for [g = 1:N_SHOWN] ROWS index block(p, g) using 1:(100 * $2) with steps '. \
    'linewidth (0.9 + 2.6 * (N_SHOWN - g) / N_SHOWN) dashtype dash(g) linecolor rgb colour(g)'
LETTERS = 'for [g = 1:N_SHOWN] ROWS index block(p, g) using 1:(100 * $2) '. \
    'with points pointtype letter(g) linecolor rgb colour(g)'
PLOT = "plot ".(REST > 0 ? OTHERS : "").SHOWN.also(TERM, LETTERS.", ".GROUP_ENTRIES)

name_y = plain(narrow(7) ? "share of steps (%)" : "steps with at most this scale (%)")
name_x = "scale".(THINNED ? sprintf(" (%d quantiles)", THINNED) : "")
number_x = LOG ? decades(X_MIN, X_MAX) : "%g"
do for [p = 1:N_POLICIES] {
    eval panel(p)
    TITLE = POLICY[p].(TERM ? ": % of steps with at most this scale" : "")
    NOTE = MODES[p]
    eval PANEL_HEAD
    set format y (outer_left(p) ? "%g" : "")
    set format x (outer_below(p) ? number_x : "")
    set ylabel (outer_left(p) ? name_y : "") offset 0, 0
    set xlabel (outer_below(p) ? name_x : "") offset 0, LIFT
    eval PLOT
}
eval foot
