package import JSON

/// The lines that are sent: each a message of JSON-RPC 2.0 with its LF.
package enum Envelope {
    package static func result(_ id: RequestID, _ result: JSONText) -> [UInt8] {
        var writer = opened(id, capacity: result.bytes.count + 64)
        writer.raw(",\"result\":")
        writer.write(result)
        writer.raw("}\n")
        return writer.bytes
    }

    /// An id that could not be read is null.
    package static func error(_ id: RequestID?, _ error: RPCError) -> [UInt8] {
        self.error(id, ErrorText(error))
    }

    package static func error(_ id: RequestID?, _ error: ErrorText) -> [UInt8] {
        var writer = opened(id, capacity: error.text.bytes.count + 64)
        writer.raw(",\"error\":")
        writer.write(error.text)
        writer.raw("}\n")
        return writer.bytes
    }

    package static func notification(_ method: String, _ params: JSONText) -> [UInt8] {
        var writer = JSONWriter(capacity: params.bytes.count + 64)
        writer.raw("{\"jsonrpc\":\"2.0\",\"method\":")
        writer.write(method)
        writer.raw(",\"params\":")
        writer.write(params)
        writer.raw("}\n")
        return writer.bytes
    }

    package static func request(_ id: RequestID, _ method: String, _ params: JSONObject) -> [UInt8] {
        var writer = opened(id, capacity: 256)
        writer.raw(",\"method\":")
        writer.write(method)
        if !params.isEmpty {
            writer.raw(",\"params\":")
            writer.write(params)
        }
        writer.raw("}\n")
        return writer.bytes
    }

    private static func opened(_ id: RequestID?, capacity: Int) -> JSONWriter {
        var writer = JSONWriter(capacity: capacity)
        writer.raw("{\"jsonrpc\":\"2.0\",\"id\":")
        switch id {
        case .integer(let number): writer.write(number)
        case .string(let text): writer.write(text)
        case nil: writer.raw("null")
        }
        return writer
    }
}
