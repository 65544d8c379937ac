# heatmap.gp - the scale that a policy gave each group at each step.
#
# Columns of heatmap-POLICY.tsv: step (middle of the column), row, scale, group.  Of long runs each
# column holds BIN steps, and shows the scale among them that is farthest from 1.
#
# Classes, not a smooth ramp, so that one colour means one range in every picture, and exactly 1
# has a colour of its own.
EDGES = "0.01 0.03 0.1 0.3 0.5 0.7 0.9"
EDGES_UP = "1.1 1.5 3"
INK = "10052E 08204A 08306B 08519C 2171B5 5A9FD0 94C4DF C6DBEF F2F2F2 FDD9B0 FDAE6B E6660C 8C2D04"
LETTERS = "@ @ % # * + = - . o O X X"
ONE = words(EDGES) + 1
below(s) = sum [k = 1:words(EDGES)] (s >= real(word(EDGES, k)))
above(s) = sum [k = 1:words(EDGES_UP)] (s > real(word(EDGES_UP, k)))
class(s) = s != s ? NaN : s < 1 ? below(s) : s == 1 ? ONE : ONE + 1 + above(s)
N_CLASSES = words(INK)
ink(k) = TERM && k == ONE ? "808080" : word(INK, k + 1)     # nearly white would not be seen
name(k) = k == 0 ? "below ".word(EDGES, 1) : k < ONE - 1 ? word(EDGES, k)." to ".word(EDGES, k + 1) : \
    k == ONE - 1 ? word(EDGES, k)." to 1" : k == ONE ? "1, untouched" : \
    k == ONE + 1 ? "1 to ".word(EDGES_UP, 1) : \
    k == N_CLASSES - 1 ? "above ".word(EDGES_UP, words(EDGES_UP)) : \
    word(EDGES_UP, k - ONE - 1)." to ".word(EDGES_UP, k - ONE)
# Which classes occur, as bits; and how many cells have none.
seen = 0
holes = 0
stats ROWS index 1 using (k = class($3), seen = k == k ? seen | (1 << int(k)) : seen, holes = holes + (k != k), 1) nooutput
occurs(k) = (seen >> k) & 1
n_entries = 1 + (holes > 0)
LEGEND = ""
do for [k = 0:N_CLASSES - 1] {
    n_entries = n_entries + occurs(k)
    LEGEND = LEGEND.also(occurs(k), sprintf('keyentry with points pointtype %s pointsize 1.3 linecolor rgb "#%s" title smaller(name(%d))', \
        TERM ? '"'.word(LETTERS, k + 1).'"' : "5", ink(k), k))
}
if (!TERM) LEGEND = LEGEND.also(holes > 0, 'keyentry with points pointtype 5 pointsize 1.3 linecolor rgb "#B0B0B0" title smaller("skipped, or no record")')
step_of_names = (N_GROUPS + 69) / 70

row_height = N_GROUPS <= 16 ? 0.2 : N_GROUPS <= 70 ? 0.115 : 8.05 / N_GROUPS
for_names = N_GROUPS * row_height
for_legend = n_entries * 0.14
own_height = 0.97 + (for_names > for_legend ? for_names : for_legend)
longest = 4
do for [g = 1:N_GROUPS] { if (strlen(ROW[g]) > longest) { longest = strlen(ROW[g]) } }
if (longest > 24) longest = 24
eval terminal(5.8, own_height)
names_font = N_GROUPS > 16 ? tiny : small
W = inches(WIDTH, 5.8)
left_edge = (0.2 + longest * (N_GROUPS > 16 ? 0.047 : 0.06)) / W
right_edge = 1 - 1.3 / W
if (TERM) { set lmargin TERM_LEFT; set rmargin TERM_RIGHT; set tmargin 3 } \
    else { set lmargin at screen left_edge; set rmargin at screen right_edge; \
           set tmargin at screen 1 - 0.45 / PICTURE_H; set bmargin at screen 0.5 / PICTURE_H }
TITLE = "Scales by ".short(POLICY, 70)
NOTE = (BIN > 1 ? sprintf("each column: the scale farthest from 1 in %d steps", BIN) : "every step"). \
    (step_of_names > 1 ? sprintf("; one name in %d shown", step_of_names) : "")
eval HEAD
if (!TERM) set label 3 smaller("scale") at screen right_edge + 0.02, screen 1 - 0.34 / PICTURE_H left font small
eval tics_across(W * (right_edge - left_edge))
set xrange [FIRST_STEP - 0.5 * STRIDE:LAST_STEP + 0.5 * STRIDE]
set yrange [N_GROUPS + 0.5:0.5]
set xlabel "step" offset 0, LIFT
unset grid
set border 15
set ytics scale 0 font names_font
row_name(g) = tic(N_GROUPS > 16 ? tiniest(short(ROW[g], 24)) : smaller(short(ROW[g], 24)))
set ytics (row_name(1) 1)
do for [g = 1 + step_of_names:N_GROUPS:step_of_names] { set ytics add (row_name(g) g) }
if (TERM) { set key outside right top vertical Left reverse samplen 0.6 title "scale" left } \
    else { set key at screen right_edge + 0.01, screen 1 - 0.42 / PICTURE_H left top vertical maxrows 20 \
               Left reverse samplen 0.6 font small spacing 0.9 * SPACING }

stops = ""
do for [k = 1:N_CLASSES] { stops = stops.sprintf("%s%d '#%s', %d '#%s'", k > 1 ? ", " : "", k - 1, word(INK, k), k, word(INK, k)) }
eval "set palette defined (".stops.")"
set cbrange [0:N_CLASSES]
unset colorbox
# Viewers of SVG smooth images, and would mix the classes; they get a box for each cell.  So does an
# image one cell wide or high, which gnuplot does not draw.
BOXES = '1:2:(0.5 * STRIDE * BIN):(0.5):(class($3) + 0.5) with boxxyerror fillcolor palette fillstyle solid noborder'
CELLS = FORMAT eq "svg" || N_GROUPS == 1 || N_COLUMNS == 1 ? BOXES : '1:2:(class($3) + 0.5) with image'
LETTER = 'for [k = 0:N_CLASSES - 1] ROWS index 1 using 1:(class($3) == k ? $2 : NaN) with points '. \
    'pointtype word(LETTERS, k + 1) linecolor rgb "#".ink(k)'
if (!TERM) set object 1 rectangle from graph 0, 0 to graph 1, 1 behind fillcolor rgb (holes > 0 ? "#B0B0B0" : "#F2F2F2") fillstyle solid noborder
eval "plot ".(TERM ? LETTER : 'ROWS index 1 using '.CELLS).LEGEND
