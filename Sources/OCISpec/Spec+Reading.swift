import FoundationEssentials

extension Spec {
  /// Reads the text of a config.json and checks its form.
  public static func read(_ json: [UInt8]) throws(SpecError) -> Spec {
    let spec: Spec = try decode(json)
    try spec.validate()
    return spec
  }

  /// The fields of a config.json, valid otherwise, that have no effect: `linux.seccomp`.
  public static func unsupportedFields(_ json: [UInt8]) throws(SpecError) -> [String] {
    let fields: UnsupportedFields = try decode(json)
    return fields.names
  }

  private static func decode<Value: Decodable>(_ json: [UInt8]) throws(SpecError) -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: Data(json))
    } catch let error as DecodingError {
      throw SpecError(error)
    } catch {
      throw SpecError(nil, "cannot be read")
    }
  }
}
