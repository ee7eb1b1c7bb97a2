/// The wire between guest kernel and host: the table of direct calls, and the records of brokered
/// calls, whose layout the C header `CPVCalls` fixes for both sides.
///
/// What it does not do: decide anything. The filter is built in `PlatformHost`, requests are served
/// in `PVBackend` and made in `PVFrontend`.
