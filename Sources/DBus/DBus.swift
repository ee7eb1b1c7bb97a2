/// A client of D-Bus: as much of it as asking systemd for a unit takes.
///
/// It speaks to one peer through a unix socket: to a message bus, or to a service without one
/// between. What the peer says is hostile until it was checked: each message is bounded before it
/// is kept, each field is read by its type, and each conversation has an end in time.
///
/// It owns no name and answers no call, passes no descriptors, speaks no byte order but the
/// machine's and knows no transport but a unix socket. There are no locks: a connection belongs to
/// one thread.
enum DBus {}
