# style.gp - terminals, type, colours and legends that all figures share.
#
# Reads NAME (stem of the files), FORMATS ("png svg"), WIDTH and HEIGHT (inches; 0: the figure's
# own), and PAPER (1: for a column of a paper, without titles).  A script is read once per format;
# `turn` counts.
if (GPVAL_VERSION < 5.4) print "this script needs gnuplot 5.4 or later"; exit status 1
if (!exists("turn")) turn = 1
FORMAT = word(FORMATS, turn)
reset
set encoding utf8
set datafile separator "\t"
set datafile commentschars ""
ROWS = NAME.".tsv"
at_most(a, b) = a < b ? a : b
at_least(a, b) = a > b ? a : b

# --- terminals ---------------------------------------------------------------------------------
# Type of 9 points: readable still when a picture is scaled to one column of a paper.  A paper's own
# pictures go in unscaled: there type is of 8 points, the small of 7, and the thinnest line of
# about a quarter of a point.
if (!exists("PAPER")) PAPER = 0
DPI = PAPER ? 300 : 200
POINTS = PAPER ? 8 : 9
INK = PAPER ? 1.2 : 1
TERM = FORMAT eq "term"
inches(given, own) = given > 0 ? given : own
pixels(w, h, dpi) = sprintf("size %d,%d", int(w * dpi + 0.5), int(h * dpi + 0.5))
png(w, h) = sprintf("pngcairo rounded font 'Arial,%d' ", POINTS).pixels(w, h, DPI). \
    sprintf(" fontscale %g linewidth %g", DPI / 96., INK * DPI / 96.). \
    sprintf(" pointscale %g dashlength %g", DPI / 120., DPI / 200.)
svg(w, h) = sprintf("svg font 'Arial,%.4g' ", POINTS / 0.75).pixels(w, h, 96). \
    sprintf(" linewidth %g dashlength 0.6 background '#ffffff'", INK * 1.33)
pdf(w, h) = sprintf("pdfcairo rounded font 'Arial,%d' size %gin,%gin", POINTS, w, h). \
    sprintf(" fontscale 0.75 linewidth %g pointscale 0.8 dashlength 0.45", INK)
tex(w, h) = sprintf("cairolatex pdf input colortext size %gin,%gin", w, h). \
    " header '\\footnotesize' font ',8' linewidth 2 pointscale 1.2 dashlength 0.3"
dumb(w, h) = sprintf("dumb size %d,%d ", TERM_COLUMNS, TERM_ROWS).(TERM_COLOUR ? "ansi256" : "mono")
drawn(w, h) = FORMAT eq "png" ? png(w, h) : FORMAT eq "svg" ? svg(w, h) : \
    FORMAT eq "pdf" ? pdf(w, h) : FORMAT eq "tex" ? tex(w, h) : dumb(w, h)
OPEN_FILE = TERM ? "" : \
    sprintf("; set output '%s%s.%s'", NAME, FORMAT eq "tex" ? "-latex" : "", FORMAT)
# `eval terminal(5, 3)` opens a picture of 5 x 3 inches.
terminal(w, h) = sprintf("PICTURE_W = %g; PICTURE_H = %g; ", inches(WIDTH, w), inches(HEIGHT, h)). \
    "set terminal ".drawn(inches(WIDTH, w), inches(HEIGHT, h)). \
    "; set termoption noenhanced".OPEN_FILE

# --- text --------------------------------------------------------------------------------------
# Names are printed as they are.  LaTeX needs some characters spelled out, and tic labels are
# formats, in which % counts.  The sums go over at least one character.
in_latex(c) = strstrt("_%&#${}", c) ? "\\".c : strstrt("<>|", c) ? "$".c."$" : \
    c eq "^" ? "\\textasciicircum{}" : c eq "~" ? "\\textasciitilde{}" : \
    c eq "\\" ? "\\textbackslash{}" : c
