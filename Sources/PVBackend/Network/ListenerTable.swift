import Synchronization

/// Listening sockets of the guest that the backend keeps, by the guest's number: to fetch one and
/// look at it costs more than to accept from it.
///
/// A guest that closes a number without a word is accepted for from the old socket, which is one of
/// its own and passes the gate with its own address. So what is kept need not be compared with
/// what the number means now.
final class ListenerTable: Sendable {
  /// Guests with more of them have the others fetched.
  private static let limit = 64

  private let sockets = Mutex<[Int32: KeptListener]>([:])

  subscript(number: Int32) -> KeptListener? { sockets.withLock { $0[number] } }

  func keep(_ listener: KeptListener, as number: Int32) {
    sockets.withLock { sockets in
      if sockets.count < ListenerTable.limit { sockets[number] = listener }
    }
  }

  func forget(_ number: Int32) {
    // Closed after the lock.
    _ = sockets.withLock { $0.removeValue(forKey: number) }
  }
}

/// A duplicate of a guest's listening socket, open for as long as somebody uses it.
final class KeptListener: Sendable {
  let socket: GuestSocket

  init(_ socket: consuming GuestSocket) { self.socket = socket }
}
