extension GoldenCall {
    static let audit: [GoldenCall] = [
        takesPage("audit.verify"),
        GoldenCall(
            "audit.repair",
            ["{}", #"{"apply": true, "reason": "month end"}"#],
            [(#"{"apply": 1}"#, "/apply", "type"), (#"{"dryRun": true}"#, "/dryRun", "unknown")]
        ),
    ]
}
