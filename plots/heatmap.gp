# heatmap.gp - the scale that a policy gave each group at each step.
#
# Columns of heatmap-POLICY.tsv: step (middle of the column), row, scale, group.  Of long runs each
# column holds BIN steps, and shows the scale among them that is farthest from 1.
#
# Classes, not a smooth ramp, so that one colour means one range in every picture, and exactly 1
# has a colour of its own.
DOWN = "0.01 0.03 0.1 0.3 0.5 0.7 0.9"
UP = "1.1 1.5 3"
INKS = "10052E 08204A 08306B 08519C 2171B5 5A9FD0 94C4DF C6DBEF F2F2F2 FDD9B0 FDAE6B E6660C 8C2D04"
HOLE = "B0B0B0"
LETTERS = "@ @ % # * + = - . o O X X"
N_CLASSES = words(INKS)
ONE = words(DOWN) + 1
below(s) = sum [k = 1:words(DOWN)] (s >= real(word(DOWN, k)))
above(s) = sum [k = 1:words(UP)] (s > real(word(UP, k)))
class(s) = s != s ? NaN : s < 1 ? below(s) : s == 1 ? ONE : ONE + 1 + above(s)
name_down(k) = k == 0 ? "below ".word(DOWN, 1) : \
    word(DOWN, k)." to ".(k == words(DOWN) ? "1" : word(DOWN, k + 1))
name_up(k) = k == words(UP) ? "above ".word(UP, k) : \
    (k == 0 ? "1" : word(UP, k))." to ".word(UP, k + 1)
name(k) = k < ONE ? name_down(k) : k == ONE ? "1, untouched" : name_up(k - ONE - 1)
# In a terminal nearly white would not be seen.
ink(k) = TERM && k == ONE ? "808080" : word(INKS, k + 1)
sample(k) = TERM ? '"'.word(LETTERS, k + 1).'"' : "5"

# Which classes occur, as bits; and how many cells have none.
seen = 0
holes = 0
see(k) = k == k ? (seen = seen | (1 << int(k))) : (holes = holes + 1)
stats ROWS index 1 using (see(class($3)), 1) nooutput
occurs(k) = (seen >> k) & 1
n_entries = 1 + (holes > 0)
ENTRY = 'keyentry with points pointtype %s pointsize 1.3 linecolor rgb "#%s" title smaller(%s)'
ENTRIES = ""
do for [k = 0:N_CLASSES - 1] {
    n_entries = n_entries + occurs(k)
    ENTRIES = ENTRIES.also(occurs(k), sprintf(ENTRY, sample(k), ink(k), sprintf("name(%d)", k)))
}
ENTRIES = ENTRIES.also(!TERM && holes > 0, sprintf(ENTRY, "5", HOLE, '"skipped, or no record"'))

# As high as the names of the groups or the legend need.
many = N_GROUPS > 16
every = TERM ? 1 : (N_GROUPS + 69) / 70
if (TERM) TERM_ROWS = at_least(TERM_ROWS, N_GROUPS + 8)     # a line for each group
row_height = !many ? 0.2 : every == 1 ? 0.115 : 8.05 / N_GROUPS
head_foot = HEAD_H + (PAPER ? 0.4 : 0.55)
longest = 4
do for [g = 1:N_GROUPS] { longest = at_least(longest, strlen(ROW[g])) }
letter = many ? 0.047 : 0.06
height = at_least(N_GROUPS * row_height, n_entries * 0.14)
eval terminal(5.8 + letter * at_least(longest - 24, 0), head_foot + height)
left_edge = at_most(((PAPER ? 0.12 : 0.2) + longest * letter) / PICTURE_W, 0.6)
right_edge = 1 - (PAPER ? 1.05 : 1.3) / PICTURE_W
TITLE = "Scales by ".short(POLICY, 70)
NOTE = BIN == 1 ? "every step" : \
    sprintf("each column: the scale farthest from 1 in %d steps", BIN)
if (every > 1) NOTE = NOTE.sprintf("; one name in %d shown", every)
eval HEAD
if (TERM) {
    set lmargin TERM_LEFT
    set rmargin TERM_RIGHT
    set tmargin 3
    set key outside right top vertical Left reverse samplen 0.6 title "scale" left
} else {
    eval edges(left_edge, right_edge, 1 - (HEAD_H + 0.03) / PICTURE_H, \
        (head_foot - HEAD_H - 0.05) / PICTURE_H)
    legend_left = right_edge + 0.01
    scale_top = PAPER ? 0.14 : 0.34
    set label 3 smaller("scale") at screen legend_left + 0.01, screen 1 - scale_top / PICTURE_H
    set label 3 font small
    set key at screen legend_left, screen 1 - (scale_top + 0.08) / PICTURE_H left top vertical
    set key maxrows 20
    set key Left reverse samplen 0.6 font small spacing 0.9 * SPACING
}
eval tics_across(PICTURE_W * (right_edge - left_edge))
set xrange [FIRST_STEP - 0.5 * STRIDE:LAST_STEP + 0.5 * STRIDE]
set yrange [N_GROUPS + 0.5:0.5]
set xlabel "step" offset 0, LIFT
unset grid
set border 15
names_font = many ? tiny : small
set ytics scale 0 font names_font
row_name(g) = tic(many ? tiniest(ROW[g]) : smaller(ROW[g]))
set ytics (row_name(1) 1)
do for [g = 1 + every:N_GROUPS:every] { set ytics add (row_name(g) g) }

stop(k) = sprintf("%d '#%s', %d '#%s'", k - 1, word(INKS, k), k, word(INKS, k))
stops = stop(1)
do for [k = 2:N_CLASSES] { stops = stops.", ".stop(k) }
eval "set palette defined (".stops.")"
set cbrange [0:N_CLASSES]
unset colorbox
behind = holes > 0 ? "#".HOLE : "#".word(INKS, ONE + 1)
if (!TERM) {
    set object 1 rectangle from graph 0, 0 to graph 1, 1 behind
    set object 1 fillcolor rgb behind fillstyle solid noborder
}
# Viewers of SVG smooth images, and would mix the classes; they get a box for each cell, up to about
# 1 MB of them.  So does an image one cell wide or high, which gnuplot does not draw.
BOXES = '1:2:(0.5 * STRIDE * BIN):(0.5):(class($3) + 0.5) with boxxyerror '. \
    'fillcolor palette fillstyle solid noborder'
IMAGE = '1:2:(class($3) + 0.5) with image'
few = N_GROUPS * N_COLUMNS <= 9000
thin = N_GROUPS == 1 || N_COLUMNS == 1
CELLS = 'ROWS index 1 using '.(FORMAT eq "svg" && few || thin ? BOXES : IMAGE)
POINTS = 'for [k = 0:N_CLASSES - 1] ROWS index 1 using 1:(class($3) == k ? $2 : NaN) '. \
    'with points pointtype word(LETTERS, k + 1) linecolor rgb "#".ink(k)'
eval "plot ".(TERM ? POINTS : CELLS).ENTRIES
