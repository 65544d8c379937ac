# norms.gp - the norm of each group over the run, the whole gradient's, and the loss below.
#
# Columns of norms.tsv: step, value, median (running), series.  Data blocks 1 to N_GROUPS are the
# groups, most energy first; WHOLE, LOSS and NONFINITE are the numbers of further blocks, 0 if
# there is none.  Of long runs each bin of BIN steps gives two rows, its smallest and its largest.
has_median = WINDOW > 1
eval terminal(5.2, LOSS ? 4.1 : 3.2)

TITLE = "Gradient norm per group, ".TRACE
NOTE = (BIN > 1 ? sprintf("thin: least and largest of each %d steps", BIN) : has_median ? "thin: every step" : "every step"). \
    (has_median ? sprintf("; thick: running median over %d steps", WINDOW) : ""). \
    (LOG && N_ZEROS > 0 ? sprintf("; norms of 0 are off the log axis (%d)", N_ZEROS) : "")
if (TERM) NOTE = has_median ? sprintf("running median over %d steps", WINDOW) : "every step"

longest = name_length > 14 ? name_length : 14
right_edge = 1 - (0.46 + 0.068 * longest) / inches(WIDTH, 5.2)
many = N_SHOWN > 10
if (TERM) { set key outside right top vertical Left reverse } \
    else { set key at screen right_edge + 0.01, screen 1 - 0.42 / PICTURE_H left top vertical maxrows 24 Left reverse samplen 1.2 }
if (many && !TERM) set key font small spacing 0.9 * SPACING samplen 2.2
set xrange [X_FIRST:X_LAST]
set yrange [Y_MIN:Y_MAX]
if (LOG) set logscale y
if (LOG) set format y decades(Y_MIN, Y_MAX)
if (LOG) eval between("y", Y_MIN, Y_MAX)
set ylabel "gradient norm (L2)" offset 0.5, 0
eval tics_across(inches(WIDTH, 5.2) * right_edge - left_of_axis(Y_MAX, LOG))
eval HEAD

if (!TERM) set multiplot
if (!TERM) set lmargin at screen left_of_axis(Y_MAX, LOG) / inches(WIDTH, 5.2)
if (!TERM) set rmargin at screen right_edge
if (!TERM) set tmargin at screen 1 - 0.42 / PICTURE_H
if (!TERM) set bmargin at screen (LOSS ? 0.37 : 0.5 / PICTURE_H)
if (TERM) set tmargin 3
if (LOSS && !TERM) set format x ""
if (!LOSS || TERM) set xlabel "step" offset 0, LIFT
shown = has_median ? 3 : 2
# Back to front, so that the groups with most energy lie on top.
THIN = 'for [k = 1:N_SHOWN] ROWS index N_SHOWN + 1 - k using 1:(has_median ? $2 : NaN) '. \
    'with lines linewidth 0.4 linecolor rgb faint(N_SHOWN + 1 - k), '. \
    'ROWS index WHOLE using 1:(has_median ? $2 : NaN) with lines linewidth 0.4 linecolor rgb "#D0000000", '
OTHERS = 'for [k = 1:REST] ROWS index N_GROUPS + 1 - k using 1:shown '. \
    (TERM ? 'with points pointtype "."' : 'with lines').'  linewidth 0.4 linecolor rgb "#'.GREY.'", '
THICK = 'for [k = 1:N_SHOWN] ROWS index N_SHOWN + 1 - k using 1:shown with '. \
    (TERM ? 'points pointtype letter(N_SHOWN + 1 - k)' : LINES.' linewidth (has_median ? 1.5 : 1) dashtype dash(N_SHOWN + 1 - k)'). \
    ' linecolor rgb colour(N_SHOWN + 1 - k), '
TOTAL = 'ROWS index WHOLE using 1:shown with '. \
    (TERM ? 'points pointtype "*"' : LINES.' linewidth 1.4 dashtype 3 linecolor rgb "#000000"').' title "whole gradient", '
BAD = 'ROWS index NONFINITE using 1:(Y_MIN) with points pointtype 9 pointsize 0.7 linecolor rgb "#000000" '. \
    'title sprintf("not finite (%d)", N_NONFINITE)'
eval "plot ".(REST > 0 ? OTHERS : "").(TERM ? "" : THIN).THICK.TOTAL.GROUP_ENTRIES.also(NONFINITE > 0, BAD)

if (LOSS && !TERM) {
    unset key
    unset label 1
    unset label 2
    unset logscale y
    set format "%g"
    set tmargin at screen 0.31
    set bmargin at screen 0.48 / PICTURE_H
    set yrange [*:*]
    stats ROWS index LOSS using 2 nooutput name "L"
    between = L_max > L_min ? round_near((L_max - L_min) / 3.) : 1
    set ytics between
    set xlabel "step" offset 0, LIFT
    set ylabel "loss" offset 0.5, 0
    plot ROWS index LOSS using 1:(has_median ? $2 : NaN) with lines linewidth 0.5 linecolor rgb "#B4000000", \
         ROWS index LOSS using 1:shown with @LINES linewidth 1.2 linecolor rgb "#000000"
}
if (!TERM) unset multiplot
