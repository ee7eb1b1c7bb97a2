import LinuxABI
import Testing

@testable import KernelCore

/// The rules of capabilities(7).
@Suite struct CredentialsTests {
  private let all: UInt64 = (1 << 41) - 1
  private let two: UInt64 = 1 << 0 | 1 << 5

  private func root() -> Credentials {
    var credentials = Credentials()
    credentials.effective = all
    credentials.permitted = all
    credentials.bounding = all
    return credentials
  }

  private func user(_ id: UInt32 = 1000) -> Credentials {
    var credentials = Credentials()
    credentials.user = id
    credentials.effectiveUser = id
    credentials.savedUser = id
    credentials.fileUser = id
    credentials.bounding = all
    return credentials
  }

  private func changed(
    _ old: Credentials, _ body: (inout Credentials) -> Void
  ) -> Credentials {
    var new = old
    body(&new)
    new.fileUser = new.effectiveUser
    new.adjustCapabilities(from: old)
    return new
  }

  @Test func leavingRootLosesEverything() {
    var old = root()
    old.inheritable = two
    old.ambient = two
    let new = changed(old) {
      $0.user = 1
      $0.effectiveUser = 1
      $0.savedUser = 1
    }
    #expect(new.permitted == 0 && new.effective == 0 && new.ambient == 0)
    #expect(new.inheritable == two && new.bounding == all)
  }

  @Test func anEffectiveUserGoesAndComesBack() {
    let away = changed(root()) { $0.effectiveUser = 1 }
    #expect(away.effective == 0 && away.permitted == all)
    let back = changed(away) { $0.effectiveUser = 0 }
    #expect(back.effective == all)
  }

  @Test func keptCapabilitiesAreNotEffectiveAndNotAmbient() {
    var old = root()
    old.ambient = two
    old.keepsCapabilities = true
    #expect(old.secureBits == SecureBits.keepCapabilities)
    let new = changed(old) {
      $0.user = 1
      $0.effectiveUser = 1
      $0.savedUser = 1
    }
    #expect(new.permitted == all && new.effective == 0 && new.ambient == 0)
  }

  @Test func withoutFixUpNothingChanges() {
    var old = root()
    old.secureBits = SecureBits.noSetUserFixup
    let new = changed(old) {
      $0.user = 1
      $0.effectiveUser = 1
      $0.savedUser = 1
    }
    #expect(new.permitted == all && new.effective == all)
  }

  @Test func theFileUserTakesTheCapabilitiesOfFiles() {
    let old = root()
    var away = old
    away.fileUser = 1
    away.adjustFileCapabilities(from: old)
    #expect(!away.has(Capability.CAP_CHOWN) && away.has(Capability.CAP_KILL))
    var back = away
    back.fileUser = 0
    back.adjustFileCapabilities(from: away)
    #expect(back.effective == all)
  }

  @Test func execOfAUserKeepsTheAmbientSetOnly() {
    var task = user()
    task.permitted = all
    task.effective = all
    task.inheritable = two
    task.ambient = 1 << 5
    let isSetID = task.transform(fileMode: 0o755, owner: 0, fileGroup: 0, allowsSetID: true)
    #expect(!isSetID && task.permitted == 1 << 5 && task.effective == 1 << 5)
  }

  @Test func execOfASetUserIDProgram() {
    var task = user()
    task.ambient = two
    task.keepsCapabilities = true
    let isSetID = task.transform(fileMode: 0o4755, owner: 0, fileGroup: 7, allowsSetID: true)
    #expect(isSetID && task.effectiveUser == 0 && task.savedUser == 0 && task.user == 1000)
    #expect(task.permitted == all && task.effective == all && task.ambient == 0)
    #expect(!task.keepsCapabilities && task.effectiveGroup == 0)
  }

  @Test func aSetGroupIDProgramNeedsExecutionByTheGroup() {
    var task = user()
    let withoutExecution = task.transform(
      fileMode: 0o2705, owner: 1000, fileGroup: 7, allowsSetID: true)
    #expect(!withoutExecution)
    let withExecution = task.transform(
      fileMode: 0o2755, owner: 1000, fileGroup: 7, allowsSetID: true)
    #expect(withExecution)
    #expect(task.effectiveGroup == 7 && task.savedGroup == 7 && task.group == 0)
  }

  @Test func noNewPrivilegesMeansWhatItSays() {
    var task = user()
    task.noNewPrivileges = true
    let isSetID = task.transform(fileMode: 0o6755, owner: 0, fileGroup: 0, allowsSetID: true)
    #expect(!isSetID)
    #expect(task.effectiveUser == 1000 && task.permitted == 0)
  }

  @Test func theBoundingSetBoundsRoot() {
    var task = root()
    task.bounding = two
    _ = task.transform(fileMode: 0o755, owner: 0, fileGroup: 0, allowsSetID: true)
    #expect(task.permitted == two && task.effective == two)
    task.secureBits = SecureBits.noRoot
    _ = task.transform(fileMode: 0o755, owner: 0, fileGroup: 0, allowsSetID: true)
    #expect(task.permitted == 0 && task.effective == 0)
  }

  @Test func permissionsAreOfTheFirstClassThatFits() {
    var status = FileStatus()
    status.mode = FileMode.S_IFREG | 0o047
    status.user = 1000
    status.group = 50
    var task = user()
    task.groups = [50]
    #expect(!task.permits(4, status))  // the owner has no right, though others have
    task.fileUser = 1001
    #expect(task.permits(4, status) && !task.permits(2, status))
    task.groups = []
    #expect(task.permits(7, status))
  }

  @Test func rootRunsNothingThatNobodyMayRun() {
    var status = FileStatus()
    status.mode = FileMode.S_IFREG | 0o600
    status.user = 5
    #expect(root().permits(6, status) && !root().permits(1, status))
    status.mode = FileMode.S_IFDIR
    #expect(root().permits(7, status))
  }
}
