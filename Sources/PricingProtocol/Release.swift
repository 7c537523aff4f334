/// What this build calls itself: `--version` of every program, `session.hello`, `server.status`, the OpenRPC document.
package enum Release {
    package static let version = "0.1.0"
}
