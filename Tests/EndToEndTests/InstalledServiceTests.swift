import PricingTestSupport
import Testing

extension EndToEnd {
    /// The shipped unit under a real systemd: this machine's own, booted in a container over an overlay of its disk.
    @Suite(
        .enabled(if: Mounts.canBoot, "needs root, systemd-nspawn and an overlay of the machine's disk")
    )
    struct InstalledServiceTests {
        private static let trial = """
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
            let programs = try BootedMachine.programs()
            // As the unit's own head says.
            let machine = try await BootedMachine(
                in: try TemporaryFolder(),
                install: """
                    install -m 755 '\(programs)/pricingd' '\(programs)/pricing-repl' usr/local/bin/
                    with_libraries usr/local/bin/pricingd usr/local/bin/pricing-repl
                    chroot . useradd --system --user-group --home-dir /var/lib/pricingd --no-create-home pricingd
                    install -m 644 '\(ExamplesTests.root)/examples/pricingd.service' etc/systemd/system/
                    """,
                after: "Wants=pricingd.service\nAfter=pricingd.service",
                trial: Self.trial
            )
            #expect(
                machine.told == ["active", #""role":"operator""#, "{}", "Result=success", "ExecMainStatus=0"],
                "\(machine.told.joined(separator: "\n"))\n\(machine.errors)"
            )
        }
    }
}
