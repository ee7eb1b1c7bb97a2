/// The guest's end of the PV calls: direct calls with types, and requests to the backend.
///
/// What it does not do: check permissions or translate guest descriptors. Callers pass host
/// descriptors, and buffers that were held against the kernel's range.
