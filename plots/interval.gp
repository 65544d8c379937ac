# interval.gp - a norm, the interval that a policy held it in, and the steps that it scaled.
#
# Columns of interval-POLICY.tsv: step, norm, lower, upper, scale, norm_out.  Of long runs each bin
# of BIN steps gives up to four of them: the least and the largest norm, and the scales farthest
# below and above 1.
n_entries = 3 + HAS_UPPER + HAS_LOWER + (N_CLIPPED > 0) + (N_RAISED > 0)
legend_across = PAPER ? entries_across(inches(WIDTH, 5.2), 9) : 5
legend_rows = (n_entries + legend_across - 1) / legend_across
foot_height = LEGEND_ROW * (PAPER ? legend_rows : n_entries > 5 ? 2 : 1)
eval terminal(5.2, PAPER ? 1.85 + foot_height : 3.2)
TITLE = SUBJECT.", held by ".short(POLICY, 60)
NOTE = sprintf("clipped at %d of %d steps (%s)", N_CLIPPED, N_DECIDED, SHARE_CLIPPED)
if (N_RAISED > 0) NOTE = NOTE.sprintf(", raised at %d (%s)", N_RAISED, SHARE_RAISED)
if (N_EMPTY > 0) NOTE = NOTE.sprintf("; empty (lower > upper) at %d", N_EMPTY)
if (BIN > 1) NOTE = NOTE.sprintf("; 4 of each %d drawn", BIN)
eval HEAD

if (TERM) {
    set tmargin 3
    set key outside right top vertical Left reverse
} else {
    left_edge = left_of_axis(Y_MAX, LOG) / PICTURE_W
    bottom_edge = (foot_height + (PAPER ? 0.37 : 0.5)) / PICTURE_H
    eval edges(left_edge, 1 - 0.16 / PICTURE_W, 1 - HEAD_H / PICTURE_H, bottom_edge)
    set key at screen 0.53, screen (PAPER ? 0.02 : 0.05) / PICTURE_H center bottom horizontal Left
    set key reverse samplen 1.4
    if (PAPER) { set key maxcols legend_across }
}
eval tics_across(PICTURE_W - 0.9)
set xrange [X_FIRST:X_LAST]
set yrange [Y_MIN:Y_MAX]
set xlabel "step" offset 0, LIFT
set ylabel "gradient norm (L2)" offset 0.5, 0
if (LOG) set logscale y
if (LOG) set format y decades(Y_MIN, Y_MAX)
if (LOG) eval between("y", Y_MIN, Y_MAX)

# Ends of the interval as far as the axis shows them.
inside(y) = y != y ? NaN : at_most(at_least(y, Y_MIN), Y_MAX)
top(l, u) = l > u ? l : u
# In a terminal everything is points with letters of their own.
drawn_as(letter, line) = TERM ? sprintf('points pointtype "%s"', letter) : line
size = sprintf(" pointsize %g", N_CLIPPED + N_RAISED > 200 ? 0.22 : 0.4)
INTERVAL = "#D6E6F4"
EMPTY = "#F0DCE8"
END = ' linecolor rgb "#0072B2"'
CLIP = drawn_as("x", 'points pointtype 7').' linecolor rgb "#D55E00"'
RAISE = drawn_as("+", 'points pointtype 9').' linecolor rgb "#009E73"'
AREAS = 'ROWS index 1 using 1:(inside($3)):(inside(top($3, $4))) with filledcurves '. \
    'fillcolor rgb INTERVAL fillstyle solid noborder, '. \
    'ROWS index 1 using 1:(inside($4)):(inside(top($3, $4))) with filledcurves '. \
    'fillcolor rgb EMPTY fillstyle solid noborder, '
NORM = 'ROWS index 1 using 1:2 with '.drawn_as(".", LINES.' linewidth 0.6'). \
    ' linecolor rgb "#666666" title "norm"'
UPPER = 'ROWS index 1 using 1:4 with '.drawn_as("U", 'lines linewidth 1').END.' title "upper end"'
LOWER = 'ROWS index 1 using 1:3 with '.drawn_as("L", 'lines linewidth 1 dashtype 2').END. \
    ' title "lower end"'
CLIPPED = 'ROWS index 1 using 1:($5 < 1 ? $2 : NaN) with '.CLIP.size. \
    ', keyentry with '.CLIP.' pointsize 0.7 title "clipped"'
RAISED = 'ROWS index 1 using 1:($5 > 1 ? $2 : NaN) with '.RAISE.size. \
    ', keyentry with '.RAISE.' pointsize 0.9 title "raised"'
BOX = 'keyentry with boxes fillstyle solid noborder fillcolor rgb '
eval "plot ".(TERM ? "" : AREAS).NORM.also(HAS_UPPER, UPPER).also(HAS_LOWER, LOWER). \
    also(N_CLIPPED > 0, CLIPPED).also(N_RAISED > 0, RAISED). \
    also(!TERM && N_EMPTY < N_DECIDED, BOX.'INTERVAL title "interval"'). \
    also(!TERM && N_EMPTY > 0, BOX.'EMPTY title plain("lower > upper")')
