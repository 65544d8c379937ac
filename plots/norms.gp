# norms.gp - the norm of each group over the run, the whole gradient's, and the loss below.
#
# Columns of norms.tsv: step, value, median (running), series.  Data blocks 1 to N_GROUPS are the
# groups, most energy first; WHOLE, LOSS and NONFINITE are the numbers of further blocks, 0 if
# there is none.  Of long runs each bin of BIN steps gives two rows, its smallest and its largest.
has_median = WINDOW > 1
shown = has_median ? 3 : 2
# The whole gradient is an entry of 14 letters.
letters = at_least(name_length, 14)
n_entries = N_SHOWN + (REST > 0) + 1 + (NONFINITE > 0)
below = narrow(5.2) && !TERM
legend_across = entries_across(inches(WIDTH, 5.2), letters)
foot = below ? LEGEND_ROW * ((n_entries + legend_across - 1) / legend_across) + 0.05 : 0
eval terminal(5.2 + beyond(letters), !PAPER ? (LOSS ? 4.1 : 3.2) : (LOSS ? 2.6 : 1.9) + foot)

TITLE = "Gradient norm per group, ".TRACE
THIN_MEANS = BIN > 1 ? sprintf("least and largest of each %d steps", BIN) : "every step"
MEDIAN_MEANS = sprintf("running median over %d steps", WINDOW)
NOTE = !has_median ? "every step" : \
    TERM ? MEDIAN_MEANS : "thin: ".THIN_MEANS."; thick: ".MEDIAN_MEANS
if (LOG && N_ZEROS > 0) NOTE = NOTE.sprintf("; norms of 0 are off the log axis (%d)", N_ZEROS)
eval HEAD

right_edge = 1 - (below ? 0.08 : 0.46 + LETTER * letters) / PICTURE_W
top_edge = 1 - HEAD_H / PICTURE_H
bottom_edge = ((PAPER ? 0.34 : 0.48) + foot) / PICTURE_H
# The loss takes a quarter of the height.
loss_edge = bottom_edge + 0.23 * (top_edge - bottom_edge)
left_edge = left_of_axis(Y_MAX, LOG) / PICTURE_W
if (TERM) {
    set tmargin 3
    set key outside right top vertical Left reverse
} else {
    set multiplot
    eval edges(left_edge, right_edge, top_edge, LOSS ? loss_edge + 0.06 : bottom_edge)
    if (below) {
        unset key
    } else {
        set key at screen right_edge + 0.01, screen top_edge left top vertical maxrows 24 Left
        set key reverse samplen 1.2
        if (N_SHOWN > 10) { set key font small spacing 0.9 * SPACING samplen 2.2 }
    }
}
eval tics_across(PICTURE_W * (right_edge - left_edge))
set xrange [X_FIRST:X_LAST]
set yrange [Y_MIN:Y_MAX]
if (LOG) set logscale y
if (LOG) set format y decades(Y_MIN, Y_MAX)
if (LOG) eval between("y", Y_MIN, Y_MAX)
if (LOSS && !TERM) { set format x "" } else { set xlabel "step" offset 0, LIFT }
set ylabel "gradient norm (L2)" offset 0.5, 0

# Back to front, so that the groups with most energy lie on top.
back(k) = N_SHOWN + 1 - k
raw(y) = has_median ? y : NaN
REST_STYLE = TERM ? 'points pointtype "."' : 'lines linewidth 0.4'
GROUP_STYLE = TERM ? 'points pointtype letter(back(k))' : \
    LINES.' linewidth (has_median ? 1.5 : 1) dashtype dash(back(k))'
WHOLE_STYLE = TERM ? 'points pointtype "*"' : \
    LINES.' linewidth 1.4 dashtype 3 linecolor rgb "#000000"'
THIN = 'for [k = 1:N_SHOWN] ROWS index back(k) using 1:(raw($2)) '. \
    'with lines linewidth 0.4 linecolor rgb faint(back(k)), '. \
    'ROWS index WHOLE using 1:(raw($2)) with lines linewidth 0.4 linecolor rgb "#D0000000", '
OTHERS = 'for [k = 1:REST] ROWS index N_GROUPS + 1 - k using 1:shown '. \
    'with '.REST_STYLE.' linecolor rgb "#'.GREY.'", '
THICK = 'for [k = 1:N_SHOWN] ROWS index back(k) using 1:shown '. \
    'with '.GROUP_STYLE.' linecolor rgb colour(back(k)), '
TOTAL = 'ROWS index WHOLE using 1:shown with '.WHOLE_STYLE.' title "whole gradient", '
BAD = 'ROWS index NONFINITE using 1:(Y_MIN) with points pointtype 9 pointsize 0.7 '. \
    'linecolor rgb "#000000" title sprintf("not finite (%d)", N_NONFINITE)'
eval "plot ".(REST > 0 ? OTHERS : "").(TERM ? "" : THIN).THICK.TOTAL.GROUP_ENTRIES. \
    also(NONFINITE > 0, BAD)
BAD_ENTRY = 'keyentry with points pointtype 9 pointsize 0.7 linecolor rgb "#000000" '. \
    'title sprintf("not finite (%d)", N_NONFINITE)'

if (LOSS && !TERM) {
    unset key
    unset label
    unset logscale y
    set format "%g"
    eval edges(left_edge, right_edge, loss_edge, bottom_edge)
    set yrange [*:*] # before stats, which leaves out what is beyond it
    stats ROWS index LOSS using 2 nooutput name "L"
    distance = L_max > L_min ? round_near((L_max - L_min) / (PAPER ? 2. : 3.)) : 1
    set ytics distance
    set xlabel "step" offset 0, LIFT
    set ylabel "loss" offset 0.5, 0
    plot ROWS index LOSS using 1:(raw($2)) with lines linewidth 0.5 linecolor rgb "#B4000000", \
         ROWS index LOSS using 1:shown with @LINES linewidth 1.2 linecolor rgb "#000000"
}
if (below) {
    eval foot_key(legend_across, 0.02)
    eval "plot [0:1] [0:1] 2, keyentry with ".WHOLE_STYLE." title 'whole gradient', ". \
        GROUP_ENTRIES.also(NONFINITE > 0, BAD_ENTRY)
}
if (!TERM) unset multiplot
