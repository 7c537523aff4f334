import ArgumentParser
import JSON
import PricingProtocol

/// `pricingd openrpc`: what `rpc.discover` gives, for those who have no daemon at hand.
struct OpenRPC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openrpc",
        abstract: "Print the OpenRPC document of every method, on one line; needs neither daemon nor database."
    )

    func run() {
        let document = OpenRPCDocument.make(version: Release.version)
        writeLine(String(decoding: document.serialized(), as: UTF8.self), to: 1)
    }
}
