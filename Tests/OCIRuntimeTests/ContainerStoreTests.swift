import Testing

@testable import OCIRuntime

struct ContainerStoreTests {
  @Test(arguments: [
    (true, "/run/user/7", "me", "/run/paravane"),
    (false, "/run/user/7", "me", "/run/user/7/paravane"),
    (false, "/run/user/7", nil, "/run/user/7/paravane"),
    (false, "relative", "me", "/run/paravane"),
    (false, nil, "me", "/run/paravane"),
    // Root in somebody's container, whose environment says nothing of that.
    (false, "/run/user/0", "root", "/run/paravane"),
  ])
  func usersKeepTheirContainersApart(
    isHostsRoot: Bool, directory: String?, user: String?, expected: String
  ) {
    #expect(
      ContainerStore.defaultRoot(
        isHostsRoot: isHostsRoot, runtimeDirectory: directory, user: user) == expected)
  }
}
