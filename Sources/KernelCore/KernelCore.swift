/// The kernel's tasks, memory, files and signals.
///
/// What it does not do: name a system call, or a file system other than the host's files.
///
/// Lock order, outermost first. No lock is held across a PV call that can block, except where said.
///
///     SharedSegments.lock          held across the making of a segment; the others one at a time
///     AddressSpace.lock            held across mmap and its kin
///       FileTable.lock
///         TaskTable.lock           the process tree and all signal state
///           WaitQueue.lock
///             (heap)
