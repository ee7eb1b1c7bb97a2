/// What is told about connections: the audit log, the table of those that are open, and numbers.
///
/// This module makes no connection and decides nothing. Its words come from the backend and from
/// the host kernel; where a field is the guest kernel's word, docs/audit.md says so.
///
/// Lock order: `ConnectionTable.entries` and `AuditLog.state` are leaves; no one holds both. The
/// latter is held across write(2), so that lines are whole and in order.
enum ConnectionAudit {}
