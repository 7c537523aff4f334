import Glibc
import Postgres
import PricingTestSupport
import Testing

extension Faults {
    /// Three servers under Patroni lose one after another what they have; each loss has its time. On three machines the
    /// figures are those of the settings, not of the machine: leases and looks at each other.
    @Suite(
        .enabled(if: isLong, "an hour and a half: --long"),
        .enabled(if: Cluster.isAvailable, "needs etcd-server and python3-venv")
    )
    struct ClusterTests {
        private static let cluster = Task { try await Cluster() }

        /// What is lost.
        enum Loss: String, CaseIterable {
            case primaryKilled, switchover, standbyKilled, primaryFrozen, etcdFrozen

            /// The longest time that may pass without an acknowledgement.
            var limit: Duration {
                switch self {
                case .primaryKilled: .seconds(5)
                case .switchover: .seconds(6)
                case .standbyKilled: .seconds(1)
                case .primaryFrozen: .seconds(30)
                case .etcdFrozen: .milliseconds(600)
                }
            }
        }

        @Test(arguments: Loss.allCases)
        func `what a cluster of three loses costs nothing that was acknowledged`(loss: Loss) async throws {
            let cluster = try await Self.cluster.value
            let count = loss == .primaryKilled ? commitRounds : rounds
            try await each("\(loss)", cluster, count, within: loss.limit) { trial in
                let primary = try #require(await cluster.primary())
                switch loss {
                case .primaryKilled:
                    kill(try cluster.postmaster(primary), SIGKILL)
                    await cluster.falls()
                case .switchover: try await cluster.switchOver()
                case .standbyKilled:
                    kill(try cluster.postmaster(cluster.other(than: primary)), SIGKILL)
                    await cluster.falls()
                case .primaryFrozen:
                    let frozen = try [cluster.pid(primary, "patroni.pid"), cluster.postmaster(primary)]
                        .flatMap { Processes.family(of: $0) }
                    try await signalled(frozen) { await cluster.leaves(primary) }
                case .etcdFrozen:
                    let look = try await cluster.daemon.database()
                    // Longer than the primary's lease.
                    try await signalled((1...3).map { try cluster.pid($0, "etcd.pid") }) {
                        _ = try await look.text("select pg_sleep(30)::text")
                    }
                    await look.close()
                }
            }
        }

        /// The machine that the primary is on sees nobody, and nobody sees it.
        @Test(.enabled(if: Networks.areOurs, "needs root, and bridges between network namespaces"))
        func `a primary that is cut off acknowledges nothing that is lost`() async throws {
            let programs = try await Self.cluster.value.folder + "/venv/bin"
            let cluster = try await Cluster(wrapper: Networks.three, ["CLUSTER_PATRONI=\(programs)"])
            try await each("cut off", cluster, rounds, within: .seconds(30)) { _ in
                let primary = try #require(await cluster.primary())
                try await cluster.setLink(of: primary, "down")
                await cluster.leaves(primary)
                try await cluster.setLink(of: primary, "up")
            }
            #expect(await cluster.stop())
        }

        /// The script leaves no process behind, and the next time goes on with the same shop.
        @Test func `a cluster that was stopped goes on`() async throws {
            let cluster = try await Self.cluster.value
            let shop = try await ShopClient.open(cluster.daemon)
            let product = try await shop.product()
            let processes = try cluster.processes
            await shop.client.close()
            #expect(await cluster.stop())
            #expect(processes.filter { kill($0, 0) == 0 } == [])
            try await cluster.restart()
            let again = ShopClient(
                client: try await cluster.daemon.client(),
                categoryId: shop.categoryId,
                customerId: shop.customerId
            )
            #expect(try await again.stock(product) == 50)
        }

        /// Each round is a trial of its own; it ends once the cluster has all that it lost.
        private func each(
            _ name: String,
            _ cluster: Cluster,
            _ count: Int,
            within limit: Duration,
            _ fault: @Sendable (Trial) async throws -> Void
        ) async throws {
            for round in 1...count {
                let trial = try await Trial.start(on: cluster.daemon)
                try await trial.run("cluster, \(name), round \(round)", seed: UInt64(round)) { _ in
                    await trial.journal.advances(by: 100)
                    try await fault(trial)
                    while !(await cluster.isWhole()) { await trial.journal.advances(by: 1) }
                    await trial.journal.advances(by: 100)
                }
                #expect(trial.journal.longestGap < limit, "\(name), round \(round)")
            }
        }

        /// Stands processes still while something happens.
        private func signalled(_ processes: [Int32], _ body: () async throws -> Void) async throws {
            for pid in processes { kill(pid, SIGSTOP) }
            defer { for pid in processes.reversed() { kill(pid, SIGCONT) } }
            try await body()
        }
    }
}

extension Cluster {
    /// Waits until something is missing.
    fileprivate func falls() async {
        while await isWhole(), !Task.isCancelled {}
    }

    /// Waits until the primary is another.
    fileprivate func leaves(_ former: Int) async {
        while !Task.isCancelled {
            if let primary = await primary(), primary != former { return }
        }
    }
}

/// Networks between namespaces, which go with the processes in them.
private enum Networks {
    /// Becomes a command in a network of its own with a bridge to three more, for a node each.
    static let three = [
        "/usr/bin/unshare", "--net", "--mount", "/bin/sh", "-ec",
        """
        mount -t tmpfs none /mnt
        ip link set lo up
        ip link add nodes type bridge
        ip address add 10.0.0.10/24 dev nodes
        ip link set nodes up
        for n in 1 2 3; do
            touch /mnt/$n
            unshare --net=/mnt/$n ip link set lo up
            ip link add node$n type veth peer name lan netns /mnt/$n
            ip link set node$n master nodes up
            nsenter --net=/mnt/$n ip address add 10.0.0.$n/24 dev lan
            nsenter --net=/mnt/$n ip link set lan up
            export CLUSTER_NODE_$n="nsenter --net=/mnt/$n"
        done
        export CLUSTER_HOSTS='10.0.0.1 10.0.0.2 10.0.0.3'
        exec "$@"
        """, "sh",
    ]

    static let areOurs = getuid() == 0 && succeeds(three + ["true"])
}
