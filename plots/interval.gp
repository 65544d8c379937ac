# interval.gp - a norm, the interval that a policy held it in, and the steps that it scaled.
#
# Columns of interval-POLICY.tsv: step, norm, lower, upper, scale, norm_out.
eval terminal(5.2, 3.2)
TITLE = SUBJECT.", held by ".short(POLICY, 60)
share(n) = N_DECIDED > 0 ? 100. * n / N_DECIDED : 0
NOTE = sprintf("clipped at %d of %d steps (%.3g %%)", N_CLIPPED, N_DECIDED, share(N_CLIPPED)). \
    (N_RAISED > 0 ? sprintf(", raised at %d (%.3g %%)", N_RAISED, share(N_RAISED)) : ""). \
    (N_EMPTY > 0 ? sprintf("; empty (lower > upper) at %d", N_EMPTY) : "")
eval HEAD
eval tics_across(inches(WIDTH, 5.2) - 0.9)
set xrange [X_FIRST:X_LAST]
set yrange [Y_MIN:Y_MAX]
set xlabel "step" offset 0, LIFT
set ylabel "gradient norm (L2)" offset 0.5, 0
if (LOG) set logscale y
if (LOG) set format y decades(Y_MIN, Y_MAX)
if (LOG) eval between("y", Y_MIN, Y_MAX)
n_entries = 3 + HAS_UPPER + HAS_LOWER + (N_CLIPPED > 0) + (N_RAISED > 0)
foot_height = (n_entries > 5 ? 0.34 : 0.17) / inches(HEIGHT, 3.2)
if (TERM) { set key outside right top vertical Left reverse } \
    else { set key at screen 0.53, screen 0.015 center bottom horizontal Left reverse samplen 1.4 }
if (!TERM) set bmargin at screen foot_height + 0.45 / inches(HEIGHT, 3.2)
set tmargin (TERM ? 3 : 3.2)

# Ends of the interval as far as the axis shows them.
inside(y) = y != y ? NaN : y < Y_MIN ? Y_MIN : y > Y_MAX ? Y_MAX : y
top(l, u) = l > u ? l : u
many = N_CLIPPED + N_RAISED > 200
# In a terminal everything is points with letters of their own.
drawn_as(letter, line) = TERM ? sprintf('points pointtype "%s"', letter) : line
size = sprintf(" pointsize %g", many ? 0.22 : 0.4)
BAND = 'ROWS index 1 using 1:(inside($3)):(inside(top($3, $4))) with filledcurves '. \
    'fillcolor rgb "#D6E6F4" fillstyle solid noborder, '
GAP = 'ROWS index 1 using 1:(inside($4)):(inside(top($3, $4))) with filledcurves '. \
    'fillcolor rgb "#F0DCE8" fillstyle solid noborder, '
NORM = 'ROWS index 1 using 1:2 with '.drawn_as(".", LINES.' linewidth 0.6').' linecolor rgb "#666666" title "norm"'
LOWER = 'ROWS index 1 using 1:3 with '.drawn_as("L", 'lines linewidth 1 dashtype 2').' linecolor rgb "#0072B2" title "lower end"'
UPPER = 'ROWS index 1 using 1:4 with '.drawn_as("U", 'lines linewidth 1').' linecolor rgb "#0072B2" title "upper end"'
CLIP = drawn_as("x", 'points pointtype 7').' linecolor rgb "#D55E00"'
RAISE = drawn_as("+", 'points pointtype 9').' linecolor rgb "#009E73"'
CLIPPED = 'ROWS index 1 using 1:($5 < 1 ? $2 : NaN) with '.CLIP.size. \
    ', keyentry with '.CLIP.' pointsize 0.7 title "clipped"'
RAISED = 'ROWS index 1 using 1:($5 > 1 ? $2 : NaN) with '.RAISE.size. \
    ', keyentry with '.RAISE.' pointsize 0.9 title "raised"'
BOX = 'keyentry with boxes fillstyle solid noborder fillcolor rgb '
eval "plot ".(TERM ? "" : BAND.GAP).NORM.also(HAS_UPPER, UPPER).also(HAS_LOWER, LOWER). \
    also(N_CLIPPED > 0, CLIPPED).also(N_RAISED > 0, RAISED). \
    also(!TERM && N_EMPTY < N_DECIDED, BOX.'"#D6E6F4" title "interval"'). \
    also(!TERM && N_EMPTY > 0, BOX.'"#F0DCE8" title "lower > upper"')
