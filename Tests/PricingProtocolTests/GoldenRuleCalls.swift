extension GoldenCall {
    static let rule: [GoldenCall] = [
        takesPage("rule.list", [#"{"status": "draft"}"#, #"{"ruleId": 1}"#]),
        takesID("rule.get", "ruleId"),
        GoldenCall(
            "rule.create",
            [
                #"{"name": "a", "strategy": "bands"}"#,
                #"{"name": "a", "strategy": "learn", "parameters": {"coverDays": 14, "cooldownSeconds": 3600}}"#,
                #"{"name": "a", "strategy": "markdown", "parameters": {"neverUp": true}}"#,
                #"{"name": "a", "strategy": "manual", "preset": "agile", "parameters": {"up": 0.2, "down": 0, "dailyCap": null}}"#,
            ],
            [
                (#"{"name": "a"}"#, "/strategy", "required"),
                (#"{"name": "a", "strategy": "magic"}"#, "/strategy", "choice"),
                (
                    #"{"name": "a", "strategy": "cover", "parameters": {"coverDays": 0}}"#, "/parameters/coverDays",
                    "minimum"
                ),
                (#"{"name": "a", "strategy": "bands", "parameters": {"up": 1.01}}"#, "/parameters/up", "maximum"),
                (#"{"name": "a", "strategy": "bands", "parameters": {"up": 1e400}}"#, "/parameters/up", "maximum"),
                (#"{"name": "a", "strategy": "bands", "parameters": {"up": "0.1"}}"#, "/parameters/up", "type"),
                (
                    #"{"name": "a", "strategy": "bands", "parameters": {"dailyCap": 0}}"#, "/parameters/dailyCap",
                    "minimum"
                ),
                (#"{"name": "a", "strategy": "bands", "parameters": {"speed": 1}}"#, "/parameters/speed", "unknown"),
            ]
        ),
        takesID("rule.retire", "ruleId"),
        GoldenCall(
            "rule.revise",
            [
                #"{"ruleId": 1, "parameters": {"up": 0.2}}"#,
                #"{"ruleId": 1, "parameters": {"dailyCap": null}, "note": "bolder"}"#,
            ],
            [
                (#"{"ruleId": 1}"#, "/parameters", "required"),
                (#"{"parameters": {}}"#, "/ruleId", "required"),
                (#"{"ruleId": 1, "parameters": {"up": 1.01}}"#, "/parameters/up", "maximum"),
                (#"{"ruleId": 1, "parameters": {"speed": 1}}"#, "/parameters/speed", "unknown"),
            ]
        ),
        takesID("rule.activate", "ruleId", [(#"{"ruleId": 1, "productIds": []}"#, "/productIds", "length")]),
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
