# layers.gp - the norm of each layer at each step, as a map.
#
# Columns of layers.tsv: step (middle of the column), row (from the bottom), norm, layer.  Of long
# runs each column holds BIN steps, and shows the largest norm among them, or their median
# (BIN_SHOWS).
#
# The colours (viridis) grow evenly lighter, so that they are read in the same order by colour-blind
# readers and on grey paper.
INKS = "440154 482878 3E4989 31688E 26828E 1F9E89 35B779 6DCD59 B4DE2C FDE725"
HOLE = "B0B0B0"
LETTERS = ". : - = + * o # % @"
# Rows get narrower the more there are; the names of those that are no layer stay readable.
row_height = N_LAYERS > 60 ? 5.1 / N_LAYERS : N_LAYERS > 24 ? 0.085 : 0.12
if (TERM) TERM_ROWS = at_least(TERM_ROWS, N_LAYERS + 8)
graph_h = at_least(1.2, N_LAYERS * row_height)
FOOT = PAPER ? 0.4 : 0.5
longest = 2
do for [k = 1:N_LAYERS] { longest = at_least(longest, strlen(ROW[k])) }
letter = N_LAYERS > 16 ? 0.048 : 0.058
eval terminal(5.8 + letter * at_least(longest - 24, 0), HEAD_H + FOOT + graph_h)
row_height = (PICTURE_H - HEAD_H - FOOT) / N_LAYERS
left_edge = at_most((0.32 + longest * letter) / PICTURE_W, 0.6)
right_edge = 1 - 0.75 / PICTURE_W
TITLE = "Gradient norm per layer, ".(MODULE eq "" ? "" : "tensors of ".MODULE.", ").TRACE
NOTE = BIN == 1 ? "every step" : \
    sprintf("each column: the %s norm of %d steps", BIN_SHOWS, BIN)
eval HEAD
if (TERM) {
    set lmargin TERM_LEFT
    set rmargin TERM_RIGHT
    set tmargin 3
    set key outside right top vertical Left reverse samplen 0.6 title "norm" left
} else {
    eval edges(left_edge, right_edge, 1 - HEAD_H / PICTURE_H, FOOT / PICTURE_H)
}
eval tics_across(PICTURE_W * (right_edge - left_edge))
set xrange [FIRST_STEP - 0.5 * STRIDE:LAST_STEP + 0.5 * STRIDE]
set yrange [0.5:N_LAYERS + 0.5]
set xlabel "step" offset 0, LIFT
unset grid
set border 15

# Numbers of layers at a distance, left out where the name of another row is too near.
room = TERM ? 1 : 0.1 / row_height
every = room <= 1 ? 1 : room <= 2 ? 2 : room <= 4 ? 4 : room <= 8 ? 8 : 16
if (every == 1 && N_LAYERS > 12 && !TERM) every = 2
near_name(k) = room > 1 && (k > 1 && BLOCK[at_least(1, k - 1)] < 0 || \
    k < N_LAYERS && BLOCK[at_most(N_LAYERS, k + 1)] < 0)
told(k) = BLOCK[k] < 0 || (BLOCK[k] % every == 0 && !near_name(k))
many = N_LAYERS > 16
names_font = many ? tiny : small
set ytics scale 0 font names_font
set ytics (" " 0)
row_name(k) = tic(many ? tiniest(ROW[k]) : smaller(ROW[k]))
do for [k = 1:N_LAYERS] { if (told(k)) { set ytics add (row_name(k) k) } }
if (!TERM) {
    set label 3 smaller(ONE_STACK ? "layer" : "") font small center rotate by 90 \
        at screen 0.1 / PICTURE_W, graph 0.5
}

high = C_MAX > C_MIN * 1.0001 ? C_MAX : C_MIN * 1.1
stop(k) = sprintf("%g '#%s'", (k - 1.) / (words(INKS) - 1), word(INKS, k))
stops = stop(1)
do for [k = 2:words(INKS)] { stops = stops.", ".stop(k) }
eval "set palette defined (".stops.")"
set logscale cb
set cbrange [C_MIN:high]
if (high / C_MIN > 10) {
    set format cb decades(C_MIN, high)
} else {
    set format cb "%g"
}
if (high / C_MIN > 3) {
    eval between("cb", C_MIN, high)
} else {
    set cbtics (C_MIN, high)
    set format cb "%.3g"
}
set cbtics font small offset -0.6, 0 scale 0.4
if (TERM) { unset colorbox }
if (!TERM) {
    set colorbox user origin screen right_edge + 0.08 / PICTURE_W, screen FOOT / PICTURE_H \
        size screen 0.1 / PICTURE_W, screen 1 - (HEAD_H + FOOT) / PICTURE_H noborder
    set cblabel smaller("gradient norm (L2)") font small offset -0.6, 0
    set object 1 rectangle from graph 0, 0 to graph 1, 1 behind fillcolor rgb "#".HOLE \
        fillstyle solid noborder
    # Between layers and what is no layer.
    do for [k = 2:N_LAYERS] {
        if ((BLOCK[k] < 0) != (BLOCK[k - 1] < 0)) {
            set arrow k from graph 0, first k - 0.5 to graph 1, first k - 0.5 nohead front \
                linewidth 0.8 linecolor rgb "#FFFFFF"
        }
    }
}
# In SVG a box for each cell, since viewers smooth images, up to about 1 MB of them; so too where
# the image is one cell wide, which gnuplot does not draw.
few = N_LAYERS * N_COLUMNS <= 9000
thin = N_COLUMNS == 1 || N_LAYERS == 1
shown(y) = y > 0 ? y : NaN
BOXES = '1:2:(0.5 * STRIDE * BIN):(0.5):(shown($3)) with boxxyerror '. \
    'fillcolor palette fillstyle solid noborder'
IMAGE = '1:2:(shown($3)) with image'
n_levels = words(LETTERS)
level(y) = y > 0 ? at_most(n_levels - 1, int(n_levels * log(y / C_MIN) / log(high / C_MIN))) : NaN
starts(k) = C_MIN * (high / C_MIN) ** (1. * k / n_levels)
LEVELS = 'for [k = 0:n_levels - 1] ROWS index 1 using 1:(level($3) == k ? $2 : NaN) '. \
    'with points pointtype word(LETTERS, k + 1) title sprintf("from %.2g", starts(k))'
CELLS = 'ROWS index 1 using '.(FORMAT eq "svg" && few || thin ? BOXES : IMAGE)
eval "plot ".(TERM ? LEVELS : CELLS)
