import Foundation
import Glibc
import PricingTestSupport
import Testing

/// The programs of the package.
private enum Package {
    static let programs = ["pricingd", "pricing-repl", "pricing-simulate", "pricing-web", "pricing-bench"]

    static let isBuilt = programs.allSatisfy { name in
        (try? TestDaemon.program(name)).map { FileManager.default.isExecutableFile(atPath: $0) } ?? false
    }
}

extension EndToEnd {
    /// The Debian package, installed, tried and removed on a machine of its own: this one's disk under an overlay, booted
    /// by systemd in a container. `PRICINGD_DEB` names a package that is built already, and for machines without Swift.
    @Suite(
        .enabled(
            if: Mounts.canBoot && Package.isBuilt,
            "needs root, systemd-nspawn, an overlay of the machine's disk, and every program built"
        )
    )
    struct PackageTests {
        private static let trial = """
            as() { group=$1; shift; setpriv --reuid=nobody --regid=$group --clear-groups env -u XDG_RUNTIME_DIR "$@"; }
            quietly() { "$@" >/log 2>&1 || { echo "failed: $*"; cat /log; journalctl -u pricingd --no-pager; }; }
            role() { as $1 pricing-repl -c session.hello 2>/dev/null | grep -o '"role":"[a-z]*"' || echo "$1: none"; }
            main() { systemctl show --value -p MainPID pricingd; }
            back() {
                timeout 30 sh -c "until [ \\$(systemctl show --value -p MainPID pricingd) != $1 ] &&
                    systemctl is-active --quiet pricingd; do :; done" && as pricingd pricing-repl -c session.ping
            }
            quietly dpkg -i /pricingd.deb
            systemctl is-active pricingd
            systemctl is-enabled pricingd
            for group in pricingd pricingd-viewer pricingd-admin nogroup; do role $group; done
            quietly as pricingd pricing-repl -c 'category.create name=Kept'
            curl --silent --unix-socket /run/pricingd/metrics.sock http://localhost/ready
            old=$(main); systemctl kill --kill-who=main --signal=KILL pricingd; back $old
            old=$(main); systemctl kill --kill-who=main --signal=STOP pricingd; back $old
            old=$(main); quietly dpkg -i /pricingd.deb; back $old
            as pricingd pricing-repl -c category.list | grep -o Kept
            setpriv --reuid=pricingd --regid=pricingd --clear-groups \\
                pricingd backup --data-dir /var/lib/pricingd - | { head -c 5; cat >/dev/null; }; echo
            systemctl stop pricingd; systemctl show -p Result pricingd
            systemctl start pricingd.socket; as pricingd pricing-repl -c session.ping; systemctl is-active pricingd
            for name in pricingd pricing-repl pricing-simulate pricing-web pricing-bench; do
                man --locale=C $name | grep -c -- '--version'
                bash -n /usr/share/bash-completion/completions/$name
            done
            quietly dpkg -r pricingd
            systemctl is-active pricingd
            cut -c 1,2 /var/lib/pricingd/cluster/PG_VERSION
            dpkg -P pricingd 2>&1 | grep -o 'The shop is still in /var/lib/pricingd.'
            """

        @Test func `it installs, runs, comes back, upgrades, and leaves the shop when it goes`() async throws {
            let folder = try TemporaryFolder()
            let programs = try BootedMachine.programs()
            let given = ProcessInfo.processInfo.environment["PRICINGD_DEB"]
            var package = given
            if package == nil {
                let build = try ChildProgram(
                    ExamplesTests.root + "/examples/packaging/build-deb.sh",
                    [folder.path],
                    environment: ["PRICINGD_BIN": programs, "DPKG_DEB_COMPRESSOR_TYPE": "none"]
                )
                package = await build.line()
                let errors = await build.errorText()
                try #require(await build.exit() == 0, "\(errors)")
            }
            let libraries = given == nil ? "with_libraries '\(programs)/pricingd' '\(programs)/pricing-repl'" : ""
            let machine = try await BootedMachine(
                in: folder,
                install: """
                    cp '\(try #require(package))' pricingd.deb
                    \(libraries)
                    rm -f usr/sbin/policy-rc.d
                    mount -t tmpfs none opt
                    mkdir -p etc/systemd/system/pricingd.service.d
                    printf '[Service]\\nWatchdogSec=2\\n' >etc/systemd/system/pricingd.service.d/quick.conf
                    """,
                trial: Self.trial
            )
            let told = machine.told
            let expected =
                ["active", "enabled", #""role":"operator""#, #""role":"viewer""#, #""role":"admin""#, "nogroup: none"]
                + ["ready", "{}", "{}", "{}", "Kept", "PGDMP", "Result=success", "{}", "active"]
                + Package.programs.map { _ in "1" } + ["inactive", "15", "The shop is still in /var/lib/pricingd."]
            #expect(
                told.count == expected.count
                    && zip(told, expected).allSatisfy { told, expected in
                        // How often a page names an option, and which PostgreSQL there is, may differ.
                        Int(expected) == nil ? told == expected : Int(told) ?? 0 > 0
                    },
                "\(told.joined(separator: "\n"))\n\(machine.errors)"
            )
        }
    }
}
