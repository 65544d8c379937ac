# spill_matrix.gp - who paid for whom when the norm of the whole gradient was clipped.
#
# Columns of spill_matrix.tsv: column, row (from 1), nats, culprit, victim.  One data block.  Groups
# are in the same order both ways, most blame first.
many = N_SIDE > 14
numbered = N_SIDE <= 9
longest = 4
do for [g = 1:N_SIDE] { longest = at_least(longest, strlen(SIDE[g])) }
letter_w = many ? 0.047 : 0.06
names_w = 0.12 + letter_w * longest
side_w = N_SIDE * (many ? 0.14 : N_SIDE > 9 ? 0.22 : 0.42)
side_w = at_least(side_w, 1.9)
LEFT_W = names_w + 0.22
RIGHT_W = 0.75
TOP_H = HEAD_H + 0.08
BELOW_H = 0.3 + names_w * 0.6
eval terminal(LEFT_W + side_w + RIGHT_W, TOP_H + side_w + BELOW_H)
left_edge = LEFT_W / PICTURE_W
right_edge = 1 - RIGHT_W / PICTURE_W
top_edge = 1 - TOP_H / PICTURE_H
bottom_edge = BELOW_H / PICTURE_H

TITLE = sprintf("Who pays for whom, limit %g", LIMIT)
NOTE = TRACE.(N_LEFT_OUT > 0 ? sprintf("; %d groups with less blame left out", N_LEFT_OUT) : "")
# Flush with the picture's left: the panel may be narrower than its title.
if (!PAPER) {
    set label 1 plain(TITLE) at screen 0.08 / PICTURE_W, screen 1 - 0.14 / PICTURE_H left
    set label 2 smaller(NOTE) at screen 0.08 / PICTURE_W, screen 1 - 0.32 / PICTURE_H left \
        font small textcolor rgb "#555555"
}

eval edges(left_edge, right_edge, top_edge, bottom_edge)
set xrange [0.5:N_SIDE + 0.5]
set yrange [N_SIDE + 0.5:0.5]
unset grid
unset key
set border 15
names_font = many ? tiny : small
name(g) = tic(many ? tiniest(SIDE[g]) : smaller(SIDE[g]))
set xtics scale 0 rotate by 45 right offset 0.4, 0.3 font names_font
set ytics scale 0 font names_font
set xtics (name(1) 1)
set ytics (name(1) 1)
do for [g = 2:N_SIDE] {
    set xtics add (name(g) g)
    set ytics add (name(g) g)
}
set label 3 smaller("culprit") at screen right_edge, screen 0.1 / PICTURE_H right font small
set label 4 smaller("victim") at screen 0.1 / PICTURE_W, screen 0.5 * (top_edge + bottom_edge) \
    center rotate by 90 font small

# White is nothing; the more, the darker.  Most of the shades are for small amounts, of which there
# are many.
set palette defined (0 "#FFFFFF", 0.02 "#FEE8C8", 0.1 "#FDBB84", 0.3 "#F4794E", 0.6 "#D7301F", \
    1 "#7F0000")
set cbrange [0:MOST > 0 ? MOST : 1]
set colorbox user origin screen right_edge + 0.1 / PICTURE_W, screen bottom_edge \
    size screen 0.1 / PICTURE_W, screen top_edge - bottom_edge
set cbtics font small scale 0.4
set format cb "%.3g"
set cblabel smaller("spill-over paid (nats)") font small offset -0.2, 0

# A group is never innocent where it is the culprit.
do for [g = 1:N_SIDE] {
    set object g rectangle from g - 0.5, g - 0.5 to g + 0.5, g + 0.5 front \
        fillcolor rgb "#DCDCDC" fillstyle solid noborder
}
ink(v) = v > 0.35 * MOST ? 0xFFFFFF : 0x222222
said(v) = v == 0 ? "" : v < 0.005 ? "<.01" : sprintf(v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v)
# As in heatmap.gp: viewers of SVG smooth images, and gnuplot draws none of one cell.
CELLS = FORMAT eq "svg" || N_SIDE < 2 ? \
    '1:2:(0.5):(0.5):3 with boxxyerror fillcolor palette fillstyle solid noborder' : \
    '1:2:3 with image'
WORDS = ', ROWS index 1 using 1:2:($1 == $2 ? "" : said($3)):(ink($3)) '. \
    'with labels font small textcolor rgb variable'
eval 'plot ROWS index 1 using '.CELLS.(numbered ? WORDS : '')
