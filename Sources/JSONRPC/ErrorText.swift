package import JSON

/// An error whose text is made once and sent many times. Under overload most replies are refusals that say the same, and
/// to make the text would be the greater part of what each of them costs.
package struct ErrorText: Sendable {
    package let error: RPCError
    /// The member `error` of a reply.
    package let text: JSONText

    package init(_ error: RPCError) {
        self.error = error
        text = JSONText(error.json)
    }
}
