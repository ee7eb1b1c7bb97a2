/// Finds the length of x86-64 instructions and how they depend on where they stand.
///
/// It knows the integer, x87, SSE, AVX and AVX-512 instructions of programs. Whatever it does not
/// know for certain has no answer, among that: what AMD and Intel decode differently (branches with
/// an operand-size prefix), system instructions, 3DNow!, XOP, APX and transactions.
public struct InstructionDecoder {
  public static let maximumLength = 15

  private let code: UnsafePointer<UInt8>
  private let available: Int
  private var offset = 0
  private var hasOperandSizePrefix = false
  private var hasAddressSizePrefix = false
  /// 0xf0, 0xf2 or 0xf3, the last one seen.
  private var repeatOrLockPrefix: UInt8 = 0
  private var rex: UInt8 = 0
  private var result = Instruction()

  /// Decodes the instruction at `code`, of whose bytes `available` may be read.
  public static func decode(_ code: UnsafePointer<UInt8>, available: Int) -> Instruction? {
    var decoder = InstructionDecoder(code, available: min(available, maximumLength))
    guard decoder.decodeInstruction() else { return nil }
    decoder.result.length = UInt8(decoder.offset)
    return decoder.result
  }

  private init(_ code: UnsafePointer<UInt8>, available: Int) {
    self.code = code
    self.available = available
  }

  private var is64Bit: Bool { rex & 0x08 != 0 }

  private mutating func decodeInstruction() -> Bool {
    guard let opcode = readPrefixes() else { return false }
    switch opcode {
    case 0x0f: return decodeTwoByteOpcode()
    case 0xc4, 0xc5: return decodeVEX(opcode)
    case 0x62: return decodeEVEX()
    default: return decodeOneByteOpcode(opcode)
    }
  }

  /// Reads the legacy prefixes and REX, which counts only directly before the opcode.
  private mutating func readPrefixes() -> UInt8? {
    while let byte = next() {
      switch byte {
      case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65: break
      case 0x66: hasOperandSizePrefix = true
      case 0x67: hasAddressSizePrefix = true
      case 0xf0, 0xf2, 0xf3: repeatOrLockPrefix = byte
      case 0x40...0x4f:
        rex = byte
        return next()
      default: return byte
      }
    }
    return nil
  }

  // MARK: - Opcode maps

  private mutating func decodeOneByteOpcode(_ opcode: UInt8) -> Bool {
    guard decodeOperands(oneByteOperands.utf8Start[Int(opcode)]) else { return false }
    let extensionField = offset > 1 ? (lastModRM >> 3) & 7 : 0
    switch opcode {
    case 0x70...0x7f: return branch(.conditionalJump, condition: opcode & 15)
    case 0xe0...0xe3: return branch(.counterJump)
    case 0xe8: return branch(.call)
    case 0xe9, 0xeb: return branch(.jump)
    case 0xc2, 0xc3:
      result.flow = .return
      return !hasOperandSizePrefix
    case 0xcc, 0xf4: result.flow = .trap
    case 0x90: result.isPadding = rex == 0 && repeatOrLockPrefix == 0
    case 0xb8 where offset == 5: result.loadedNumber = UInt32(bitPattern: signed32(at: 1))
    case 0xc7 where offset == 7 && rex == 0x48 && lastModRM == 0xc0:
      result.loadedNumber = UInt32(bitPattern: signed32(at: 3))
    case 0x8f, 0xc6, 0xc7: return extensionField == 0
    case 0xfe: return extensionField < 2
    case 0xff:
      if extensionField == 2 || extensionField == 3 { result.flow = .indirectCall }
      if extensionField == 4 || extensionField == 5 { result.flow = .indirectJump }
      return extensionField < 7
    default: break
    }
    return true
  }