as_format(c) = c eq "%" ? "%%" : c
latex(s) = (_out = "", sum [_i = 1:strlen(s)] (_out = _out.in_latex(s[_i:_i]), 0), _out)
format(s) = (_fmt = "", sum [_j = 1:strlen(s)] (_fmt = _fmt.as_format(s[_j:_j]), 0), _fmt)
plain(s) = FORMAT eq "tex" && strlen(s) > 0 ? latex(s) : s
tic(s) = strlen(s) > 0 ? format(s) : s
# Names in arrays have been cut to differ.  What stands alone is cut here: it keeps both ends.
ending(s, n) = strlen(s) <= n ? s : "..".s[strlen(s) - (n - 3):*]
short(s, n) = strlen(s) <= n ? s : s[1:n / 2].ending(s[n / 2 + 1:*], n - n / 2)
# 1234567 as 1,234,567.
grouped(n) = n < 1000 ? sprintf("%d", n) : grouped(n / 1000).sprintf(",%03d", n % 1000)
# Smaller type: a font, or for LaTeX a command before the words.
smaller(s) = (FORMAT eq "tex" ? "\\scriptsize " : "").plain(s)
tiniest(s) = (FORMAT eq "tex" ? "\\tiny " : "").plain(s)
small = FORMAT eq "svg" ? (PAPER ? ",9.33" : ",10") : PAPER ? ",7" : ",7.5"
tiny = FORMAT eq "svg" ? ",8" : ",6"
# Inches that a letter takes, and one of the small ones.
LETTER = PAPER ? 0.06 : 0.068
SMALL_LETTER = PAPER ? 0.053 : 0.057
# What a legend of so many letters takes beyond the usual: for it the picture gets wider, rather
# than the graph narrower.
beyond(letters) = PAPER || TERM ? 0 : LETTER * at_least(letters - 20, 0)
# A title flush left, and a line in grey under it.  Labels 1 and 2.
above_graph(h) = sprintf("at graph 0, graph 1 offset 0, screen %g left ", h / PICTURE_H)
# A paper has both in its caption.  HEAD_H: inches to keep for them above a graph.
HEAD_H = PAPER ? 0.08 : 0.42
HEAD = PAPER ? "" : TERM ? \
    'set label 1 TITLE at graph 0, graph 1 offset 0, 2 left; '. \
    'set label 2 NOTE at graph 0, graph 1 offset 0, 1 left' : \
    'eval "set label 1 plain(TITLE) ".above_graph(0.28); '. \
    'eval "set label 2 smaller(NOTE) ".above_graph(0.12)."font small textcolor rgb \"#555555\""'

# Of a panel the title says which it is, and stays.
PANEL_H = PAPER ? 0.2 : 0.42
PANEL_HEAD = !PAPER ? HEAD : \
    'eval "set label 1 smaller(TITLE) ".above_graph(0.08)."font small"'
# A graph this wide has its legend beside it; a narrower one, in a paper, below.
narrow(w) = PAPER && inches(WIDTH, w) < 5

# --- colours -----------------------------------------------------------------------------------
# Okabe and Ito's, which stay apart for colour-blind readers, without their yellow, which fades on
# paper, and with wine and olive added.  Beyond eight groups the colours come again, dashed;
# beyond sixteen only the eight groups with most energy have colours.
COLOURS = "0072B2 D55E00 009E73 CC79A7 E69F00 56B4E9 882255 808000"
N_COLOURS = words(COLOURS)
N_SHOWN = N_GROUPS <= 2 * N_COLOURS ? N_GROUPS : N_COLOURS
REST = N_GROUPS - N_SHOWN
GREY = "A8A8A8"
hex(g) = word(COLOURS, (g - 1) % N_COLOURS + 1)
colour(g) = "#".hex(g)
# Two digits of transparency first; bins draw twice over each spot, and more ink.
faint(g) = (exists("BIN") && BIN > 1 ? "#DC" : "#B4").hex(g)
dash(g) = g <= N_COLOURS ? 1 : 2
# In a terminal groups are told apart by letters too.
letter(g) = "ABCDEFGHIJKLMNOP"[g:g]

# --- axes --------------------------------------------------------------------------------------
set border (TERM ? 15 : 3) linecolor rgb "#444444" linewidth 0.6
set tics nomirror out scale 0.5 textcolor rgb "#222222"
if (!TERM) set grid linecolor rgb "#E4E4E4" linewidth 0.5 linetype 1
LIFT = TERM ? 0 : FORMAT eq "svg" ? 0.65 : 0.5   # of names of the x axis, towards its numbers

