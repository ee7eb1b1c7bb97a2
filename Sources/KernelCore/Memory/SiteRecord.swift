import CPlatform
import LinuxABI
import PVFrontend
import Platform

/// The rewritten system call sites of an address space. The address space's lock guards it.
public final class SiteRecord {
  fileprivate var sites: SystemCallSites

  init() { sites = SystemCallSites(entry: UInt(pv_entry_site_address())) }
  private init(_ sites: consuming SystemCallSites) { self.sites = sites }

  func copied() -> SiteRecord { SiteRecord(sites.copied()) }
  func forget(_ range: Range<UInt>) { sites.forget(range) }
}

extension AddressSpace {
  /// Notes that a call came by SIGSYS, and rewrites its site when it is used again; returns where
  /// the program goes on afterwards.
  func noteTrap(behind address: UInt, number: Int, isAlone: Bool) -> UInt {
    lock.lock()
    defer { lock.unlock() }
    let site = address &- 2
    guard let mapping = fixedCode(containing: site) else { return address }
    noteSite(site, number: number, in: mapping)
    if isForked || !isAlone {
      if hints == nil { hints = SiteHints() }
      hints?.note(site: site, number: number, in: mapping)
    }
    return handleTrap(at: site, number: number, isAlone: isAlone, in: mapping)
  }

  /// Before a clone: rewrites the sites at which earlier children trapped. False without any.
  func followHints(isAlone: Bool) -> Bool {
    guard let hints, hints.hasDue else { return false }
    lock.lock()
    defer { lock.unlock() }
    for hint in hints.takeDue() {
      guard let mapping = fixedCode(containing: hint.site), hint.isMapped(by: mapping) else {
        continue
      }
      // As if the calls had come from here.
      for _ in 0..<SiteTable.defaultThreshold {
        _ = handleTrap(at: hint.site, number: hint.number, isAlone: isAlone, in: mapping)
      }
    }
    return true
  }

  /// For the next process with this program.
  private func noteSite(_ site: UInt, number: Int, in mapping: Mapping) {
    guard let knownSites, let file = mapping.file?.identity,
      let window = CodeWindow(start: mapping.start, end: mapping.end)
    else { return }
    knownSites.note(
      ProgramSites.Site(
        file: file, offset: mapping.fileOffset(of: site), number: number,
        fingerprint: window.fingerprint(around: site)))
  }

  /// Rewrites the sites in a mapping that earlier runs of the program came to. The lock is held,
  /// and no thread runs code there yet.
  ///
  /// The code is writable once for all of them, and so are the pages of trampolines. What was
  /// planned for the same code before is done again.
  func rewriteKnownSites(in mapping: Mapping) {
    guard let knownSites, let file = mapping.file?.identity else { return }
    let known = knownSites.sites(in: mapping)
    guard !known.isEmpty, let code = fixedCode(containing: mapping.start),
      let window = CodeWindow(start: code.start, end: code.end)
    else { return }
    // Before anything changes there.
    var fingerprint: UInt64 = 0
    for site in known {
      fingerprint = window.wideFingerprint(around: code.address(of: site), seed: fingerprint)
    }
    let plans = knownSites.plans(
      file, offset: code.offset, count: known.count, fingerprint: fingerprint)
    let made = rewrite(known, in: code, window, following: plans)
    if plans == nil {
      knownSites.keep(
        ProgramSites.Plans(
          file: file, offset: code.offset, start: code.start, fingerprint: fingerprint,
          sites: made))
    }
  }

  /// Rewrites sites as planned, or plans for each, which is returned.
  private func rewrite(
    _ known: [ProgramSites.Site], in code: Mapping, _ window: CodeWindow,
    following plans: ProgramSites.Plans?
  ) -> [SitePlanning?] {
    let range = code.start..<code.end
    var opened: [Range<UInt>] = []
    var made: [SitePlanning?] = []
    for index in known.indices {
      let site = known[index]
      let address = code.address(of: site)
      let planned = plans.flatMap { $0.sites[index]?.moved(by: code.start &- $0.start) }
      guard
        plans == nil
          ? range.contains(address) && window.fingerprint(around: address) == site.fingerprint
          : planned != nil
      else {
        made.append(nil)
        continue
      }
      let trap = SystemCallSites.Trap(
        site: address, number: site.number, threads: .alone, window: window)
      let planning = sites.sites.rewriteNow(
        trap, following: planned,
        mapPage: {
          guard let page = mapTrampolinePage(in: $0, near: address) else { return nil }
          opened.append(page..<page + pageSize)
          return page
        },
        setAccess: { part, access in
          let whole = range.contains(part.lowerBound) ? range : part
          if access == .restored || opened.contains(whole) { return true }
          guard setAccess(to: whole, .writable) else { return false }
          opened.append(whole)
          return true
        })
      made.append(planning)
    }
    for range in opened { _ = setAccess(to: range, .restored) }
    return made
  }

  private func handleTrap(at site: UInt, number: Int, isAlone: Bool, in mapping: Mapping) -> UInt {
    guard let window = CodeWindow(start: mapping.start, end: mapping.end) else { return site + 2 }
    let trap = SystemCallSites.Trap(
      site: site, number: number, threads: isAlone && !isShared ? .alone : .others, window: window)
    return sites.sites.handle(
      trap, mapPage: { mapTrampolinePage(in: $0, near: site) },
      setAccess: { setAccess(to: $0, $1) })
  }

  /// Programs change code that is writable, and expect to find what they wrote. What is written to
  /// shared code is seen by others, which have no trampolines.
  private func fixedCode(containing address: UInt) -> Mapping? {
    guard let mapping = codeMapping(containing: address), mapping.label == .none,
      !mapping.protection.contains(.PROT_WRITE), !mapping.isShared
    else { return nil }
    return mapping
  }

  /// Where to go on for a program that shall go on at `address`, when the code there has moved.
  func redirect(_ address: UInt) -> UInt {
    lock.lock()
    defer { lock.unlock() }
    guard let mapping = codeMapping(containing: address) else { return address }
    return sites.sites.redirect(address, in: CodeWindow(start: mapping.start, end: mapping.end))
  }

  private func codeMapping(containing address: UInt) -> Mapping? {
    guard let mapping = mapping(containing: address),
      mapping.protection.isSuperset(of: [.PROT_READ, .PROT_EXEC])
    else { return nil }
    return mapping
  }

  private func setAccess(to range: Range<UInt>, _ access: SystemCallSites.Access) -> Bool {
    var protection: Protection = [.PROT_READ, .PROT_WRITE, .PROT_EXEC]
    if access == .restored {
      guard let mapping = mapping(containing: range.lowerBound) else { return false }
      protection = mapping.protection
    }
    return
      (try? Host.mprotect(range.lowerBound, range.count, Int(protection.rawValue))) != nil
  }
}

extension Mapping {
  fileprivate func address(of site: ProgramSites.Site) -> UInt {
    start &+ UInt(truncatingIfNeeded: site.offset - offset)
  }
}

extension Task {
  /// A call came from a site that is not rewritten.
  public func noteTrappedSite(_ frame: Frame) {
    frame.pointee.rip = UInt64(
      memory.noteTrap(
        behind: UInt(frame.pointee.rip), number: Int(truncatingIfNeeded: frame.pointee.rax),
        isAlone: group.tasks.count == 1))
  }
}
