import Foundation
import Glibc

/// Whether a program here may have mounts of its own, which other processes do not see.
package enum Mounts {
    package static let areOurs = getuid() == 0 && can("mount -t tmpfs none /mnt")

    /// A machine booted over an overlay of this one's disk.
    package static let canBoot =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-nspawn") && areOurs
        && can(
            """
            mount -t tmpfs none /mnt; cd /mnt; mkdir upper work root
            mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
            """
        )

    private static func can(_ script: String) -> Bool {
        let program = Process()
        program.executableURL = URL(filePath: "/usr/bin/env")
        program.arguments = ["unshare", "--mount", "sh", "-ec", script]
        program.standardError = FileHandle.nullDevice
        guard (try? program.run()) != nil else { return false }
        program.waitUntilExit()
        return program.terminationStatus == 0
    }
}
