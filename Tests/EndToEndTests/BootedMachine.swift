import Foundation
import PricingTestSupport

/// This machine's disk under an overlay, booted by systemd in a container of its own, which runs one script and ends.
struct BootedMachine {
    /// What the script printed.
    let told: [String]
    /// What went wrong on the way there.
    let errors: String

    private static let boot = """
        set -eu
        cd "$1"
        mkdir upper work root
        mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
        cd root
        # Programs that were built for tests want Swift's libraries, which a machine without the toolchain lacks.
        with_libraries() {
            mkdir -p usr/local/lib
            ldd "$@" | sed -n 's|.* => \\(/[^ ]*\\) .*|\\1|p' | grep -v '^/\\(usr/\\)\\?lib' | sort -u |
                xargs -r cp -t usr/local/lib
            ldconfig -r .
        }
        eval "$2"
        printf '%s\\n' '[Unit]' DefaultDependencies=no "$3" SuccessAction=poweroff-force FailureAction=poweroff-force \\
            '[Service]' Type=oneshot 'ExecStart=/bin/sh /try.sh' >etc/systemd/system/try.service
        printf 'exec >/tried 2>&1\\n%s\\n' "$4" >try.sh
        timeout --signal=KILL 110 systemd-nspawn --quiet --directory=. --machine="${1##*/}" --boot \\
            --private-network --register=no --keep-unit --link-journal=no --console=pipe \\
            systemd.unit=try.service </dev/null >console 2>&1
        cat tried
        """

    /// - Parameters:
    ///   - folder: where the overlay's layers stand.
    ///   - install: a shell script that prepares the disk, in its top folder; `with_libraries PROGRAM…` is there.
    ///   - after: further lines of the script's unit.
    ///   - trial: the shell script to run there.
    init(in folder: TemporaryFolder, install: String, after: String = "", trial: String) async throws {
        let machine = try ChildProgram(
            "/usr/bin/unshare",
            ["--mount", "sh", "-c", Self.boot, "sh", folder.path, install, after, trial]
        )
        try folder.endWithFolder(machine.pid)
        var told: [String] = []
        while let line = await machine.line() { told.append(line) }
        self.told = told
        errors = await machine.errorText()
    }

    /// Where the programs of this package were built.
    static func programs() throws -> String {
        URL(filePath: try TestDaemon.program("pricingd")).deletingLastPathComponent().path
    }
}
