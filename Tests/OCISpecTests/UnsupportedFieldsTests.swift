import Testing

@testable import OCISpec

@Suite struct UnsupportedFieldsTests {
  private func unsupported(_ json: String) throws -> [String] {
    SupportedFields.config.missing(in: try JSONParser.parse(Array(json.utf8)))
  }

  @Test func everyFieldWithoutEffectIsNamed() throws {
    let names = try unsupported(
      """
      {"hooks": {"prestart": [{"path": "/x"}]}, "vm": {"a": 1}, "fancy": 1,
       "process": {"apparmorProfile": "p", "oomScoreAdj": 0, "args": ["sh"]},
       "mounts": [{"destination": "/a"}, {"destination": "/b", "uidMappings": [{"length": 1}]}],
       "linux": {"intelRdt": {"closID": "a"}, "resources": {
         "devices": [{"allow": false}], "memory": {"limit": 1, "kernelTCP": 2}},
         "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/a"}]}}
      """)
    #expect(
      names == [
        "vm", "fancy", "process.apparmorProfile",
        "mounts[1].uidMappings[0].length", "linux.intelRdt", "linux.resources.memory.kernelTCP",
      ])
  }

  @Test func whatIsEmptySaysNothing() throws {
    let names = try unsupported(
      """
      {"hooks": {}, "fancy": null, "process": {"selinuxLabel": "", "args": []},
       "linux": {"devices": [], "sysctl": {}, "maskedPaths": ["/proc/kcore"]},
       "annotations": {"a": "b"}}
      """)
    #expect(names.isEmpty)
  }
}

@Suite struct NameTests {
  @Test func capabilitiesBecomeBits() {
    let set = CapabilityNames.set(of: ["CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_FLY", "CHOWN"])
    #expect(set.bits == 1 | 1 << 40)
    #expect(set.unknown == ["CAP_FLY", "CHOWN"])
  }

  @Test func resourceLimitsBecomeNumbers() {
    #expect(ResourceLimitNames.number(of: "RLIMIT_NOFILE") == 7)
    #expect(ResourceLimitNames.number(of: "RLIMIT_RTTIME") == 15)
    #expect(ResourceLimitNames.number(of: "NOFILE") == nil)
  }
}
