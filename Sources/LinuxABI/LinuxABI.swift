/// Numbers, flags and layouts of the Linux ABI on x86-64, spelled as Linux spells them.
///
/// What it does not do: anything. There is no behaviour here.
