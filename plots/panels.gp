# panels.gp - the norms as recorded beside what each policy would have let through.
#
# Columns of panels.tsv: step, norm, median (running), group, panel.  Data blocks: the groups of
# the first panel, most energy first, then those of the second, and so on.  Of long runs each bin
# of BIN steps gives two rows, its smallest and its largest.
eval grid(N_PANELS, left_of_axis(Y_MAX, LOG))
has_median = WINDOW > 1
shown = has_median ? 3 : 2

eval tics_across(COLUMN_W - 0.16)
set xrange [X_FIRST:X_LAST]
set yrange [Y_MIN:Y_MAX]
if (LOG) set logscale y
if (LOG) eval between("y", Y_MIN, Y_MAX)
block(i, g) = (i - 1) * N_GROUPS + g
# Back to front, so that the groups with most energy lie on top.
THIN = 'for [k = 1:N_SHOWN] ROWS index block(i, N_SHOWN + 1 - k) using 1:(has_median ? $2 : NaN) '. \
    'with lines linewidth 0.4 linecolor rgb faint(N_SHOWN + 1 - k)'
OTHERS = 'for [k = 1:REST] ROWS index block(i, N_GROUPS + 1 - k) using 1:shown '. \
    (TERM ? 'with points pointtype "."' : 'with lines').' linewidth 0.4 linecolor rgb "#'.GREY.'"'
THICK = 'for [k = 1:N_SHOWN] ROWS index block(i, N_SHOWN + 1 - k) using 1:shown with '. \
    (TERM ? 'points pointtype letter(N_SHOWN + 1 - k)' : \
     LINES.' linewidth (has_median ? 1.3 : 0.8) dashtype dash(N_SHOWN + 1 - k)'). \
    ' linecolor rgb colour(N_SHOWN + 1 - k)'
set key outside right top vertical Left reverse     # in a terminal, beside each panel
do for [i = 1:N_PANELS] {
    eval panel(i)
    TITLE = i == 1 ? "recorded" : "after ".short(PANEL[i], 32)
    NOTE = i > 1 ? CHANGED[i] : has_median ? sprintf("%srunning median, %d steps", TERM ? "" : "thick: ", WINDOW) : "every step"
    eval HEAD
    set format y (!outer_left(i) ? "" : LOG ? decades(Y_MIN, Y_MAX) : "%g")
    set format x (outer_below(i) ? "%g" : "")
    if (outer_left(i)) { set ylabel "gradient norm (L2)" offset 0.5, 0 } else { unset ylabel }
    if (outer_below(i)) { set xlabel "step" offset 0, LIFT } else { unset xlabel }
    eval "plot ".(REST > 0 ? OTHERS.", " : "").(TERM ? "" : THIN.", ").THICK.(TERM ? ", ".GROUP_ENTRIES : "")
}
if (!TERM) eval foot
if (!TERM) unset multiplot
