/// Sockets: those inside the sandbox (Unix), and the program's end of the host's (Inet, Netlink).
///
/// What it does not do: reach the host's network. The backend makes sockets and connections; what
/// moves data on them is a direct call.
