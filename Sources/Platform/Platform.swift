/// The machine under the guest kernel: the current thread, host calls, locks, the program's memory.
///
/// What it does not do: decide what a system call means. Only this module and the assembly of
/// `CKernelRuntime` know which platform the image runs on.
///
/// Lock order: the heap's lock is innermost of all locks of the kernel.
