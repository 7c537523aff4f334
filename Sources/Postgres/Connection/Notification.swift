/// One NOTIFY that arrived.
package struct Notification: Sendable, Hashable {
    /// The channel that was listened to.
    package let channel: String
    /// The sender's text, empty when it gave none.
    package let payload: String
}
