# spike.gp - one spike: the loss, the norms over their own past, and the scales of the policies.
#
# Columns of spike.tsv: step, value, second, series.  Data block 1 is the loss; 2 to N_GROUPS + 1
# are the groups, most energy first: the norm over its baseline, and the norm; then come the
# policies: the scale of the group that spiked, and the median of the others' scales.
# The spiking group is drawn on top and thick.
letters = at_least(name_length, 14)
n_entries = N_SHOWN + (REST > 0)
longest_policy = 8
do for [p = 1:N_POLICIES] { longest_policy = at_least(longest_policy, strlen(POLICY[p])) }
below = narrow(5.4) && !TERM
W = inches(WIDTH, 5.4)
groups_across = entries_across(W, name_length)
policies_across = entries_across(W, longest_policy)
rows_of(n, n_across) = (n + n_across - 1) / n_across
groups_foot = below ? LEGEND_ROW * rows_of(n_entries, groups_across) + 0.06 : 0
policies_foot = below ? LEGEND_ROW * rows_of(N_POLICIES, policies_across) + 0.06 : 0
GAP = PAPER ? 0.1 : 0.14
LOSS_H = LOSS ? (PAPER ? 0.5 : 0.65) + GAP : 0
entry_h = n_entries > 8 ? 0.14 : LEGEND_ROW
MIDDLE_H = PAPER ? (below ? 1.25 : at_least(1.25, entry_h * n_entries + 0.1)) : \
    at_least(1.7, entry_h * n_entries + 0.1)
SCALE_H = PAPER ? 0.7 : at_least(0.9, 0.16 * (N_POLICIES + 2))
FOOT_H = (PAPER ? 0.38 : 0.48) + groups_foot + policies_foot
eval terminal(5.4 + beyond(letters), HEAD_H + LOSS_H + MIDDLE_H + GAP + SCALE_H + FOOT_H)
stretch = (PICTURE_H - HEAD_H - FOOT_H - GAP) / (LOSS_H + MIDDLE_H + SCALE_H)
right_edge = 1 - (below ? 0.08 : 0.46 + LETTER * at_least(letters, longest_policy)) / PICTURE_W
left_edge = 0.62 / PICTURE_W
below_top(h) = 1 - (HEAD_H + h) / PICTURE_H
loss_top = below_top(0)
loss_bottom = below_top((LOSS_H - GAP) * stretch)
middle_top = below_top(LOSS_H * stretch)
middle_bottom = below_top((LOSS_H + MIDDLE_H) * stretch)
scale_top = below_top((LOSS_H + MIDDLE_H) * stretch + GAP)
scale_bottom = FOOT_H / PICTURE_H

rise = FACTOR == FACTOR ? sprintf("%s at %.3g times its baseline", short(SPIKE_GROUP, 40), FACTOR) : \
    "no baseline"
TITLE = sprintf("Step %d: %s, %s", SPIKE, rise, TRACE)
NOTE = TERM ? "norm over the group's own past" : \
    "scales: line, that group; dots, median of the other groups"
if (!TERM) set multiplot
set xrange [FIRST == LAST ? FIRST - 1 : FIRST:FIRST == LAST ? LAST + 1 : LAST]
X_LAST = LAST
distance = round_near((LAST - FIRST) / 6.)
if (!TERM) set xtics at_least(1, distance)
if (!TERM) {
    set arrow 1 from SPIKE, graph 0 to SPIKE, graph 1 nohead linewidth 0.6 dashtype 2 \
        linecolor rgb "#888888" back
}
named = 0
side(text, y) = sprintf('set label 3 smaller("%s") font small center rotate by 90 ', text). \
    sprintf("at screen %g, screen %g", 0.1 / PICTURE_W, y)