# A round number near x, for the distance of tics.
rounded(power, x) = power * (x < 1.5 ? 1 : x < 3.5 ? 2 : x < 7.5 ? 5 : 10)
round_near(x) = (_p = 10. ** floor(log10(x)), rounded(_p, x / _p))
# A run of one step still needs an axis of some length.  (Figures of a sweep have no steps.)
if (exists("FIRST_STEP")) {
    X_FIRST = FIRST_STEP == LAST_STEP ? FIRST_STEP - 1 : FIRST_STEP
    X_LAST = FIRST_STEP == LAST_STEP ? LAST_STEP + 1 : LAST_STEP
}
# `eval tics_across(w)`: numbers of steps that do not touch along w inches.
step_room(w) = at_most(0.5, (0.25 + 0.09 * strlen(sprintf("%g", 1. * X_LAST))) / w)
tics_across(w) = TERM ? "" : \
    sprintf("set xtics %.15g", at_least(1, round_near((X_LAST - X_FIRST) * step_room(w))))
# Short runs show their steps one by one.
LINES = exists("N_STEPS") && N_STEPS <= 40 ? "linespoints pointtype 7 pointsize 0.35" : "lines"

# Numbers along a logarithmic axis: powers of ten, without superscripts but in LaTeX; plain
# numbers where 2 and 5 are told as well.
few_decades(low, high) = 1. * high / low <= 60
decades(low, high) = few_decades(low, high) ? "%g" : FORMAT eq "tex" ? "$10^{%T}$" : \
    low < 1e-4 || high > 1e5 ? "1e%T" : "%g"
# `eval between("y", low, high)`: 2 and 5 between the powers of ten, where there are few of those.
two_and_five(axis, p) = sprintf("set %stics add (%g, %g); ", axis, 2 * p, 5 * p)
each_decade(axis, low, high) = (_tics = "", sum [_e = floor(log10(low)):floor(log10(high))] \
    (_tics = _tics.two_and_five(axis, 10. ** _e), 0), _tics)
between(axis, low, high) = few_decades(low, high) ? each_decade(axis, low, high) : ""

# Inches that the numbers and the name of a y axis take.
longer(a, b) = at_least(strlen(a), strlen(b))
last_tic(high, distance) = distance * floor(high / distance)
widest(high) = (_t = round_near(high / 5.), \
    longer(sprintf("%g", _t), sprintf("%g", last_tic(high, _t))))
left_of_axis(high, is_log) = 0.38 + 0.075 * (is_log ? 4 : widest(high))

# --- legends -----------------------------------------------------------------------------------
SPACING = FORMAT eq "svg" ? 0.85 : FORMAT eq "tex" ? 1.2 : 1.05
set key noautotitle samplen 1.6 spacing SPACING
# Adds `piece` to a plot command if it is wanted.  (gnuplot 5.4 keeps room in the legend for a
# `for` that runs not once.)
also(wanted, piece) = wanted ? ", ".piece : ""
LONGEST = 20
name_length = 8
do for [g = 1:N_SHOWN] { name_length = at_least(name_length, strlen(GROUP[g])) }
group_title(g) = plain(GROUP[g])
rest_title = sprintf("%d others", REST).(exists("WINDOW") && WINDOW > 1 ? ", median" : "")
# Entries for the groups, and for those without a colour.
GROUP_SAMPLE = TERM ? 'points pointtype letter(g)' : 'lines linewidth 2 dashtype dash(g)'
REST_SAMPLE = TERM ? 'points pointtype "."' : 'lines linewidth 1'
GROUP_ENTRIES = 'for [g = 1:N_SHOWN] keyentry with '.GROUP_SAMPLE. \
    ' linecolor rgb colour(g) title group_title(g)'. \
    also(REST > 0, 'keyentry with '.REST_SAMPLE.' linecolor rgb "#'.GREY.'" title rest_title')

# --- grids of panels ---------------------------------------------------------------------------
# `eval grid(n, left)` opens a picture with n equal panels over a legend, `left` inches kept free
# for the outer axis; `eval panel(i)` goes to the i-th, and `eval foot` draws the legend.  In a
# terminal each panel fills the window in its turn, beside its own legend.
ROW_INCHES = !PAPER ? 2.25 : narrow(7) ? 1.5 : 1.8
# Entries that fit side by side in w inches, and the rows of them.
LEGEND_ROW = PAPER ? 0.145 : 0.17
entries_across(w, letters) = at_least(1, int((w - 0.1) / (0.42 + LETTER * letters)))
fit(w) = PAPER ? entries_across(w, name_length) : \
    at_least(1, int((w - 0.3) / (0.5 + (name_length > LONGEST ? 0.08 : 0.068) * name_length)))
