# device.sh - what does the work never changes what comes out, and a device that is none is refused.
. "$TESTS/cli/try.bash"
make_trace run.h5
settings=(-p aggc --set beta=0.5,0.9 --set form=code,paper -p global --set max_norm=auto:3 -p none)

# Says whether a GPU's results are those of the CPU, or that there is no GPU, which is as well.
same_on_a_gpu() {
    if "$GRADTRACE" "$@" --device cuda -o gpu.h5 --force >gpu.txt 2>talk; then
        cmp gpu.h5 cpu.h5 && cmp gpu.txt cpu.txt && grep -q ': runs on ' talk && echo same
    else
        grep -qE 'no GPU answers|built without CUDA' talk && echo same
    fi
}

"$GRADTRACE" sweep run.h5 "${settings[@]}" --device cpu -o cpu.h5 >cpu.txt
for device in auto cpu; do
    "$GRADTRACE" sweep run.h5 "${settings[@]}" --device $device -o $device.h5 --force >$device.txt
    cmp $device.h5 cpu.h5 && cmp $device.txt cpu.txt && echo "sweep on $device: same"
done
echo "sweep on a GPU: $(same_on_a_gpu sweep run.h5 "${settings[@]}")"
"$GRADTRACE" sweep run.h5 "${settings[@]}" -o plain.h5 >plain.txt
cmp plain.h5 cpu.h5 && echo "sweep without --device: same"

policies=(-p aggc-code-grpo -p global:max_norm=2 -p group:quantile=0.5)
"$GRADTRACE" replay run.h5 "${policies[@]}" --device cpu -o cpu.h5 --force >cpu.txt
"$GRADTRACE" replay run.h5 "${policies[@]}" --device auto -o auto.h5 --force >auto.txt
cmp auto.h5 cpu.h5 && cmp auto.txt cpu.txt && echo "replay on auto: same"
echo "replay on a GPU: $(same_on_a_gpu replay run.h5 "${policies[@]}")"

for device in gpu cuda: cuda:x cuda:-1 CPU ''; do
    try replay run.h5 -p none --device "$device"
done
try sweep run.h5 "${settings[@]}" --device tpu
# No machine has that many, and it is told before anything is read or written.
for command in replay sweep; do
    "$GRADTRACE" $command missing.h5 -p none --device cuda:999 -o new.h5 >out 2>talk
    echo "$command on cuda:999: $?"
    grep -qE 'cuda:999: no such GPU|no GPU answers|built without CUDA' talk || cat talk
done
rm -f gpu.h5
ls ./*.h5
