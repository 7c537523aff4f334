import Foundation
import JSON
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// `server.metrics`: text that Prometheus reads, and counters that count.
    @Suite
    struct MetricsTests {
        private func metrics(_ client: TestClient) async throws -> PrometheusText {
            try PrometheusText(try #require(try await client.call("server.metrics")["text"]?.string))
        }

        @Test func `everything is there`() async throws {
            let client = try await TestDaemon.shared().client()
            _ = try await client.call("session.ping")
            let found = try await metrics(client)
            let wanted = [
                "pricingd_uptime_seconds": "gauge", "pricingd_connections": "gauge",
                "pricingd_calls_in_flight": "gauge",
                "pricingd_calls_running": "gauge", "pricingd_calls_total": "counter",
                "pricingd_call_seconds": "histogram", "pricingd_orders_waiting": "gauge",
                "pricingd_orders_contended": "gauge", "pricingd_order_batch_orders": "histogram",
                "pricingd_subscriptions": "gauge", "pricingd_subscriptions_slow": "gauge",
                "pricingd_event_sequence": "gauge",
                "pricingd_events_delivered_total": "counter", "pricingd_subscription_lag_events": "gauge",
                "pricingd_events_unnumbered": "gauge", "pricingd_price_changes_total": "counter",
                "pricingd_database_connections_open": "gauge", "pricingd_database_connections_idle": "gauge",
                "pricingd_database_connections_busy": "gauge", "pricingd_database_waiting": "gauge",
                "pricingd_database_down": "gauge", "pricingd_failing_products": "gauge",
                "pricingd_automation_halts": "gauge", "pricingd_last_tick_timestamp_seconds": "gauge",
                "pricingd_automation_halted": "gauge", "pricingd_breaker_open": "gauge",
                "pricingd_overdue_deliveries": "gauge", "pricingd_campaigns_running": "gauge",
                "pricingd_open_proposals": "gauge", "pricingd_low_stock_products": "gauge",
                "pricingd_last_price_changes": "gauge", "pricingd_build_info": "gauge",
                "process_resident_memory_bytes": "gauge", "process_virtual_memory_bytes": "gauge",
                "process_threads": "gauge", "process_open_fds": "gauge", "process_max_fds": "gauge",
                "process_cpu_seconds_total": "counter", "process_start_time_seconds": "gauge",
            ]
            #expect(found.types == wanted)
            await client.close()
        }

        @Test func `counters count`() async throws {
            // Its own: others order at the shared one.
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 12])
            let watcher = try await daemon.client()
            _ = try await watcher.call("events.subscribe", ["topics": ["price"], "productIds": [.integer(product)]])
            let before = try await metrics(shop.client)
            try await shop.buy(product, 2)
            for await event in watcher.notifications where event.method == "events.event" { break }
            let after = try await metrics(shop.client)
            func grown(_ series: String) -> Double { (after.values[series] ?? 0) - (before.values[series] ?? 0) }
            #expect(grown(#"pricingd_calls_total{method="order.place",outcome="ok"}"#) == 1)
            #expect(grown(#"pricingd_call_seconds_count{method="order.place"}"#) == 1)
            #expect(grown("pricingd_order_batch_orders_count") == 1)
            #expect(grown("pricingd_order_batch_orders_sum") == 1)
            #expect(grown("pricingd_price_changes_total") == 1)
            #expect((after.values[#"pricingd_last_price_changes{cause="sale"}"#] ?? 0) >= 1)
            #expect((after.values["process_resident_memory_bytes"] ?? 0) > 1_000_000)
            #expect((after.values["process_cpu_seconds_total"] ?? 0) > 0)
            #expect((after.values["process_open_fds"] ?? 0) > 5)
            let started = try #require(after.values["process_start_time_seconds"])
            let up = try #require(after.values["pricingd_uptime_seconds"])
            #expect(abs(Date.now.timeIntervalSince1970 - started - up) < 60)
            #expect(grown("pricingd_events_delivered_total") == 1)
            #expect(grown("pricingd_event_sequence") >= 2, "stock and price")
            #expect(after.values["pricingd_subscriptions"] ?? 0 >= 1)
            let open = try #require(after.values["pricingd_database_connections_open"])
            let idle = try #require(after.values["pricingd_database_connections_idle"])
            #expect(open >= 1 && idle <= open)
            await watcher.close()
        }

        @Test(
            .enabled(
                if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool"),
                "needs promtool, of Debian's package prometheus"
            )
        )
        func `prometheus itself has nothing to say`() async throws {
            let client = try await TestDaemon.shared().client()
            let text = try #require(try await client.call("server.metrics")["text"]?.string)
            await client.close()
            let promtool = try ChildProgram("/usr/bin/promtool", ["check", "metrics"])
            for line in text.split(separator: "\n") { try promtool.write(String(line)) }
            try promtool.closeInput()
            let said = await promtool.errorText()
            #expect(await promtool.exit() == 0)
            #expect(said == "")
        }

        @Test(arguments: [
            "a 1\n", "# TYPE a gauge\na 1", "# TYPE a gauge\na one\n", "# TYPE a gauge\na 1\na 1\n",
            "# TYPE a gauge\na{b=c} 1\n", "# TYPE a sum\na 1\n", "# TYPE a gauge\n# TYPE a gauge\na 1\n",
            "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
            "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        ])
        func `the reader is strict`(text: String) {
            #expect(throws: PrometheusText.Malformed.self) { try PrometheusText(text) }
        }
    }
}