  private mutating func decodeTwoByteOpcode() -> Bool {
    guard let opcode = next() else { return false }
    switch opcode {
    case 0x38: return decodeThreeByteOpcode(known: map38Opcodes, operands: letter("m"))
    case 0x3a: return decodeThreeByteOpcode(known: map3AOpcodes, operands: letter("B"))
    default: break
    }
    guard decodeOperands(twoByteOperands.utf8Start[Int(opcode)]) else { return false }
    switch opcode {
    case 0x05: result.flow = .systemCall
    case 0x0b, 0xb9, 0xff: result.flow = .trap
    case 0x1e: result.isLandingPad = repeatOrLockPrefix == 0xf3 && lastModRM == 0xfa
    case 0x1f: result.isPadding = true
    case 0x80...0x8f: return branch(.conditionalJump, condition: opcode & 15)
    case 0xb8: return repeatOrLockPrefix == 0xf3
    default: break
    }
    return true
  }

  /// `known` has a bit for each four opcodes.
  private mutating func decodeThreeByteOpcode(known: UInt64, operands: UInt8) -> Bool {
    guard let opcode = next(), known >> UInt64(opcode >> 2) & 1 != 0 else { return false }
    return decodeOperands(operands)
  }

  private mutating func decodeVEX(_ prefix: UInt8) -> Bool {
    guard let second = next(), !hasPrefixThatVectorsForbid else { return false }
    if prefix == 0xc5 { return decodeVectorOpcode(map: 1, isVEX: true) }
    guard next() != nil else { return false }
    return decodeVectorOpcode(map: second & 0x1f, isVEX: true)
  }

  private mutating func decodeEVEX() -> Bool {
    guard let first = next(), let second = next(), next() != nil else { return false }
    // The two fixed bits tell AVX-512 from APX.
    guard first & 0x08 == 0, second & 0x04 != 0, !hasPrefixThatVectorsForbid else { return false }
    return decodeVectorOpcode(map: first & 7, isVEX: false)
  }

  private var hasPrefixThatVectorsForbid: Bool {
    hasOperandSizePrefix || repeatOrLockPrefix != 0 || rex != 0
  }

  private mutating func decodeVectorOpcode(map: UInt8, isVEX: Bool) -> Bool {
    guard let opcode = next() else { return false }
    switch (map, opcode) {
    case (1, 0x77): return isVEX
    case (1, 0x70...0x73), (1, 0xc2), (1, 0xc4...0xc6), (3, _): return decodeOperands(letter("B"))
    case (1, _), (2, _): return decodeOperands(letter("m"))
    case (5, _), (6, _): return !isVEX && decodeOperands(letter("m"))
    default: return false
    }
  }

  // MARK: - Operands

  /// Reads what follows an opcode; the letters are those of the tables at the end of the file.
  private mutating func decodeOperands(_ operands: UInt8) -> Bool {
    switch operands {
    case letter("."): return true
    case letter("m"): return readModRM()
    case letter("b"): return skip(1)
    case letter("w"): return skip(2)
    case letter("z"): return skip(immediateSize)
    case letter("v"): return skip(is64Bit ? 8 : immediateSize)
    case letter("B"): return readModRM() && skip(1)
    case letter("Z"): return readModRM() && skip(immediateSize)
    case letter("o"): return skip(hasAddressSizePrefix ? 4 : 8)
    case letter("e"): return skip(3)
    case letter("t"): return readModRM() && (lastModRM & 0x30 != 0 || skip(1))
    case letter("T"): return readModRM() && (lastModRM & 0x30 != 0 || skip(immediateSize))
    case letter("j"): return readDistance(size: 1)
    case letter("J"): return readDistance(size: 4)
    default: return false
    }
  }

  private var immediateSize: Int { hasOperandSizePrefix && !is64Bit ? 2 : 4 }

  private var lastModRM: UInt8 = 0

