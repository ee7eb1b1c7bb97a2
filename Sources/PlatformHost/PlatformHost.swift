/// The host's side of a platform: it loads the kernel image and gives it a confined process.
///
/// What it does not do: decide what the guest may see of the host. Mounts, control groups and the
/// order of processes are `Sandbox`'s; brokered calls are served in `PVBackend`.
///
/// There are no locks: everything here runs in a process of a single thread.
enum PlatformHost {}
