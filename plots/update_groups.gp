# update_groups.gp - how far each policy moves each group's update.
#
# Columns of update_groups.tsv: row, median, p90 and max (of the relative change over the steps),
# policy, group.  Data blocks: the policies.  Row 1 is the whole update.
many = N_ROWS > 17
lane = many ? 0.13 : 0.1 + 0.06 * N_SHOWN
every = TERM ? 1 : (N_ROWS + 69) / 70
if (TERM) TERM_ROWS = at_least(TERM_ROWS, 2 * N_ROWS + 8)
longest = 12
do for [g = 1:N_ROWS] { longest = at_least(longest, strlen(ROW[g])) }
longest = at_most(longest, 24)
eval terminal(5.4, HEAD_H + 0.55 + at_least(1, N_ROWS * lane / every))
left_edge = (0.25 + longest * (many ? 0.047 : 0.06)) / PICTURE_W
right_edge = 1 - (0.5 + LETTER * at_least(name_length, 12)) / PICTURE_W
TITLE = sprintf("Change of the %s update by group, %s", OPTIMIZER, TRACE)
NOTE = TERM ? "median over the steps" : "dot: median over the steps; thick: to the 90th percentile; thin: to the most"
if (!EXACT) NOTE = NOTE."; guessed from norms"
if (SHARE ne "") NOTE = NOTE."; from ".SHARE." of the elements"
if (AT_EDGE) NOTE = NOTE."; at the edge: less"
eval HEAD
if (TERM) {
    set tmargin 3
    set lmargin longest + 2
    set key outside right top vertical Left reverse
} else {
    top_edge = 1 - (HEAD_H + 0.03) / PICTURE_H
    eval edges(left_edge, right_edge, top_edge, 0.5 / PICTURE_H)
    set key at screen right_edge + 0.01, screen top_edge left top vertical maxrows 20 Left reverse
    set key samplen 0.8
    unset grid
    set grid xtics linecolor rgb "#E4E4E4" linewidth 0.5 linetype 1
}
set border (TERM ? 15 : 3)
low = 100 * Y_MIN
high = 100 * Y_MAX
set xrange [low:high]
if (LOG) {
    set logscale x
    set format x decades(low, high)
    eval between("x", low, high)
}
set xlabel plain("change of the update (%)") offset 0, LIFT
set yrange [N_ROWS + 0.55:0.45]
names_font = many ? tiny : small
set ytics scale 0 font names_font
row_text(g) = ending(ROW[g], 24)
row_name(g) = tic(many ? tiniest(row_text(g)) : smaller(row_text(g)))
set ytics (row_name(1) 1)
do for [g = 1 + every:N_ROWS:every] { set ytics add (row_name(g) g) }
# Every other row has a ground of its own, so that the eye stays in it; a line under the whole.
if (!TERM) {
    do for [g = 2:N_ROWS:2] {
        set object g rectangle from graph 0, first g - 0.5 to graph 1, first g + 0.5 behind \
            fillcolor rgb "#F6F6F6" fillstyle solid noborder
    }
    set arrow 1 from graph 0, first 1.5 to graph 1, first 1.5 nohead linewidth 0.6 \
        linecolor rgb "#888888"
}
policy_title(g) = plain(short(GROUP[g], LONGEST).(MOVES[g] ? "" : ": 0%"))
place(row, p) = row + 0.7 * ((p - 0.5) / N_SHOWN - 0.5)
on_paper(x) = x > 0 || !LOG ? at_least(low, 100 * x) : NaN
# A line whose median is 0 starts at the edge.
start(x, most) = most > 0 ? at_least(low, 100 * x) : NaN
SIZE = many ? 0.3 : 0.6
SPAN = 'for [p = 1:N_SHOWN] ROWS index p using (start($2, $3)):(place($1, p)):(start($2, $3)):(on_paper($3)) '. \
    'with xerrorbars pointtype 0 linewidth 2.2 linecolor rgb colour(p), '
MOST = 'for [p = 1:N_SHOWN] ROWS index p using (start($2, $4)):(place($1, p)):(start($2, $4)):(on_paper($4)) '. \
    'with xerrorbars pointtype 0 linewidth 0.6 linecolor rgb "#70".hex(p), '
DOTS = 'for [p = 1:N_SHOWN] ROWS index p using (on_paper($2)):(place($1, p)) with points '. \
    (TERM ? 'pointtype letter(p)' : 'pointtype 7 pointsize SIZE').' linecolor rgb colour(p), '
ENTRIES = 'for [g = 1:N_SHOWN] keyentry with points '. \
    (TERM ? 'pointtype letter(g)' : 'pointtype 7 pointsize 0.8').' linecolor rgb colour(g) '. \
    'title policy_title(g)'
set errorbars 0
eval "plot ".(TERM ? "" : MOST.SPAN).DOTS.ENTRIES
