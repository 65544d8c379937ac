# sweep_curve.gp - objectives over each knob: the best that the other knobs allow, and their range.
#
# Columns of sweep_curve-POLICY.tsv: value of the knob (words: their number, from 1), best and worst
# (smallest and largest of the objective), settings (how many those are), knob, objective.  Data
# blocks: the knobs of the first objective, then those of the second, and so on.
block(r, c) = (r - 1) * N_KNOBS + c
LEFT_W = 0.7
TOP_H = HEAD_H + 0.1
HAS_LEGEND = HAS_BAND || KNEE
FOOT_H = HAS_LEGEND ? 0.66 : 0.44
own_width = N_KNOBS == 1 ? 3.3 : 1.75
eval terminal(LEFT_W + N_KNOBS * own_width + 0.1, TOP_H + FOOT_H + N_OBJECTIVES * 1.25)
column_w = (PICTURE_W - LEFT_W - 0.1) / N_KNOBS
row_h = (PICTURE_H - TOP_H - FOOT_H) / N_OBJECTIVES
at_left(c) = (LEFT_W + (c - 1) * column_w) / PICTURE_W
at_right(c) = at_left(c) + (column_w - 0.12) / PICTURE_W
at_top(r) = 1 - (TOP_H + (r - 1) * row_h) / PICTURE_H
at_bottom(r) = at_top(r) - (row_h - 0.12) / PICTURE_H

LINE = "#0072B2"
BAND = "#D6E6F4"
CHOSEN = "#D0006F"
BINS = 0
do for [c = 1:N_KNOBS] { BINS = at_least(BINS, X_BINS[c]) }
ABOUT = HAS_BAND ? "best and range over the other knobs" : "one setting at each value"
if (BINS > 0) ABOUT = ABOUT.sprintf(", in %d bins", BINS)
if (LIMITS) ABOUT = ABOUT."; limits not applied"
if (N_LEFT_OUT > 0) ABOUT = ABOUT.sprintf("; %d knobs that matter less are left out", N_LEFT_OUT)
WHAT = (N_POLICIES > 1 ? "what " : "What ").(N_KNOBS > 1 ? "each knob" : KNOB[1])." does"
THIS_POLICY = N_POLICIES > 1 ? short(POLICY, 40).": " : ""

unset key
if (!TERM) set multiplot
do for [r = 1:N_OBJECTIVES] {
    do for [c = 1:N_KNOBS] {
        unset label
        unset arrow
        unset logscale
        TITLE = TERM ? sprintf("%s%s over %s", THIS_POLICY, OBJECTIVE[r], KNOB[c]) : \
            r == 1 && c == 1 ? sprintf("%s%s, %s", THIS_POLICY, WHAT, TRACE) : ""
        NOTE = TERM ? (HAS_BAND ? "o: best over the other knobs, .: worst" : "") : \
            r == 1 && c == 1 ? ABOUT : ""
        if (strlen(TITLE) > 0) { eval HEAD }
        eval TERM ? "set tmargin 3" : edges(at_left(c), at_right(c), at_top(r), at_bottom(r))
        set xrange [X_MIN[c]:X_MAX[c]]
        set yrange [Y_MIN[r]:Y_MAX[r]]
        set format x "%g"
        set format y "%g"
        set xtics autofreq font small nomirror out scale 0.5
        set ytics autofreq font small nomirror out scale 0.5
        below = TERM || r == N_OBJECTIVES
        if (strlen(X_TICS[c]) > 0) {
            eval "set xtics (".X_TICS[c].")"
        } else {
            if (X_LOG[c]) {
                set logscale x
                if (below) { set format x decades(X_MIN[c], X_MAX[c]) }
                eval between("x", X_MIN[c], X_MAX[c])
            } else {
                if (!TERM) { set xtics round_near((X_MAX[c] - X_MIN[c]) / (column_w * 1.9)) }
            }
        }
        if (Y_LOG[r]) {
            set logscale y
            set format y decades(Y_MIN[r], Y_MAX[r])
            eval between("y", Y_MIN[r], Y_MAX[r])
        } else {
            if (!TERM) { set ytics round_near((Y_MAX[r] - Y_MIN[r]) / (row_h * 3.)) }
        }
        if (!below) { set format x "" }
        if (!below && strlen(X_TICS[c]) > 0) { unset xtics }
        if (!TERM && c > 1) { set format y "" }
        set xlabel (below ? plain(KNOB[c]) : "") offset 0, LIFT
        # At one place, however wide the numbers.
        if (TERM) {
            set ylabel OBJECTIVE[r]
        } else {
            set label 3 smaller(c == 1 ? OBJECTIVE[r] : "") font small center rotate by 90 \
                at screen 0.13 / PICTURE_W, graph 0.5
        }
        if (KNEE && !TERM) {
            set arrow 1 from X_KNEE[c], graph 0 to X_KNEE[c], graph 1 nohead linewidth 1 \
                dashtype 2 linecolor rgb CHOSEN front
        }
        at = ' using 1:(FACTOR[r] * $2) '
        AREA = 'ROWS index block(r, c) using 1:(FACTOR[r] * $2):(FACTOR[r] * $3) with filledcurves '. \
            'fillcolor rgb BAND fillstyle solid noborder, '
        WORST = 'ROWS index block(r, c) using 1:(FACTOR[r] * $3) with points pointtype ".", '
        BEST = 'ROWS index block(r, c)'.at.'with '.(TERM ? 'points pointtype "o"' : \
            'linespoints pointtype 7 pointsize 0.3 linewidth 1.4').' linecolor rgb LINE'
        eval "plot ".(HAS_BAND ? (TERM ? WORST : AREA) : "").BEST
    }
}
if (!TERM && HAS_LEGEND) {
    eval edges(0.02, 0.98, 0.02 + 0.2 / PICTURE_H, 0.01)
    unset border; unset tics; unset grid; unset xlabel; unset ylabel; unset label; unset arrow
    unset logscale
    set key at screen 0.5, screen 0.06 / PICTURE_H center bottom horizontal Left reverse
    eval "plot [0:1] [0:1] 2, keyentry with linespoints pointtype 7 pointsize 0.3 linewidth 1.4 ". \
        "linecolor rgb LINE title '".(HAS_BAND ? "best" : "the setting")."'". \
        also(HAS_BAND, 'keyentry with boxes fillstyle solid noborder fillcolor rgb BAND title "range"'). \
        also(KNEE, 'keyentry with lines linewidth 1 dashtype 2 linecolor rgb CHOSEN title "recommended"')
}
if (!TERM) unset multiplot
