# sweep_front.gp - all settings of a sweep in the plane of two goals, the Pareto front and its knee.
#
# Columns of sweep_front.tsv: x, y (the goals), number, policy.  Data blocks: the settings of each
# policy, the front's of each policy, the front, the knee.  BINNED: a dot of the first blocks is a
# cell of the plane, and its number tells how many settings are in it; else number is 1.  Of the
# front, points that lie on the spot of the one before are left out: N_FRONT counts all.
FRONT = 2 * N_POLICIES + 1
eval terminal(4.9, PAPER ? 2.4 : 3.4)
TITLE = sprintf("What %s settings reach, %s", grouped(N_SETTINGS), TRACE)
NOTE = BINNED ? "a dot: a spot with at least one setting" : "a dot: one setting"
NOTE = NOTE.(N_OUTSIDE > 0 ? sprintf("; %s are beyond the axes", grouped(N_OUTSIDE)) : "")
if (!FALLS) NOTE = NOTE."; larger: front of 3 goals"
eval HEAD
# In one column the legend lies in the corner that fronts leave empty.
inside = narrow(4.9) && !TERM
right_edge = 1 - (inside ? 0.1 : 0.56 + LETTER * at_least(name_length, 12)) / PICTURE_W
foot = KNEE && !TERM ? 0.2 : 0
if (TERM) {
    set tmargin 3
    set key outside right top vertical Left reverse
} else {
    left_w = left_of_axis(Y_MAX, Y_LOG) + (Y_LOG && few_decades(Y_MIN, Y_MAX) ? 0.15 : PAPER ? 0.06 : 0)
    eval edges(left_w / PICTURE_W, right_edge, 1 - (HEAD_H + 0.04) / PICTURE_H, \
        (0.5 + foot) / PICTURE_H)
    set key at screen right_edge + 0.01, screen 1 - (HEAD_H + 0.04) / PICTURE_H left top vertical Left reverse
    set key samplen 1.2 maxrows 24
    if (inside) { set key at graph 1, graph 1 right top opaque font small }
    if (!X_LOG && X_MAX > X_MIN) { set xtics round_near((X_MAX - X_MIN) / 5.) }
    if (KNEE) {
        set label 3 smaller("recommended: ".short(KNEE_TEXT, at_most(95, int(PICTURE_W / SMALL_LETTER) - 16))) font small textcolor rgb "#555555" \
            at screen 0.12 / PICTURE_W, screen 0.11 / PICTURE_H left
    }
}
set xrange [X_MIN:X_MAX]
set yrange [Y_MIN:Y_MAX]
if (X_LOG) {
    set logscale x
    set format x decades(X_MIN, X_MAX)
    eval between("x", X_MIN, X_MAX)
}
if (Y_LOG) {
    set logscale y
    set format y decades(Y_MIN, Y_MAX)
    eval between("y", Y_MIN, Y_MAX)
}
set xlabel plain(X_LABEL) offset 0, LIFT
set ylabel plain(Y_LABEL) offset 0.5, 0

DOT = TERM ? 'points pointtype "."' : \
    sprintf("points pointtype 7 pointsize %g", BINNED || N_SETTINGS > 1000 ? 0.16 : 0.28)
SHADE = N_SETTINGS > 1000 ? "#A0" : "#80"
FRONT_DOT = TERM ? 'points pointtype letter(p)' : 'points pointtype 7 pointsize 0.55'
at = ' using (X_FACTOR * $1):(Y_FACTOR * $2) '
SETTINGS = 'for [p = 1:N_POLICIES] ROWS index p'.at.'with '.DOT.' linecolor rgb SHADE.hex(p)'
STAIRS = 'ROWS index FRONT'.at.'with steps linewidth 1.2 linecolor rgb "#222222"'
FRONTS = 'for [p = 1:N_POLICIES] ROWS index N_POLICIES + p'.at.'with '.FRONT_DOT. \
    ' linecolor rgb colour(p)'
RING = TERM ? 'points pointtype "*"' : \
    'points pointtype 6 pointsize 1.5 linewidth 1.8 linecolor rgb "#000000"'
ENTRY = TERM ? 'points pointtype letter(p)' : 'points pointtype 7 pointsize 0.8'
eval "plot ".SETTINGS.also(!TERM && FALLS && N_FRONT > 0, STAIRS).also(N_FRONT > 0, FRONTS). \
    also(KNEE, 'ROWS index FRONT + 1'.at.'with '.RING). \
    ', for [p = 1:N_SHOWN] keyentry with '.ENTRY.' linecolor rgb colour(p) title group_title(p)'. \
    also(REST > 0, 'keyentry with points pointtype 7 linecolor rgb "#'.GREY.'" title rest_title'). \
    also(!TERM && FALLS && N_FRONT > 0, 'keyentry with lines linewidth 1.2 linecolor rgb "#222222" '. \
        'title sprintf("front (%s)", grouped(N_FRONT))'). \
    also(KNEE, 'keyentry with '.RING.' title "recommended"')
