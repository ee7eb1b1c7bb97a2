/// Typed system calls of the host: descriptors that close themselves, errors that are values.
///
/// A call here throws `HostError`, which only says which errno; whoever knows what it was good for
/// turns it into a `RuntimeError`. Nothing here knows about containers, guests or PV calls.
///
/// There are no locks.
enum HostOS {}
