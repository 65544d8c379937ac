# sweep_map.gp - goals over two knobs, the best over all other knobs.
#
# Columns of sweep_map-POLICY.tsv: x, y (cells, from 1), best (smallest value of the goal among the
# settings in the cell), settings (how many those are), x_value, y_value, x_knob, y_knob, goal.  Data
# blocks: the pairs of knobs of the first goal, then those of the second.
block(r, c) = (r - 1) * N_PAIRS + c

# Viridis, turned round: small is good, and bright.
set palette defined (0 "#FDE725", 1 "#B5DE2B", 2 "#6ECE58", 3 "#35B779", 4 "#1F9E89", \
    5 "#26828E", 6 "#31688E", 7 "#3E4989", 8 "#482878", 9 "#440154")
HOLE = "#DCDCDC"
# Inches: a panel, what its axis takes, what the colours of a row take.
letters = 1
do for [c = 1:N_PAIRS] { letters = at_least(letters, Y_LETTERS[c]) }
LEFT_W = 0.42 + 0.06 * letters
BAR_W = 0.85
TOP_H = HEAD_H + 0.08
BELOW_H = 0.48
own_panel = N_PAIRS == 1 ? 2.6 : 1.75
# In one column of a paper several maps could not be read; they take both.
if (N_PAIRS > 1 && narrow(7)) WIDTH = 7
eval terminal(N_PAIRS * (LEFT_W + own_panel) + BAR_W, \
    TOP_H + N_GOALS * (BELOW_H + (N_PAIRS == 1 ? 2.1 : 1.55)) + (N_HOLES > 0 ? 0.16 : 0))
FOOT_H = N_HOLES > 0 ? 0.16 : 0
panel_w = (PICTURE_W - BAR_W) / N_PAIRS - LEFT_W
panel_h = (PICTURE_H - TOP_H - FOOT_H) / N_GOALS - BELOW_H
at_left(c) = ((c - 1) * (LEFT_W + panel_w) + LEFT_W) / PICTURE_W
at_right(c) = at_left(c) + panel_w / PICTURE_W
at_top(r) = 1 - (TOP_H + (r - 1) * (panel_h + BELOW_H)) / PICTURE_H
at_bottom(r) = at_top(r) - panel_h / PICTURE_H

BEST = N_POLICIES > 1 ? short(POLICY, 40).": best" : "Best"
BEST_OF = N_OTHERS > 0 ? sprintf("best over the other %s", N_OTHERS == 1 ? "knob" : "knobs") : ""
BINNED = 0
do for [c = 1:N_PAIRS] { BINNED = BINNED || X_BINNED[c] || Y_BINNED[c] }
CELLS_ARE = BINNED ? "each cell: the best setting in its range" : \
    strlen(BEST_OF) > 0 ? BEST_OF : "each cell: one setting"
KNEE = 0
do for [c = 1:N_PAIRS] { KNEE = KNEE || X_KNEE[c] == X_KNEE[c] }
CUT = 0
do for [r = 1:N_GOALS] { CUT = CUT || C_CUT[r] }
if (CUT) CELLS_ARE = CELLS_ARE."; > on a scale: the 5 % of cells above have its last colour"
KNEE_MEANS = KNEE ? (TERM ? "; *: recommended" : "; star: recommended") : ""

unset grid
set border 15
unset key
STAR = FORMAT eq "svg" ? 0.6 : 1
DIGITS = "0123456789"
in_class(v, r) = v != v ? NaN : C_HIGH[r] > C_LOW[r] ? \
    at_most(9, floor(10 * (C_LOG[r] ? log(v / C_LOW[r]) / log(C_HIGH[r] / C_LOW[r]) : \
    (v - C_LOW[r]) / (C_HIGH[r] - C_LOW[r])))) : 0
