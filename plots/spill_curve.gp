# spill_curve.gp - what each limit on the norm of the whole gradient would do.
#
# Columns of spill_curve.tsv: max_norm, clip_rate, excess_share, cost, excess_cost.  One data block.
eval terminal(5.2, 3.9)
left_edge = 0.62 / PICTURE_W
right_edge = 1 - 1.35 / PICTURE_W
top_edge = 1 - 0.44 / PICTURE_H
split = 0.5
TITLE = "What a limit does, ".TRACE
NOTE = sprintf("recommended: %g, the smallest that takes at most %s from the innocent", CHOSEN, \
    COST_SHARE)
eval HEAD
set multiplot
set logscale x
set xrange [X_MIN:X_MAX]
set format x ""
eval between("x", X_MIN, X_MAX)
has_own = OWN == OWN && OWN != LIMIT
has_this = LIMIT != CHOSEN
MARKS = 'set arrow 1 from CHOSEN, graph 0 to CHOSEN, graph 1 nohead front linewidth 1.2 '. \
    'linecolor rgb "#D0006F"; '. \
    (has_this ? 'set arrow 2 from LIMIT, graph 0 to LIMIT, graph 1 nohead front linewidth 1 '. \
    'dashtype 2 linecolor rgb "#444444"; ' : ''). \
    (has_own ? 'set arrow 3 from OWN, graph 0 to OWN, graph 1 nohead front linewidth 1 '. \
    'dashtype 3 linecolor rgb "#009E73"' : '')
eval MARKS
eval edges(left_edge, right_edge, top_edge, split + 0.02)
set yrange [0:105]
set ytics 25
set key at screen right_edge + 0.01, screen top_edge left top vertical Left reverse font small
set key samplen 1.4
set label 3 smaller("share (%)") font small center rotate by 90 \
    at screen 0.14 / PICTURE_W, graph 0.5
this_limit = sprintf("%g%s", LIMIT, OWN == LIMIT ? ", the run's" : "")
MEANS = 'keyentry with lines linewidth 1.2 linecolor rgb "#D0006F" title smaller("recommended")'. \
    also(has_this, 'keyentry with lines linewidth 1 dashtype 2 linecolor rgb "#444444" '. \
    'title smaller(this_limit)').also(has_own, 'keyentry with lines linewidth 1 '. \
    'dashtype 3 linecolor rgb "#009E73" title smaller("the run''s own")')
eval 'plot ROWS index 1 using 1:(100 * $2) with lines linewidth 1.6 linecolor rgb "#0072B2" '. \
    'title smaller("steps clipped"), ROWS index 1 using 1:(100 * $3) with lines linewidth 1.6 '. \
    'linecolor rgb "#D55E00" title smaller("excess share"), '.MEANS

unset label
eval edges(left_edge, right_edge, split - 0.03, 0.48 / PICTURE_H)
set key at screen right_edge + 0.01, screen split - 0.03
set format x decades(X_MIN, X_MAX)
eval between("x", X_MIN, X_MAX)
set xlabel plain("limit (max_norm)") offset 0, LIFT
set logscale y
least = 0.01
set yrange [least:at_least(100 * COST_MAX, 100 * COST) * 1.3]
set ytics autofreq
set format y "%g"
set label 3 smaller("innocent lose (%)") font small center rotate by 90 \
    at screen 0.14 / PICTURE_W, graph 0.5
set arrow 4 from graph 0, first 100 * COST to graph 1, first 100 * COST nohead \
    linewidth 0.8 dashtype 2 linecolor rgb "#888888"
above(y) = 100 * y >= least ? 100 * y : NaN
plot ROWS index 1 using 1:(above($4)) with lines linewidth 1.6 linecolor rgb "#0072B2" \
         title smaller("to clipping"), \
     ROWS index 1 using 1:(above($5)) with lines linewidth 1.6 linecolor rgb "#D55E00" \
         title smaller("of it to excess")
unset multiplot
