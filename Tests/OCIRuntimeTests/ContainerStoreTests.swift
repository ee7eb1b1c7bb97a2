import Testing

@testable import OCIRuntime

struct ContainerStoreTests {
  private func root(
    isHostsRoot: Bool = false, _ directory: String?, user: String? = "me"
  ) -> String {
    ContainerStore.defaultRoot(
      isHostsRoot: isHostsRoot, runtimeDirectory: directory, user: user)
  }

  @Test func usersKeepTheirContainersApart() {
    #expect(root("/run/user/7") == "/run/user/7/paravane")
    #expect(root("/run/user/7", user: nil) == "/run/user/7/paravane")
    #expect(root(isHostsRoot: true, "/run/user/7") == "/run/paravane")
  }

  @Test func withoutADirectoryOfTheirOwnTheyTakeRoots() {
    #expect(root(nil) == "/run/paravane")
    #expect(root("relative") == "/run/paravane")
    // Root in somebody's container, whose environment says nothing of that.
    #expect(root("/run/user/0", user: "root") == "/run/paravane")
  }
}