rows(n, w) = (n + fit(w) - 1) / fit(w)
legend_height(w) = LEGEND_ROW * rows(N_SHOWN + (REST > 0), w) + (PAPER ? 0.04 : 0.1)
own_across(n) = n <= 3 ? n : n == 4 ? 2 : 3
own_width(n) = own_across(n) == 1 ? 4.2 : own_across(n) == 2 ? 5.6 : 7.2
across(n, w) = at_most(own_across(n), at_least(1, int(w / (PAPER ? 1.6 : 2))))
grid(n, left) = grid_of(n, left, 0, own_width(n), across(n, inches(WIDTH, own_width(n))))
# Panels with numbers of their own keep `inner` inches for them.
grid_of(n, left, inner, w, n_across) = \
    sprintf("GRID_N = %d; GRID_LEFT = %g; PANEL_LEFT = %g; ", n, left, inner). \
    sprintf("GRID_W = inches(WIDTH, %g); GRID_ACROSS = %d; ", w, n_across). \
    "GRID_DOWN = (GRID_N + GRID_ACROSS - 1) / GRID_ACROSS; ". \
    "GRID_FOOT = 0.3 + legend_height(GRID_W); ". \
    "GRID_H = inches(HEIGHT, GRID_DOWN * ROW_INCHES + GRID_FOOT); ". \
    "ROW_H = (GRID_H - GRID_FOOT) / GRID_DOWN; ". \
    "COLUMN_W = (GRID_W - GRID_LEFT + 0.04) / GRID_ACROSS; ". \
    "eval terminal(GRID_W, GRID_H); ". \
    "if (!TERM) set multiplot"
panel_column(i) = (i - 1) % GRID_ACROSS
panel_row(i) = (i - 1) / GRID_ACROSS
panel_left(i) = (GRID_LEFT + PANEL_LEFT + panel_column(i) * COLUMN_W) / GRID_W
panel_right(i) = (GRID_LEFT + (panel_column(i) + 1) * COLUMN_W - 0.16) / GRID_W
panel_top(i) = 1 - (panel_row(i) * ROW_H + PANEL_H) / GRID_H
panel_bottom(i) = 1 - (panel_row(i) * ROW_H + ROW_H - 0.12) / GRID_H
edges(l, r, t, b) = sprintf("set lmargin at screen %g; set rmargin at screen %g; ", l, r). \
    sprintf("set tmargin at screen %g; set bmargin at screen %g", t, b)
panel(i) = TERM ? "set tmargin 3; set key outside right top vertical Left reverse" : \
    "unset key; ".edges(panel_left(i), panel_right(i), panel_top(i), panel_bottom(i))
# Only the outer panels carry numbers and names of axes: all panels have the same.
outer_left(i) = TERM || panel_column(i) == 0
outer_below(i) = TERM || i + GRID_ACROSS > GRID_N
# `eval foot_key(n, y)` before a plot of nothing but entries: a legend of n columns, y inches above
# the foot of a multiplot, as wide as the picture.  (A graph's own legend has the graph's width.)
foot_key(n, y) = edges(0.02, 0.98, 0.02 + 0.2 / PICTURE_H, 0.01). \
    '; unset border; unset tics; unset grid; unset xlabel; unset ylabel; unset label; '. \
    'unset arrow; unset object; unset logscale; set key default; '. \
    sprintf("set key at screen 0.5, screen %g center bottom horizontal Left reverse ", \
    y / PICTURE_H).sprintf("noautotitle samplen 1.2 spacing SPACING maxcols %d", n)
# The legend is a plot of its own, which spans the foot of the picture.
LEGEND = 'eval edges(0.02, 0.98, 0.02 + 0.2 / GRID_H, 0.01); '. \
    'unset border; unset tics; unset grid; unset xlabel; unset ylabel; unset label; '. \
    'unset logscale; '. \
    'set key at screen 0.5, screen (PAPER ? 0.02 : 0.06) / GRID_H center bottom horizontal '. \
    'Left reverse; '. \
    'plot [0:1] [0:1] 2, '.GROUP_ENTRIES.'; unset multiplot'
foot = TERM ? "" : LEGEND
