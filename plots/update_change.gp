# update_change.gp - how far each policy moves the optimizer's update, step by step.
#
# Columns of update_change.tsv: step, change (of the whole update, relative), median (running),
# policy, from.  Data blocks: the policies, from elements; then the policies, from norms alone.
# EXACT 0: there are no elements, and no blocks of them.  Of long runs each bin of BIN steps gives
# two rows, its smallest and its largest.
has_median = WINDOW > 1
shown = has_median ? 3 : 2
eval terminal(5.4 + beyond(name_length), PAPER ? 2.2 : 3.3)
TITLE = sprintf("Change of the %s update, %s", OPTIMIZER, TRACE)
THIN_MEANS = BIN > 1 ? sprintf("least and largest of each %d steps", BIN) : "every step"
MEDIAN_MEANS = sprintf("running median over %d steps", WINDOW)
NOTE = !has_median ? "every step" : \
    TERM ? MEDIAN_MEANS : "thin: ".THIN_MEANS."; thick: ".MEDIAN_MEANS
if (SHARE ne "") NOTE = NOTE."; from ".SHARE." of the elements"
if (!EXACT) NOTE = NOTE."; guessed from norms"
if (WARM_UP_END == WARM_UP_END && !TERM) NOTE = NOTE."; grey: warm-up"
if (AT_EDGE) NOTE = NOTE."; at the edge: less"
eval HEAD

in_percent(y) = 100 * y
right_edge = 1 - (0.5 + LETTER * at_least(name_length, 12)) / PICTURE_W
left_edge = left_of_axis(1, 1) / PICTURE_W
top_edge = 1 - HEAD_H / PICTURE_H
if (TERM) {
    set tmargin 3
    set key outside right top vertical Left reverse
} else {
    eval edges(left_edge, right_edge, top_edge, 0.5 / PICTURE_H)
    set key at screen right_edge + 0.01, screen top_edge left top vertical maxrows 24 Left reverse
    set key samplen 1.4
    if (WARM_UP_END == WARM_UP_END) {
        set object 1 rectangle from X_FIRST, graph 0 to WARM_UP_END, graph 1 behind \
            fillcolor rgb "#EDEDED" fillstyle solid noborder
    }
}
eval tics_across(PICTURE_W * (right_edge - left_edge))
set xrange [X_FIRST:X_LAST]
set yrange [in_percent(Y_MIN):in_percent(Y_MAX)]
if (LOG) set logscale y
if (LOG) set format y decades(in_percent(Y_MIN), in_percent(Y_MAX))
if (LOG) eval between("y", in_percent(Y_MIN), in_percent(Y_MAX))
set xlabel "step" offset 0, LIFT
set ylabel plain("change of the update (%)") offset 0.5, 0

policy_title(g) = plain(short(GROUP[g], LONGEST).(MOVES[g] ? "" : ": 0%"))
back(k) = N_SHOWN + 1 - k
norms(p) = EXACT * N_GROUPS + p
on_paper(y) = y > 0 ? in_percent(at_least(Y_MIN, y)) : NaN
# Without elements the guess is all there is, and gets the thick line.
main_block(p) = EXACT ? p : norms(p)
THIN = 'for [k = 1:N_SHOWN] ROWS index main_block(back(k)) using 1:(has_median ? on_paper($2) : NaN) '. \
    'with lines linewidth 0.4 linecolor rgb faint(back(k)), '
THICK = 'for [k = 1:N_SHOWN] ROWS index main_block(back(k)) using 1:(on_paper(column(shown))) '. \
    'with '.(TERM ? 'points pointtype letter(back(k))' : LINES.' linewidth 1.6').' '. \
    'linecolor rgb colour(back(k))'
GUESS = 'for [k = 1:N_SHOWN] ROWS index norms(back(k)) using 1:(on_paper(column(shown))) '. \
    'with lines linewidth 0.9 dashtype 2 linecolor rgb colour(back(k)), '
ENTRIES = 'for [g = 1:N_SHOWN] keyentry with '. \
    (TERM ? 'points pointtype letter(g)' : 'lines linewidth 2').' linecolor rgb colour(g) '. \
    'title policy_title(g)'. \
    also(REST > 0, 'keyentry with lines linewidth 0 title sprintf("%d more", REST)')
eval "plot ".(TERM ? "" : THIN).(TERM || !EXACT ? "" : GUESS).THICK.", ".ENTRIES. \
    also(!TERM && EXACT, 'keyentry with lines linewidth 0.9 dashtype 2 '. \
        'linecolor rgb "#444444" title "by norms"')
