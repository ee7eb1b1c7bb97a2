/// Sockets inside the sandbox.
///
/// What it does not do: reach the host's network, which is the backend's.
