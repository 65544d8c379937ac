# spill_steps.gp - the norm of the whole gradient and the limit; below, what exceeding groups took
# from the rest, stacked by culprit.
#
# Columns of spill_steps.tsv: from, to (steps), low, high, series.  Block 1: the norm, least and
# largest of each BIN steps.  Then one block of bars for each culprit, most blame first, and one
# for the others if there are more.
eval terminal(5.6 + beyond(name_length), 3.7)
right_edge = 1 - (0.5 + LETTER * at_least(name_length, 8)) / PICTURE_W
left_edge = left_of_axis(MOST, 0) / PICTURE_W
left_edge = at_least(left_edge, 0.62 / PICTURE_W)
top_edge = 1 - HEAD_H / PICTURE_H
split = 0.6
TITLE = sprintf("Excess at a limit of %g: %s of what clipping takes, %s", LIMIT, SHARE, TRACE)
NOTE = BIN > 1 ? sprintf("in bins of %d steps: norm from least to largest, excess summed", BIN) : \
    "every step"
eval HEAD
set multiplot
eval tics_across(PICTURE_W * (right_edge - left_edge))
set xrange [X_FIRST:X_LAST]
eval edges(left_edge, right_edge, top_edge, split + 0.03)
unset key
log_norm = N_MAX > 8 * N_MIN
if (log_norm) {
    set logscale y
    set yrange [N_MIN / 1.1:N_MAX * 1.2]
    set format y decades(N_MIN, N_MAX)
    eval between("y", N_MIN, N_MAX)
} else {
    set yrange [0:N_MAX * 1.1]
}
set format x ""
set label 3 smaller("norm (L2)") font small center rotate by 90 \
    at screen 0.12 / PICTURE_W, graph 0.5
set arrow 1 from graph 0, first LIMIT to graph 1, first LIMIT nohead front \
    linewidth 1 dashtype 2 linecolor rgb "#D0006F"
set label 4 smaller("limit") font small left at graph 1, first LIMIT offset 0.5, 0 \
    textcolor rgb "#D0006F"
NORM = BIN > 1 ? 'ROWS index 1 using (0.5 * ($1 + $2)):(0.5 * ($3 + $4)):1:2:3:4 '. \
    'with boxxyerror fillcolor rgb "#7A8CA0" fillstyle solid border linecolor rgb "#7A8CA0"' : \
    'ROWS index 1 using 1:3 with lines linewidth 0.8 linecolor rgb "#506478"'
eval "plot ".NORM

unset arrow
unset label
unset logscale y
set format "%g"
eval edges(left_edge, right_edge, split - 0.03, 0.48 / PICTURE_H)
set yrange [0:MOST > 0 ? 1.05 * MOST : 1]
set ytics round_near(MOST / 4.)
set xlabel "step" offset 0, LIFT
set label 3 smaller("excess attenuation (nats)") font small center rotate by 90 \
    at screen 0.12 / PICTURE_W, graph 0.5
set key at screen right_edge + 0.01, screen split - 0.03 left top vertical maxrows 24 Left reverse
set key samplen 0.8 font small
BARS = 'for [k = 1:N_STACK] ROWS index k + 1 using '. \
    '(0.5 * ($1 + $2)):(0.5 * ($3 + $4)):1:2:3:4 with boxxyerror '. \
    'fillcolor rgb colour(k) fillstyle solid border linecolor rgb colour(k) linewidth 0.4 '. \
    'title smaller(GROUP[k])'
MORE = 'ROWS index N_STACK + 2 using (0.5 * ($1 + $2)):(0.5 * ($3 + $4)):1:2:3:4 '. \
    'with boxxyerror fillcolor rgb "#A8A8A8" fillstyle solid border linecolor rgb "#A8A8A8" '. \
    'linewidth 0.4 title smaller("others")'
eval "plot ".BARS.(OTHERS ? ", ".MORE : "")
unset multiplot
