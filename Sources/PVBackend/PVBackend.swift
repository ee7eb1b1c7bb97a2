/// The host's end of brokered PV calls: it does for a guest kernel what the guest may not do.
///
/// A request is a record in memory that the guest can write at any time, so every field is copied
/// once and checked before it is used. Files are reached only inside the sandbox's mount namespace
/// and below its root; processes only inside its pid namespace; descriptors only those that the
/// guest's own processes hold.
///
/// What it does not do: check the permissions of the guest's users, which is the guest kernel's
/// work, or start and end processes, which is `Sandbox`'s.
///
/// Locks: that of `ReceivingTurn`, and `Backend.outcome`. Neither is held across a call or together
/// with the other.
enum PVBackend {}
