extension GoldenCall {
    /// Calls of the audit, of reports, and of what proves things about rules.
    static let proofs: [GoldenCall] = [
        takesPage("audit.verify"),
        GoldenCall(
            "report.run",
            [#"{"name": "products", "limit": 10}"#],
            [("{}", "/name", "required"), (#"{"name": "a", "limit": 10001}"#, "/limit", "maximum")]
        ),
        GoldenCall(
            "audit.repair",
            ["{}", #"{"apply": true, "reason": "month end"}"#],
            [(#"{"apply": 1}"#, "/apply", "type"), (#"{"dryRun": true}"#, "/dryRun", "unknown")]
        ),
        GoldenCall(
            "rule.lint",
            [
                "{}", #"{"ruleId": 1}"#,
                #"{"strategy": "bands", "parameters": {"basis": "current", "up": 0.1}, "lowStock": 10, "highStock": 100, "normalOrder": 3}"#,
            ],
            [
                (#"{"strategy": "magic"}"#, "/strategy", "choice"),
                (#"{"parameters": {"basis": "last"}}"#, "/parameters/basis", "choice"),
                (#"{"normalOrder": 0}"#, "/normalOrder", "minimum"),
            ]
        ),
        takesID(
            "rule.backtest",
            "ruleId",
            [
                (#"{"ruleId": 1, "from": "then"}"#, "/from", "format"),
                (#"{"ruleId": 1, "productIds": []}"#, "/productIds", "length"),
                (#"{"ruleId": 1, "limit": 501}"#, "/limit", "maximum"),
            ]
        ),
    ]
}
