# sweep_paste.sh - the lines to paste into training, for each policy: those that a program really
# has, and where none computes the setting, that there is none.
. "$TESTS/cli/try.bash"
make_trace run.h5

# A sweep of one setting recommends it.
paste() {
    echo "== $1"
    "$GRADTRACE" sweep run.h5 -p "$1" | sed -n '/^to paste into training/,/^$/p'
}

paste none
paste global:max_norm=0.3
paste global:max_norm=0
paste global:max_norm=inf
paste global:max_norm=0.5,eps=0,strict=on
paste global:max_norm=0.5,eps=0
paste group:max_norm=1,q_proj=0.25
paste group:max_norm=1,k_proj=inf,eps=0
paste aggc-code-lora
paste aggc:form=code,schedule=none,raise=on
paste aggc:form=code,low_late=0,high_late=0.9
paste aggc:form=code,low_late=0,high_late=0
paste aggc:form=fixed,max_norm=2
paste aggc-paper
paste aggc:form=code,beta@q_proj=0.5
