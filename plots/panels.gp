# panels.gp - the norms as recorded beside what each policy would have let through.
#
# Columns of panels.tsv: step, norm, median (running), group, panel.  Data blocks: the groups of
# the first panel, most energy first, then those of the second, and so on.  Of long runs each bin
# of BIN steps gives two rows, its smallest and its largest.
has_median = WINDOW > 1
shown = has_median ? 3 : 2
eval grid(N_PANELS, left_of_axis(Y_MAX, LOG))

eval tics_across(COLUMN_W - 0.16)
set xrange [X_FIRST:X_LAST]
set yrange [Y_MIN:Y_MAX]
if (LOG) set logscale y
if (LOG) eval between("y", Y_MIN, Y_MAX)

# Back to front, so that the groups with most energy lie on top.
block(i, g) = (i - 1) * N_GROUPS + g
back(k) = N_SHOWN + 1 - k
raw(y) = has_median ? y : NaN
REST_STYLE = TERM ? 'points pointtype "."' : 'lines linewidth 0.4'
GROUP_STYLE = TERM ? 'points pointtype letter(back(k))' : \
    LINES.' linewidth (has_median ? 1.3 : 0.8) dashtype dash(back(k))'
THIN = 'for [k = 1:N_SHOWN] ROWS index block(i, back(k)) using 1:(raw($2)) '. \
    'with lines linewidth 0.4 linecolor rgb faint(back(k)), '
OTHERS = 'for [k = 1:REST] ROWS index block(i, N_GROUPS + 1 - k) using 1:shown '. \
    'with '.REST_STYLE.' linecolor rgb "#'.GREY.'", '
THICK = 'for [k = 1:N_SHOWN] ROWS index block(i, back(k)) using 1:shown '. \
    'with '.GROUP_STYLE.' linecolor rgb colour(back(k))'
PLOT = "plot ".(REST > 0 ? OTHERS : "").(TERM ? "" : THIN).THICK.also(TERM, GROUP_ENTRIES)

MEDIAN_MEANS = sprintf("%srunning median, %d steps", TERM ? "" : "thick: ", WINDOW)
FIRST_NOTE = has_median ? MEDIAN_MEANS : "every step"
number_y = LOG ? decades(Y_MIN, Y_MAX) : "%g"
do for [i = 1:N_PANELS] {
    eval panel(i)
    TITLE = i == 1 ? "recorded" : "after ".POLICY[i - 1]
    NOTE = i == 1 ? FIRST_NOTE : CHANGED[i]
    eval PANEL_HEAD
    set format y (outer_left(i) ? number_y : "")
    set format x (outer_below(i) ? "%g" : "")
    set ylabel (outer_left(i) ? "gradient norm (L2)" : "") offset 0.5, 0
    set xlabel (outer_below(i) ? "step" : "") offset 0, LIFT
    eval PLOT
}
eval foot
