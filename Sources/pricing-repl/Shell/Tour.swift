import JSON

/// `\tour`: a few commands, typed for the operator, that end with a price having moved and come back.
extension Shell {
    /// What the tour shows: a product whose price follows its stock, and by how much the stock must change for it.
    private struct Example {
        var id: Int64
        var title: String
        var price: JSONValue
        var units: Int64
    }

    /// So many products are looked at for one whose price moves.
    private static let productsLooked: Int64 = 30

    func tour() async -> Next {
        guard isInteractive, let ask = deeds.ask else { return fail("error: the tour is for the prompt") }
        let finding = await interrupts.cancelling { await self.example() }
        guard case .success(let found) = finding else { return failed(finding) }
        guard let found else {
            return refuse(
                "no price here follows its stock now: a product under a rule such as bands, neither pinned nor halted"
            )
        }
        let change = "\(found.id) \(found.units > 0 ? "+" : "")\(found.units)"
        let steps = [
            (
                "Words without a dot are for people. A product is found by words of its title:",
                "find \(quoted(found.title))"
            ),
            ("Why is its price what it is, and what moves it next?", "why \(found.id)"),
            ("What has it been?", "plot \(found.id)"),
            ("What would another stock do to it? Nothing is done yet:", "try adjust \(change)"),
            ("The same on the wire, as any program may call it:", "\\as shell"),
        ]
        for (sentence, command) in steps {
            guard await step(sentence, command, ask) else { return .goOn }
        }
        if await !isSandbox() {
            let question = "Now the price moves for a moment, in this shop. Do it?  yes / no  "
            guard await ask(question)?.lowercased().hasPrefix("y") == true else {
                console.show("nothing was changed\n")
                return .goOn
            }
        }
        guard await step("Now for real:", "adjust \(change) \"the tour\"", ask) else { return .goOn }
        let back = "adjust \(found.id) \(found.units > 0 ? "" : "+")\(-found.units) \"the tour is over\""
        say("And back, so that the shop is as it was:")
        console.show(Transcript.text(command: back))
        if await execute(back) == .stop { return .stop }
        let product = await interrupts.cancelling { [session] in
            await session.result("product.get", ["productId": .integer(found.id)])
        }
        guard case .success(let now) = product else { return failed(product) }
        if now["price"] != found.price {
            console.show(
                "its rule keeps the price at \(DeedView.text(now["price"])) for now; undo \(found.id) puts it back\n"
            )
        }
        say("That was the tour. \\? lists the words, Tab completes them, and help METHOD explains a method.")
        return .goOn
    }

    private func say(_ sentence: String) {
        console.show("\n" + DisplayText.wrapped(sentence, to: console.width) + "\n")
    }

    /// Says what comes, runs it, and waits; false where the operator leaves.
    private func step(_ sentence: String, _ command: String, _ ask: @MainActor (String) async -> String?) async -> Bool
    {
        say(sentence)
        console.show(Transcript.text(command: command))
        let failed = failures
        guard await execute(command) == .goOn, failures == failed else { return false }
        guard !command.hasPrefix("adjust") else { return true }
        guard let answer = await ask("Enter goes on, q leaves  ") else { return false }
        return !answer.lowercased().hasPrefix("q")
    }

    /// A product whose price a change of its stock to one of its thresholds would move; nil where none is found.
    private func example() async -> Result<Example?, CallFailure> {
        let listed = await session.result("product.list", ["limit": .integer(Self.productsLooked)])
        guard case .success(let page) = listed else { return listed.map { _ -> Example? in nil } }
        for item in page["items"]?.array ?? [] {
            guard let id = item["productId"]?.integer, let stock = item["stock"]?.integer, stock > 0,
                let low = item["lowStock"]?.integer, let high = item["highStock"]?.integer
            else { continue }
            // Down to low stock, from there up to the middle.
            let target = stock > low ? max(low, 1) : (low + high) / 2
            guard target != stock else { continue }
            let trial: JSONObject = [
                "productId": .integer(id), "quantity": .integer(target - stock), "_meta": ["dryRun": true],
            ]
            let tried = await session.result("inventory.adjust", trial)
            switch tried {
            case .failure(.refused): continue
            case .failure(let failure): return .failure(failure)
            case .success(let result):
                let effect = EffectView(result["_meta"]?.object ?? [:])
                guard effect.prices.contains(where: { $0.id == id }) else { continue }
                return .success(
                    Example(
                        id: id,
                        title: item["title"]?.string ?? "",
                        price: item["price"] ?? .null,
                        units: target - stock
                    )
                )
            }
        }
        return .success(nil)
    }

    private func isSandbox() async -> Bool {
        let clock = await interrupts.cancelling { [session] in await session.result("clock.get", [:]) }
        guard case .success(let clock) = clock else { return false }
        return clock["sandbox"] == true
    }

    private func quoted(_ title: String) -> String { "\"" + title.filter { $0 != "\"" && $0 != "\\" } + "\"" }
}