if (LOSS && !TERM) {
    unset key
    eval HEAD
    named = 1
    eval side("loss", 0.5 * (loss_top + loss_bottom))
    eval edges(left_edge, right_edge, loss_top, loss_bottom)
    set format x ""
    set yrange [*:*]
    stats ROWS index 1 using 2 nooutput name "L"
    if (L_max > L_min) { set ytics round_near((L_max - L_min) / 2.) } else { set ytics autofreq }
    plot ROWS index 1 using 1:2 with linespoints pointtype 7 pointsize 0.2 linewidth 1 \
        linecolor rgb "#000000"
}
unset label
if (!named) { eval HEAD }
if (TERM) {
    set tmargin 3
    set key outside right top vertical Left reverse
} else {
    eval side("norm / baseline", 0.5 * (middle_top + middle_bottom))
    eval edges(left_edge, right_edge, middle_top, middle_bottom)
    if (below) {
        unset key
    } else {
        set key at screen right_edge + 0.01, screen middle_top left top vertical maxrows 24 Left
        set key reverse samplen 1.2
        if (n_entries > 8) { set key font small spacing 0.9 * SPACING samplen 2.2 }
    }
}
set format x (TERM ? "%g" : "")
set format y "%g"
set ytics autofreq
set yrange [Y_MIN:Y_MAX]
if (LOG) set logscale y
if (LOG) set format y decades(Y_MIN, Y_MAX)
if (LOG) eval between("y", Y_MIN, Y_MAX)
if (!LOG) set ytics round_near(Y_MAX / 5.)
block(g) = 1 + g
back(k) = N_SHOWN + 1 - k
weight(g) = g == SPIKE_RANK ? 2.2 : 0.9
OTHERS = 'for [k = 1:REST] ROWS index block(N_GROUPS + 1 - k) using 1:2 with '. \
    (TERM ? 'points pointtype "."' : 'lines linewidth 0.4').' linecolor rgb "#'.GREY.'", '
SHOWN = 'for [k = 1:N_SHOWN] ROWS index block(back(k)) using 1:2 with '. \
    (TERM ? 'points pointtype letter(back(k))' : \
    'lines linewidth weight(back(k)) dashtype dash(back(k))').' linecolor rgb colour(back(k)), '
# One that has no colour of its own is drawn in black.
HIDDEN = 'ROWS index block(SPIKE_RANK) using 1:2 with '.(TERM ? 'points pointtype "*"' : \
    'lines linewidth 2').' linecolor rgb "#000000" title "that group", '
eval "plot ".(REST > 0 ? OTHERS : "").SHOWN.(SPIKE_RANK > N_SHOWN ? HIDDEN : ""). \
    (TERM ? "" : '1 with lines linewidth 0.6 linecolor rgb "#444444", '). \
    (TERM ? "" : 'KAPPA with lines linewidth 0.6 dashtype 3 linecolor rgb "#444444", '). \
    GROUP_ENTRIES

# Policies have colours that no group has.
POLICY_COLOURS = "000000 B2182B 4D4D9F 7F7F7F 8C510A 01665E"
policy_colour(p) = "#".word(POLICY_COLOURS, (p - 1) % words(POLICY_COLOURS) + 1)
unset label
unset logscale
set format y "%g"
set format x "%g"
set xlabel "step" offset 0, LIFT
set yrange [S_MIN:at_least(S_MAX, 1.08)]
if (S_LOG) set logscale y
if (S_LOG) set format y decades(S_MIN, S_MAX)
set ytics autofreq
if (!S_LOG) set ytics round_near(S_MAX / 3.)
if (TERM) {
    TITLE = "Scales of ".SPIKE_GROUP
    NOTE = "one letter a policy"
    eval HEAD
} else {
    eval side("scale", 0.5 * (scale_top + scale_bottom))
    eval edges(left_edge, right_edge, scale_top, scale_bottom)
    set key default
    set key noautotitle Left reverse samplen 1.2 spacing SPACING
    set key at screen right_edge + 0.01, screen scale_top left top vertical maxrows 24
    if (below) { unset key }
}
policy_block(p) = N_GROUPS + 1 + p
OWN = 'for [p = 1:N_POLICIES] ROWS index policy_block(p) using 1:2 with '. \
    (TERM ? 'points pointtype letter(p)' : 'histeps linewidth 1.2'). \
    ' linecolor rgb policy_colour(p) title plain(POLICY[p])'
MEDIAN = ', for [p = 1:N_POLICIES] ROWS index policy_block(p) using 1:3 with points '. \
    'pointtype 7 pointsize 0.3 linecolor rgb policy_colour(p)'
eval "plot ".OWN.(TERM || N_GROUPS < 2 ? "" : MEDIAN)
if (below) {
    eval foot_key(groups_across, policies_foot + 0.02)
    eval "plot [0:1] [0:1] 2, ".GROUP_ENTRIES
    eval foot_key(policies_across, 0.02)
    plot [0:1] [0:1] 2, for [p = 1:N_POLICIES] keyentry with lines linewidth 1.4 \
        linecolor rgb policy_colour(p) title plain(POLICY[p])
}
if (!TERM) unset multiplot
