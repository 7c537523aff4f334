import ArgumentParser
import JSON
import JSONRPC
import PricingClient
import PricingProtocol
import RPCTransport

/// `pricing-simulate generate`: asks the daemon for a shop with a past.
struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Generate users, suppliers, products and a year of orders."
    )

    @OptionGroup var connection: SocketOptions

    @Option(help: "How many users.")
    var users: UInt32 = 200

    @Option(help: "How many suppliers.")
    var suppliers: UInt32 = 20

    @Option(help: "How many products.")
    var products: UInt32 = 200

    @Option(help: "How many orders over the past year.")
    var orders: UInt32 = 1000

    @Option(help: "Same seed, same data.")
    var seed: UInt32 = 1

    @Flag(help: "Remove all data first.")
    var clear = false

    private static let token = "generate"

    func run() async throws {
        do {
            let client = try await connection.connect()
            let params: JSONObject = [
                "users": .integer(Int64(users)), "suppliers": .integer(Int64(suppliers)),
                "products": .integer(Int64(products)), "orders": .integer(Int64(orders)),
                "seed": .integer(Int64(seed)), "clear": .bool(clear),
                "_meta": ["progressToken": .string(Self.token), "actor": "pricing-simulate"],
            ]
            async let bar: Void = showProgress(client.notifications)
            let outcome: Result<JSONObject, any Error>
            do {
                outcome = .success(try await client.call("data.generate", params))
            } catch {
                outcome = .failure(error)
            }
            await client.close()  // ends the notifications, and with them the bar
            await bar
            for (name, count) in try outcome.get() where count.integer != nil {
                Terminal.output.line("\(name): \(count)")
            }
            if users >= 3 {
                Terminal.output.line(
                    "sign in as admin@example.com, seller@example.com or customer@example.com: pricingd-demo"
                )
            }
        } catch {
            throw Failure.report(error)
        }
    }

    private func showProgress(_ notifications: AsyncStream<RPCNotification>) async {
        var bar = ProgressBar(isInteractive: Terminal.error.isInteractive)
        for await notification in notifications where notification.method == Message.progress {
            guard notification.params["token"]?.string == Self.token,
                let done = notification.params["done"]?.integer,
                let total = notification.params["total"]?.integer
            else { continue }
            let message = notification.params["message"]?.string ?? ""
            if let text = bar.show(done: done, total: total, message) { Terminal.error.write(text) }
        }
        Terminal.error.write(bar.end())
    }
}
