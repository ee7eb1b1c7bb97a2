extension String {
  /// With `?` for what may do something to a terminal: control characters and escapes, marks that
  /// turn the direction of text, ends of lines; but not for those that are kept.
  public func harmlessOnTerminals(keeping kept: String = "") -> String {
    let kept = kept.unicodeScalars
    return String(
      String.UnicodeScalarView(
        unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            kept.contains(scalar) ? scalar : "?"
          default: scalar
          }
        }))
  }
}
