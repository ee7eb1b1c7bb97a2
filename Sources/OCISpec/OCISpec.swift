/// The configuration of a container as the OCI runtime specification 1.3 defines it.
///
/// This module reads config.json and judges its form: what is missing, of the wrong type or out of
/// range is an error that names the field, and what nobody here supports is listed. It opens no
/// file and knows nothing of this machine.
///
/// There are no locks.
enum OCISpec {}
