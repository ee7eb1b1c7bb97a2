/// The system calls: arguments are parsed in `SyscallTable`, decided in handlers named after the
/// call, and worked in `KernelCore`.
///
/// What it does not do: name a file system or a socket family. It holds no locks of its own.
