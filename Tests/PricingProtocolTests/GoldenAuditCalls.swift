extension GoldenCall {
    static let audit: [GoldenCall] = [
        takesPage("audit.verify"),
        takesPage("audit.trail", [#"{"productId": 1, "ruleId": 1, "actor": "ann", "to": "2031-01-01T00:00:00Z"}"#]),
        GoldenCall(
            "audit.repair",
            ["{}", #"{"apply": true, "reason": "month end"}"#],
            [(#"{"apply": 1}"#, "/apply", "type"), (#"{"dryRun": true}"#, "/dryRun", "unknown")]
        ),
    ]
}
