/// The life of a container: from a bundle or a command line to a sandbox and its exit status.
///
/// Errors of the host and of the configuration become words here. What a sandbox consists of is
/// known to `Sandbox`.
///
/// There are no locks.
enum OCIRuntime {}
