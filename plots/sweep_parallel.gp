# sweep_parallel.gp - the best settings of a policy, a line each through its knobs and the goals.
#
# Columns of sweep_parallel-POLICY.tsv: axis (from 1), place on it (0 to 1), goal (the first),
# value, setting, name of the axis.  Data blocks: the settings, worst first; the tics (axis, place,
# text); the recommended setting.  A knob of few values has them at equal distances.
set palette defined (0 "#440154", 1 "#482878", 2 "#3E4989", 3 "#31688E", 4 "#26828E", \
    5 "#1F9E89", 6 "#35B779", 7 "#6ECE58", 8 "#B5DE2B", 9 "#FDE725") negative
# So many axes take both columns of a paper.
if (N_AXES > 4 && narrow(7)) WIDTH = 7
eval terminal(at_least(3.6, 0.9 * N_AXES + 1.35), PAPER ? 2.4 : 3)
THIS_POLICY = N_POLICIES > 1 ? " of ".short(POLICY, 30) : ""
TITLE = sprintf("The best %s%s, %s", N_LINES < N_SETTINGS ? \
    sprintf("%d of %s settings", N_LINES, grouped(N_SETTINGS)) : \
    sprintf("%d settings", N_LINES), THIS_POLICY, TRACE)
BY = N_GOALS > 1 ? "by the sum of both goals, each from 0 to 1 over the front" : "by ".GOAL_NAME
NOTE = BY.(KNEE ? (TERM ? "; *: recommended" : "; pink: recommended") : "").(N_LEFT_OUT > 0 ? \
    sprintf("; %d knobs that matter less are left out", N_LEFT_OUT) : "")
eval HEAD
left_edge = 0.5 / PICTURE_W
right_edge = 1 - 1.1 / PICTURE_W
if (TERM) {
    set tmargin 3
} else {
    eval edges(left_edge, right_edge, 1 - (HEAD_H + 0.08) / PICTURE_H, 0.36 / PICTURE_H)
}
unset key
unset grid
set border 0
unset ytics
set xrange [1:N_AXES]
set yrange [-0.03:1.03]
name_of(a) = smaller(short(AXIS[a], 24))
set xtics scale 0 offset 0, 0.2 font small
set xtics (tic(name_of(1)) 1)
do for [a = 2:N_AXES] { set xtics add (tic(name_of(a)) a) }
do for [a = 1:N_AXES] {
    set arrow a from a, 0 to a, 1 nohead linecolor rgb "#444444" linewidth 0.8 front
}
flat = !(C_HIGH > C_LOW)
set cbrange [flat ? C_LOW - 0.5 : C_LOW:flat ? C_HIGH + 0.5 : C_HIGH]
if (!TERM) {
    set colorbox user origin screen right_edge + 0.28 / PICTURE_W, screen 0.4 / PICTURE_H \
        size screen 0.1 / PICTURE_W, screen 1 - (HEAD_H + 0.5) / PICTURE_H
    set cbtics font small offset -0.6, 0 scale 0.3
    if (!flat) { set cbtics round_near((C_HIGH - C_LOW) / 4.) }
    set cblabel plain(GOAL) offset -0.6, 0
    set style textbox opaque fillcolor rgb "#FFFFFF" noborder margins 0.4, 0.2
}
LINES_OF = 'ROWS index 1 using 1:2:(FACTOR * $3) with lines linewidth 0.7 linecolor palette'
DOTS = 'ROWS index 1 using 1:2 with points pointtype "."'
TICS = 'ROWS index 2 using 1:2:(smaller(strcol(3))) with labels right offset -0.4, 0 '. \
    'font small textcolor rgb "#222222" '.(TERM ? "" : "boxed")
CHOSEN = 'ROWS index 3 using 1:2 with '. \
    (TERM ? 'points pointtype "*"' : 'linespoints pointtype 7 pointsize 0.5 linewidth 2.2')
eval "plot ".(TERM ? DOTS : LINES_OF). \
    also(KNEE, CHOSEN.' linecolor rgb "#D0006F"').", ".TICS
