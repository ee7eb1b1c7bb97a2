import HostOS
import Testing

@testable import Sandbox

@Suite struct MountOptionsTests {
  @Test func aMountIsConfinedWhateverIsAsked() {
    let options = MountOptions(["suid", "dev", "exec"], for: .bind)
    #expect(options.attributes == [.noSetUserID, .noDevices])
    #expect(options.ignored.isEmpty)
  }

  @Test func theLastWordDecides() {
    #expect(!MountOptions(["ro", "rw"], for: .bind).wanted.contains(.readOnly))
    #expect(MountOptions(["rw", "ro"], for: .bind).wanted.contains(.readOnly))
    #expect(MountOptions(["rbind"], for: .bind).isRecursive)
  }

  @Test func aTemporaryFileSystemTakesItsSize() {
    let options = MountOptions(["size=64m", "mode=1777", "noexec", "inode64"], for: .tmpfs)
    #expect(options.fileSystemOptions.map(\.key) == ["size", "mode", "inode64"])
    #expect(options.fileSystemOptions.map(\.value) == ["64m", "1777", nil])
    #expect(options.attributes.contains(.noExecution))
  }

  @Test func unknownWordsAreNamedExceptToTheGuestKernel() {
    #expect(MountOptions(["size=4k", "fancy"], for: .bind).ignored == ["size=4k", "fancy"])
    #expect(MountOptions(["newinstance", "ptmxmode=0666"], for: .devpts).ignored.isEmpty)
  }

  @Test func anIDMapIsOfOneMountOrOfAll() {
    #expect(MountOptions(["rbind", "idmap"], for: .bind).mapsIDs == .one)
    #expect(MountOptions(["rbind", "ridmap", "idmap"], for: .bind).mapsIDs == .all)
    #expect(MountOptions(["rbind"], for: .bind).mapsIDs == nil)
    #expect(MountOptions(["idmap"], for: .tmpfs).refused == ["idmap"])
  }

  @Test func onlyATmpfsStartsWithACopy() {
    #expect(MountOptions(["tmpcopyup"], for: .tmpfs).copiesContents)
    #expect(MountOptions(["tmpcopyup"], for: .bind).ignored == ["tmpcopyup"])
  }

  @Test func whetherTheHostIsFollowedIsSaid() {
    #expect(MountOptions(["rslave"], for: .bind).followsHost == true)
    #expect(MountOptions(["slave", "rprivate"], for: .bind).followsHost == false)
    #expect(MountOptions(["rbind"], for: .bind).followsHost == nil)
    #expect(MountOptions(["slave", "rprivate", "private"], for: .bind).ignored.isEmpty)
  }
}
