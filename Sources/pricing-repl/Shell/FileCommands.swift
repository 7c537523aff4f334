import ArgumentParser
import JSON
import PricingClient
import PricingProtocol
import RPCTransport

/// `pricing-repl import`.
struct ImportCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in a file of products: new ones are made, known ones changed.",
        discussion: """
            The file is text, one product a line, under a header that names the columns: \
            \(Catalogue.importRow.fields.map(\.name).joined(separator: ", ")).

            A product is known by its sku, so the same file twice changes nothing. An empty cell leaves what is there. \
            stock is a count: leave its column out (--map stock=) where sales go on meanwhile. UTF-8 is read, and UTF-16 with \
            its mark; the separator is found in the header.

            Failed rows are told with line and column and written to FILE.failed.csv: mend them there, and give that file \
            to import. New products whose prices are to stay as they are get --rule manual; another rule is given to them \
            later.

            Exit status: 0 all rows done, 1 some failed, 2 no connection, 3 the file or the command line cannot be used, \
            4 cancelled; Ctrl-C waits for the call in flight and says what was done.
            """
    )

    @OptionGroup var connection: Connection

    @Argument(help: "The file.", completion: .file())
    var file: String

    @Option(
        parsing: .singleValue,
        help:
            "What the file's columns hold, where it names them otherwise: price=basePrice,name=title; note= leaves one out."
    )
    var map: [String] = []

    @Flag(help: "Say what would be made, changed and refused, and change nothing.")
    var dryRun = false

    @Option(help: "The name of the rule that new products follow, such as manual; else the shop's default.")
    var rule: String?

    @Flag(help: "Make the categories and suppliers that are not there.")
    var createMissing = false

    @Option(help: "The file's encoding, where it is not UTF-8.")
    var encoding: TextEncoding?

    @Option(help: "What stands between the columns; else what the header has most of.")
    var separator: ProductFile.Separator?

    @Option(help: "What stands before the decimals of the file's numbers.")
    var decimal: DecimalMark = .point

    @MainActor
    func status(_ console: Console) async -> ExitStatus {
        let read: ProductFile
        do {
            var reading = ProductFile.Reading()
            reading.encoding = encoding
            reading.separator = separator
            reading.hasDecimalComma = decimal == .comma
            for text in map { try reading.take(map: text) }
            read = try ProductFile(try TextFile.bytes(of: file), reading)
        } catch let error as ProductFile.Unusable {
            for problem in error.problems { console.complain(DisplayText.safe("\(file): \(problem)")) }
            console.complain("error: nothing was done")
            return .usage
        } catch {
            console.complain("error: \(DisplayText.safe("\(error)"))")
            return .usage
        }
        let orders = ProductImport.Orders(rule: rule, createsMissing: createMissing, isDryRun: dryRun)
        let session = connection.session
        let work = ProductImport(read, at: file, orders, session, console)
        let status = await Interrupts().cancelling { await work.run() }
        await session.disconnect()
        return status
    }
}

/// `pricing-repl export`.
struct ExportCommand: ConsoleCommand {
    enum Subject: String, CaseIterable, ExpressibleByArgument {
        case products
    }

    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the products to a file that import reads.",
        discussion: """
            Given back to import as it is, the file changes nothing. A cell that a spreadsheet would run gets an apostrophe \
            before it, which import takes off. The column postedPrice says what the price is now; import leaves it out.
            """
    )

    @OptionGroup var connection: Connection

    @Argument(help: "What to write.")
    var subject: Subject = .products

    @Option(name: .shortAndLong, help: "The file; else standard output.", completion: .file())
    var output: String?

    @Option(help: "What stands between the columns.")
    var separator: ProductFile.Separator = .comma

    @Flag(help: "Begin with a byte order mark, by which a spreadsheet knows UTF-8.")
    var mark = false

    @MainActor
    func status(_ console: Console) async -> ExitStatus {
        do {
            let client = try await RPCClient.connect(socket: connection.path)
            let export = try await Self.read(client)
            await client.close()
            let text = export.text(separatedBy: separator, hasMark: mark)
            for name in export.namesakes.sorted() {
                console.complain(DisplayText.safe("several suppliers are called \(name): their column is left empty"))
            }
            guard let output else {
                console.show(text)
                return .ok
            }
            try TextFile.write(text, to: output)
            console.show(DisplayText.safe("\(export.count) products in \(output)") + "\n")
            return .ok
        } catch {
            console.complain("error: \(DisplayText.safe(ClientFailure.sentence(error)))")
            return ExitStatus(rawValue: ClientFailure.exitCode(error)) ?? .callFailed
        }
    }

    private static func read(_ client: RPCClient) async throws -> ProductExport {
        func all(_ method: String) async throws -> [JSONValue] {
            var pages = Pages(of: method)
            var items: [JSONValue] = []
            while !pages.isAtEnd { items += try await pages.next(client) }
            return items
        }
        var export = ProductExport(
            categories: try await all("category.list"),
            suppliers: try await all("supplier.list"),
            rules: try await all("rule.list")
        )
        for product in try await all("product.list") { export.add(product) }
        return export
    }
}

enum DecimalMark: String, CaseIterable, ExpressibleByArgument {
    case point
    case comma
}

extension TextEncoding: ExpressibleByArgument {}

extension ProductFile.Separator: ExpressibleByArgument {}