  private mutating func readModRM() -> Bool {
    guard let modRM = next() else { return false }
    lastModRM = modRM
    let mode = modRM >> 6
    let register = modRM & 7
    if mode == 3 { return true }
    if mode == 0 && register == 5 {
      result.displacementOffset = UInt8(offset)
      return !hasAddressSizePrefix && skip(4)
    }
    var displacementSize = mode == 1 ? 1 : mode == 2 ? 4 : 0
    if register == 4 {
      guard let scaleIndexBase = next() else { return false }
      if mode == 0 && scaleIndexBase & 7 == 5 { displacementSize = 4 }
    }
    return skip(displacementSize)
  }

  private mutating func readDistance(size: Int) -> Bool {
    let start = offset
    guard skip(size) else { return false }
    result.distance = size == 1 ? Int32(Int8(bitPattern: code[start])) : signed32(at: start)
    // Without REX.W, AMD takes the prefix to mean a 16-bit branch and Intel ignores it.
    return !hasOperandSizePrefix || is64Bit
  }

  private mutating func branch(_ flow: Instruction.Flow, condition: UInt8 = 0) -> Bool {
    result.flow = flow
    result.condition = condition
    return true
  }

  // MARK: - Bytes

  private mutating func next() -> UInt8? {
    guard offset < available else { return nil }
    offset += 1
    return code[offset - 1]
  }

  private mutating func skip(_ count: Int) -> Bool {
    offset += count
    return offset <= available
  }

  private func signed32(at start: Int) -> Int32 {
    var value: UInt32 = 0
    for index in 0..<4 { value |= UInt32(code[start + index]) << UInt32(8 * index) }
    return Int32(bitPattern: value)
  }
}

// MARK: - Tables

// A letter for each opcode says what follows it:
//   .  nothing               m  ModRM and what it asks for     o  an absolute address
//   b  8-bit immediate       B  ModRM, 8-bit immediate         j  8-bit distance
//   w  16-bit immediate      Z  ModRM, 16/32-bit immediate     J  32-bit distance
//   z  16/32-bit immediate   t  ModRM, 8-bit if "test"         e  `enter`
//   v  16/32/64-bit          T  ModRM, 16/32-bit if "test"     x  unknown

private func letter(_ scalar: Unicode.Scalar) -> UInt8 { UInt8(truncatingIfNeeded: scalar.value) }

private var oneByteOperands: StaticString {
  """
  mmmmbzxxmmmmbzxx\
  mmmmbzxxmmmmbzxx\
  mmmmbzxxmmmmbzxx\
  mmmmbzxxmmmmbzxx\
  xxxxxxxxxxxxxxxx\
  ................\
  xxxmxxxxzZbB....\
  jjjjjjjjjjjjjjjj\
  BZxBmmmmmmmmmmmm\
  ..........xx....\
  oooo....bz......\
  bbbbbbbbvvvvvvvv\
  BBw.xxBZe.xx.xxx\
  mmmmxxx.mmmmmmmm\
  jjjjbbbbJJxj....\
  xxxx..tT......mm
  """
}

private var twoByteOperands: StaticString {
  """
  mmmmx.xxxxx.xmxx\
  mmmmmmmmmmmmmmmm\
  xxxxxxxxmmmmmmmm\
  x.xxxxxxxxxxxxxx\
  mmmmmmmmmmmmmmmm\
  mmmmmmmmmmmmmmmm\
  mmmmmmmmmmmmmmmm\
  BBBBmmm.xxxxmmmm\
  JJJJJJJJJJJJJJJJ\
  mmmmmmmmmmmmmmmm\
  ...mBmxx..xmBmmm\
  mmmmmmmmmmBmmmmm\
  mmBmBBBm........\
  mmmmmmmmmmmmmmmm\
  mmmmmmmmmmmmmmmm\
  mmmmmmmmmmmmmmmm
  """
}

/// SSSE3 and SSE4 arithmetic, SHA, AES, GFNI, CRC32, MOVBE, ADX, MOVDIR.
private var map38Opcodes: UInt64 { 0x70cc_0000_0001_f7b7 }
/// SSSE3 and SSE4 with an immediate, PCLMUL, SHA, AES, GFNI.
private var map3AOpcodes: UInt64 { 0x0088_0000_0103_012c }