if (!TERM) set multiplot
do for [r = 1:N_GOALS] {
    do for [c = 1:N_PAIRS] {
        unset label
        unset object
        TITLE = r == 1 && c == 1 || TERM ? sprintf("%s %s, %s", BEST, \
            N_GOALS > 1 && !TERM ? "of each goal" : GOAL[r], TRACE) : ""
        NOTE = TERM ? sprintf("0: %.3g, 9: %.3g%s%s", C_LOW[r], C_HIGH[r], \
            C_LOG[r] ? ", even in the logarithm" : "", KNEE_MEANS) : \
            r == 1 && c == 1 ? CELLS_ARE.KNEE_MEANS : ""
        if (strlen(TITLE) > 0) { eval HEAD }
        if (TERM) {
            set tmargin 3
            set ylabel Y_NAME[c]
        } else {
            eval edges(at_left(c), at_right(c), at_top(r), at_bottom(r))
            set label 6 plain(Y_NAME[c]) center rotate by 90 \
                at screen at_left(c) - (0.3 + 0.06 * Y_LETTERS[c]) / PICTURE_W, graph 0.5
            set object 1 rectangle from graph 0, 0 to graph 1, 1 behind \
                fillcolor rgb HOLE fillstyle solid noborder
        }
        set xrange [0.5:X_N[c] + 0.5]
        set yrange [0.5:Y_N[c] + 0.5]
        eval "set xtics (".X_TICS[c].") font small"
        eval "set ytics (".Y_TICS[c].") font small"
        set xlabel plain(X_NAME[c]) offset 0, LIFT
        unset logscale cb
        # A plane of one value still needs a range.
        flat = C_HIGH[r] == C_LOW[r]
        set cbrange [flat ? C_LOW[r] - 0.5 : C_LOW[r]:flat ? C_HIGH[r] + 0.5 : C_HIGH[r]]
        if (C_LOG[r]) { set logscale cb }
        if (c == N_PAIRS && !TERM) {
            set colorbox user origin screen at_right(c) + 0.1 / PICTURE_W, screen at_bottom(r) \
                size screen 0.1 / PICTURE_W, screen panel_h / PICTURE_H
            set cblabel plain(GOAL[r]) offset 0.6, 0
            set cbtics font small offset -0.6, 0 scale 0.3
            set format cb (C_LOG[r] ? decades(C_LOW[r], C_HIGH[r]) : "%g")
            set cbtics autofreq
            if (C_CUT[r]) {
                set label 7 plain(">") center at screen at_right(c) + 0.15 / PICTURE_W, \
                    screen at_top(r) + 0.07 / PICTURE_H
            }
            if (C_LOG[r]) { eval between("cb", C_LOW[r], C_HIGH[r]) }
            if (!C_LOG[r] && !flat) { set cbtics round_near((C_HIGH[r] - C_LOW[r]) / 4.) }
        } else {
            unset colorbox
        }
        # Viewers of SVG smooth images; an image one cell wide or high is not drawn by gnuplot.
        BOXES = 'using 1:2:(0.5):(0.5):(FACTOR[r] * $3) with boxxyerror '. \
            'fillcolor palette fillstyle solid noborder'
        CELLS = FORMAT eq "svg" || X_N[c] == 1 || Y_N[c] == 1 ? BOXES : \
            'using 1:2:(FACTOR[r] * $3) with image'
        if (r == N_GOALS && c == 1 && N_HOLES > 0 && !TERM) {
            set label 3 smaller("grey: no setting, or none within the limits") font small \
                at screen LEFT_W / PICTURE_W, screen 0.1 / PICTURE_H left
        }
        if (X_KNEE[c] == X_KNEE[c]) {
            if (TERM) {
                set label 4 "*" at X_KNEE[c], Y_KNEE[c] center front
            } else {
                set label 4 "" at X_KNEE[c], Y_KNEE[c] point pointtype 5 pointsize (1.7 * STAR) \
                    linecolor rgb "#FFFFFF" front
                set label 5 "" at X_KNEE[c], Y_KNEE[c] point pointtype 3 pointsize (1.1 * STAR) \
                    linewidth 1.8 linecolor rgb "#D0006F" front
            }
        }
        POINTS = 'for [k = 0:9] ROWS index block(r, c) using '. \
            '1:(in_class(FACTOR[r] * $3, r) == k ? $2 : NaN) with points pointtype DIGITS[k + 1:k + 1]'
        eval "plot ".(TERM ? POINTS : "ROWS index block(r, c) ".CELLS)
    }
}
if (!TERM) unset multiplot
