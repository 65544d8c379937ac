# sweep_bars.gp - how much of a goal's variance each knob explains.
#
# Columns of sweep_bars.tsv: bar (from 1), first (order index), its interval first_low to
# first_high, total (index), its interval total_low to total_high, knob, policy.
NAME_LETTERS = 34
longest = 4
do for [k = 1:N_BARS] { longest = at_least(longest, at_most(NAME_LETTERS, strlen(BAR[k]))) }
left_w = 0.25 + 0.07 * longest
foot = HAS_TOTAL ? 0.88 : 0.7
eval terminal(left_w + 3, HEAD_H + 0.06 + foot + 0.34 * N_BARS)
TITLE = sprintf("Which knob decides %s, %s", GOAL, TRACE)
NOTE = "shares of its variance".(HAS_INTERVAL ? "; whiskers: 95 % by bootstrap" : ", exact on the grid")
if (N_LEFT_OUT > 0) NOTE = NOTE.sprintf("; %d more knobs are in none of the bars", N_LEFT_OUT)
eval HEAD
FIRST = "#0072B2"
TOTAL = "#E69F00"
if (TERM) {
    set tmargin 3
    set lmargin longest + 2
    set key outside right top vertical Left reverse
    TERM_ROWS = at_least(TERM_ROWS, 2 * N_BARS + 8)
} else {
    eval edges(left_w / PICTURE_W, 1 - 0.2 / PICTURE_W, 1 - (HEAD_H + 0.04) / PICTURE_H, foot / PICTURE_H)
    set key at screen 0.5, screen 0.05 / PICTURE_H center bottom horizontal Left reverse samplen 1
}
set xrange [0:X_HIGH * 1.02]
set yrange [N_BARS + 0.6:0.4]
set xlabel plain("share of the variance") offset 0, LIFT
set xtics 0.2
set ytics scale 0
row_name(k) = tic(plain(ending(BAR[k], NAME_LETTERS)))
set ytics (row_name(1) 1)
do for [k = 2:N_BARS] { set ytics add (row_name(k) k) }
if (!TERM) { unset grid; set grid xtics linecolor rgb "#E4E4E4" linewidth 0.5 linetype 1 }
# Policies are set apart.
do for [k = 2:N_BARS] {
    if (OF[k] != OF[k - 1] && !TERM) {
        set arrow k from graph 0, first k - 0.5 to graph 1, first k - 0.5 nohead linewidth 0.6 \
            linecolor rgb "#888888"
    }
}
above(k) = HAS_TOTAL ? k - 0.19 : k
below(k) = k + 0.19
half = HAS_TOTAL ? 0.17 : 0.28
up(x) = at_least(0, x)
bar(column, y, ink) = sprintf('ROWS index 1 using (0.5 * up($%d)):(%s($1)):(0.5 * up($%d)):(half) ', \
    column, y, column).'with boxxyerror fillstyle solid noborder fillcolor rgb "'.ink.'"'
whisker(column, y) = sprintf('ROWS index 1 using (up($%d)):(%s($1)):(up($%d)):(up($%d)) ', \
    column, y, column + 1, column + 2).'with xerrorbars pointtype 0 linewidth 1 linecolor rgb "#222222"'
letters(column, y, l) = sprintf('ROWS index 1 using (up($%d)):(%s($1)) with points pointtype "%s"', \
    column, y, l)
ENTRY = 'keyentry with boxes fillstyle solid noborder fillcolor rgb '
GRAPHIC = bar(2, "above", FIRST).also(HAS_TOTAL, bar(5, "below", TOTAL)). \
    also(HAS_INTERVAL, whisker(2, "above")). \
    also(HAS_INTERVAL && HAS_TOTAL, whisker(5, "below")). \
    ', '.ENTRY.'FIRST title "alone"'. \
    also(HAS_TOTAL, ENTRY.'TOTAL title "with its interactions"')
TEXT = letters(2, "", "o").' title "alone"'.also(HAS_TOTAL, letters(5, "", "T").' title "total"')
eval "plot ".(TERM ? TEXT : GRAPHIC)
