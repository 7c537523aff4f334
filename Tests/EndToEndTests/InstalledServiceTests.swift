import Foundation
import Glibc
import PricingTestSupport
import Testing

extension EndToEnd {
    /// The shipped unit under a real systemd: this machine's own, booted in a container over an overlay of its disk.
    @Suite(
        .enabled(if: Mounts.canBoot, "needs root, systemd-nspawn and an overlay of the machine's disk")
    )
    struct InstalledServiceTests {
        /// Installs as the unit's own head says, and boots straight into the trial.
        private static let boot = """
            set -eu
            cd "$1"
            mkdir upper work root
            mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
            cd root
            install -m 755 "$2/pricingd" "$2/pricing-repl" usr/local/bin/
            mkdir -p usr/local/lib
            ldd usr/local/bin/pricingd usr/local/bin/pricing-repl | sed -n 's|.* => \\(/[^ ]*\\) .*|\\1|p' |
                grep -v '^/\\(usr/\\)\\?lib' | sort -u | xargs -r cp -t usr/local/lib
            ldconfig -r .
            chroot . useradd --system --user-group --home-dir /var/lib/pricingd --no-create-home pricingd
            install -m 644 "$3/examples/pricingd.service" etc/systemd/system/
            printf '%s\\n' "$4" > etc/systemd/system/try.service
            printf '%s\\n' "$5" > try.sh
            timeout --signal=KILL 100 systemd-nspawn --quiet --directory=. --machine="${1##*/}" --boot \\
                --private-network --register=no --keep-unit --link-journal=no --console=pipe \\
                systemd.unit=try.service </dev/null >console 2>&1
            cat tried
            """

        private static let unit = """
            [Unit]
            DefaultDependencies=no
            Wants=pricingd.service
            After=pricingd.service
            SuccessAction=poweroff-force
            FailureAction=poweroff-force
            [Service]
            Type=oneshot
            ExecStart=/bin/sh /try.sh
            """

        private static let trial = """
            exec >/tried 2>&1
            systemctl is-active pricingd || systemctl status --no-pager --full pricingd
            as_member() { setpriv --reuid=nobody --regid=pricingd --clear-groups env -u XDG_RUNTIME_DIR "$@"; }
            as_member pricing-repl -c session.hello | grep -o '"role":"[a-z]*"'
            killed=$(systemctl show --value -p MainPID pricingd)
            systemctl kill --kill-who=main --signal=KILL pricingd
            timeout 30 sh -c "until [ \\$(systemctl show --value -p MainPID pricingd) != $killed ] &&
                systemctl is-active --quiet pricingd; do :; done"
            as_member pricing-repl -c session.ping
            systemctl stop pricingd
            systemctl show -p Result -p ExecMainStatus pricingd
            """

        @Test func `the unit starts, is found by a member of its group, comes back and stops`() async throws {
            let folder = try TemporaryFolder()
            let programs = URL(filePath: try TestDaemon.program("pricingd")).deletingLastPathComponent().path
            let machine = try ChildProgram(
                "/usr/bin/unshare",
                [
                    "--mount", "sh", "-c", Self.boot, "sh", folder.path, programs, ExamplesTests.root, Self.unit,
                    Self.trial,
                ]
            )
            try folder.endWithFolder(machine.pid)
            var told: [String] = []
            while let line = await machine.line() { told.append(line) }
            let errors = await machine.errorText()
            #expect(
                told == ["active", #""role":"operator""#, "{}", "Result=success", "ExecMainStatus=0"],
                "\(told.joined(separator: "\n"))\n\(errors)"
            )
        }
    }
}
