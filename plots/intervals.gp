# intervals.gp - the norm of every group and the interval that one policy held it in, side by side.
#
# Columns of intervals-POLICY.tsv: step, norm, lower, upper, scale, norm_out, group.  Data blocks:
# the groups, most energy first.  Of long runs each bin of BIN steps gives up to four of them: the
# least and the largest norm, and the scales farthest below and above 1.  Each panel has an axis of
# its own, and tells in green and red which share of the steps was raised and clipped.
W = inches(WIDTH, 7.2)
n_across = narrow(7.2) ? (N_PANELS <= 2 ? 1 : N_PANELS <= 10 ? 2 : 3) : \
    N_PANELS <= 2 ? N_PANELS : N_PANELS == 4 ? 2 : N_PANELS <= 9 ? 3 : N_PANELS <= 16 ? 4 : 5
ROW_INCHES = N_PANELS <= 4 ? 1.7 : N_PANELS <= 9 ? 1.35 : 1.1
if (PAPER) ROW_INCHES = narrow(7.2) ? (N_PANELS > 10 ? 0.82 : 1) : at_most(ROW_INCHES, 1.15)
# The first line of a screen's picture is its title.
TOP = PAPER || TERM ? 0 : 0.36
N_SHOWN = 1
REST = 0
name_length = 60
eval grid_of(N_PANELS, PAPER ? 0.12 : 0.17, PAPER ? 0.26 : 0.3, 7.2, n_across)
FOOT = 0.36 + LEGEND_ROW * (narrow(7.2) ? 2 : 1)
if (!TERM) {
    unset multiplot
    GRID_H = inches(HEIGHT, TOP + GRID_DOWN * ROW_INCHES + FOOT)
    ROW_H = (GRID_H - FOOT - TOP) / GRID_DOWN
    eval terminal(GRID_W, GRID_H)
    set multiplot
}
top(i) = 1 - (TOP + panel_row(i) * ROW_H + 0.2) / GRID_H
bottom(i) = 1 - (TOP + panel_row(i) * ROW_H + ROW_H - 0.05) / GRID_H
right(i) = (GRID_LEFT + (panel_column(i) + 1) * COLUMN_W - 0.07) / GRID_W

set xrange [X_FIRST:X_LAST]
changed(i) = (RAISED[i] > 0 ? UP[i]." up, " : "").DOWN[i].(RAISED[i] > 0 ? " down" : " clipped")
inside(y, i) = y != y ? NaN : at_most(at_least(y, LOW[i]), HIGH[i])
top_end(l, u) = l > u ? l : u
INTERVAL = "#D6E6F4"
EMPTY = "#F0DCE8"
END = ' linecolor rgb "#0072B2"'
drawn_as(letter, line) = TERM ? sprintf('points pointtype "%s"', letter) : line
CLIP = drawn_as("x", 'points pointtype 7').' linecolor rgb "#D55E00"'
RAISE = drawn_as("+", 'points pointtype 9').' linecolor rgb "#009E73"'
size(n) = sprintf(" pointsize %g", n > 100 ? 0.14 : 0.25)
AREAS = 'ROWS index i using 1:(inside($3, i)):(inside(top_end($3, $4), i)) with filledcurves '. \
    'fillcolor rgb INTERVAL fillstyle solid noborder, '. \
    'ROWS index i using 1:(inside($4, i)):(inside(top_end($3, $4), i)) with filledcurves '. \
    'fillcolor rgb EMPTY fillstyle solid noborder, '
NORM = 'ROWS index i using 1:2 with '.drawn_as(".", LINES.' linewidth 0.5'). \
    ' linecolor rgb "#666666"'
UPPER = 'ROWS index i using 1:4 with '.drawn_as("U", 'lines linewidth 0.7').END
LOWER = 'ROWS index i using 1:3 with '.drawn_as("L", 'lines linewidth 0.7 dashtype 2').END
CLIPPED_AT = 'ROWS index i using 1:($5 < 1 ? $2 : NaN) with '.CLIP
RAISED_AT = 'ROWS index i using 1:($5 > 1 ? $2 : NaN) with '.RAISE

HEAD_TITLE = "Norms of the groups, held by ".short(POLICY, 60).", ".TRACE
HEAD_NOTE = (N_GROUPS > N_PANELS ? \
    sprintf("%d of %d groups, those with most energy; ", N_PANELS, N_GROUPS) : \
    "most energy first; ")."each panel has its own axis". \
    (BIN > 1 ? sprintf("; of each %d steps 4 are drawn", BIN) : "")
