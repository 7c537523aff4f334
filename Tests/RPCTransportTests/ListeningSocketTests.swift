import Glibc
import Testing

@testable import RPCTransport

struct ListeningSocketTests {
    private func mode(_ path: String) -> UInt32? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return status.st_mode & 0o7777
    }

    @Test func `a shared folder that is named after a user vouches for that user alone`() {
        #expect(SocketFolder.vouches(for: 7, socket: "/tmp/pricingd-7/pricingd.sock"))
        #expect(SocketFolder.vouches(for: 7, socket: "/tmp/./pricingd-7/pricingd.sock"))
        #expect(!SocketFolder.vouches(for: 8, socket: "/tmp/pricingd-7/pricingd.sock"))
    }

    @Test func `modes are private, and everything is removed`() async throws {
        try await withFolder { folder in
            let path = folder + "/made/s"
            let socket = try ListeningSocket(path: path)
            #expect(mode(folder + "/made") == 0o700)
            #expect(mode(path) == 0o600)
            #expect(mode(path + ".lock") == 0o600)
            socket.close()
            #expect(mode(path) == nil)
            #expect(mode(path + ".lock") == nil)
            unsafe rmdir(folder + "/made")
        }
    }

    @Test func `a group opens the socket to it, and an existing folder stays as it is`() async throws {
        try await withFolder { folder in
            unsafe chmod(folder, 0o755)
            let socket = try ListeningSocket(path: folder + "/s", groups: [getgid()])
            #expect(mode(folder) == 0o755)
            #expect(mode(folder + "/s") == 0o660)
            socket.close()
        }
    }

    @Test func `a second one is refused with the holder's pid`() async throws {
        try await withFolder { folder in
            let path = folder + "/s"
            let socket = try ListeningSocket(path: path)
            #expect(throws: ListeningSocketError.held(path: path, pid: getpid())) {
                try ListeningSocket(path: path)
            }
            #expect(mode(path) == 0o600)
            socket.close()
            try ListeningSocket(path: path).close()
        }
    }

    @Test func `a stale socket is replaced, a file is not`() async throws {
        try await withFolder { folder in
            let path = folder + "/s"
            let dead = try ListeningSocket(path: path)
            // What a killed daemon leaves: both files, and no lock held.
            let descriptor = try #require(dead.releaseDescriptor())
            #expect(close(descriptor) == 0)
            let lock = unsafe open(path + ".lock", O_RDONLY)
            unsafe rename(path, folder + "/out")
            dead.close()
            unsafe rename(folder + "/out", path)
            close(lock)
            let fresh = try ListeningSocket(path: path)
            #expect(mode(path) == 0o600)
            fresh.close()
            unsafe close(open(path, O_CREAT | O_WRONLY, 0o600))
            #expect(throws: ListeningSocketError.notASocket(path: path)) { try ListeningSocket(path: path) }
            #expect(mode(path + ".lock") == nil)
        }
    }

    @Test func `a path that is too long is told so`() {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        #expect(throws: ListeningSocketError.pathTooLong(path: path, limit: 107)) { try ListeningSocket(path: path) }
    }

    @Test func `a folder that cannot be made is told so`() {
        #expect(throws: ListeningSocketError.system(step: "make the folder", path: "/proc/none", errno: ENOENT)) {
            try ListeningSocket(path: "/proc/none/s")
        }
    }
}