# Long names are set smaller, and if need be without the shares beside them.
longest = 1
shares_w = 0.32
do for [i = 1:N_PANELS] {
    longest = at_least(longest, strlen(PANEL[i]))
    if (RAISED[i] > 0) { shares_w = 0.64 }
}
name_w = COLUMN_W - PANEL_LEFT - 0.08
TINY_LETTER = 0.046
small_names = longest * SMALL_LETTER > name_w - shares_w
# Or begin above the numbers of the axis.
name_shift = longest * TINY_LETTER > name_w ? -PANEL_LEFT / GRID_W : 0
with_shares = !small_names || longest * TINY_LETTER <= name_w - shares_w
any_clipped = 0
any_raised = 0
any_empty = 0
do for [i = 1:N_PANELS] {
    any_clipped = any_clipped + CLIPPED[i]
    any_raised = any_raised + RAISED[i]
    any_empty = any_empty + EMPTIES[i]
    N_MARKS = CLIPPED[i] + RAISED[i]
    unset label
    unset logscale y
    eval TERM ? panel(i) : "unset key; ".edges(panel_left(i), right(i), top(i), bottom(i))
    if (TERM) {
        TITLE = PANEL[i].", held by ".short(POLICY, 40)
        NOTE = changed(i)
        eval HEAD
    } else {
        set label 1 (small_names ? tiniest(PANEL[i]) : smaller(PANEL[i])) at graph 0, graph 1 \
            offset screen name_shift, screen 0.07 / GRID_H left font (small_names ? tiny : small)
        set label 2 (with_shares ? tiniest(DOWN[i]) : "") at graph 1, graph 1 \
            offset 0, screen 0.07 / GRID_H right font tiny textcolor rgb "#B34700"
        set label 6 (with_shares && RAISED[i] > 0 ? tiniest(UP[i]) : "") at graph 1, graph 1 \
            offset screen -0.32 / GRID_W, screen 0.07 / GRID_H right font tiny \
            textcolor rgb "#007A5A"
        if (i == 1 && !PAPER) {
            set label 3 plain(HEAD_TITLE) at screen 0.1 / GRID_W, screen 1 - 0.13 / GRID_H left
            set label 4 smaller(HEAD_NOTE) at screen 0.1 / GRID_W, screen 1 - 0.29 / GRID_H left \
                font small textcolor rgb "#555555"
        }
        if (panel_column(i) == 0 && panel_row(i) == int((GRID_DOWN - 1) / 2)) {
            set label 5 smaller("gradient norm (L2)") at screen 0.06 / GRID_W, \
                graph (GRID_DOWN % 2 == 1 ? 0.5 : -0.1) center rotate by 90 font small
        }
    }
    set yrange [LOW[i]:HIGH[i]]
    set ytics autofreq font tiny offset 0.4, 0
    set format y "%g"
    if (IS_LOG[i]) {
        set logscale y
        set format y decades(LOW[i], HIGH[i])
        if (HIGH[i] / LOW[i] < 40) { eval between("y", LOW[i], HIGH[i]) }
    } else {
        set ytics round_near((HIGH[i] - LOW[i]) / 3.)
    }
    set xtics font tiny offset 0, 0.3
    eval tics_across(COLUMN_W - PANEL_LEFT)
    set format x (outer_below(i) ? "%g" : "")
    set xlabel (outer_below(i) ? smaller("step") : "") font small offset 0, LIFT + 0.4
    eval "plot ".(TERM ? "" : AREAS).NORM.also(HAS_UPPER, UPPER).also(HAS_LOWER, LOWER). \
        also(CLIPPED[i] > 0, CLIPPED_AT.size(N_MARKS)).also(RAISED[i] > 0, RAISED_AT.size(N_MARKS))
}
BOX = 'keyentry with boxes fillstyle solid noborder fillcolor rgb '
KEYS = 'keyentry with lines linewidth 1 linecolor rgb "#666666" title "norm"'. \
    also(HAS_UPPER, 'keyentry with lines linewidth 1.2'.END.' title "upper end"'). \
    also(HAS_LOWER, 'keyentry with lines linewidth 1.2 dashtype 2'.END.' title "lower end"'). \
    also(any_clipped > 0, 'keyentry with '.CLIP.' pointsize 0.6 title "clipped"'). \
    also(any_raised > 0, 'keyentry with '.RAISE.' pointsize 0.8 title "raised"'). \
    also(any_empty < N_PANELS * N_STEPS, BOX.'INTERVAL title "interval"'). \
    also(any_empty > 0, BOX.'EMPTY title plain("lower > upper")')
if (!TERM) {
    eval edges(0.02, 0.98, 0.02 + 0.2 / GRID_H, 0.01)
    unset border; unset tics; unset grid; unset xlabel; unset ylabel; unset label; unset logscale
    set key at screen 0.5, screen 0.03 / GRID_H center bottom horizontal Left reverse samplen 1.2
    eval "plot [0:1] [0:1] 2, ".KEYS
    unset multiplot
}
