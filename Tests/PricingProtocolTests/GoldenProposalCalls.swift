extension GoldenCall {
    static let proposal: [GoldenCall] = [
        takesPage("proposal.list", [#"{"status": "open"}"#, #"{"productIds": [1], "ruleId": 1, "categoryId": 1}"#]),
        GoldenCall(
            "proposal.approve",
            [#"{"proposalId": 1}"#, #"{"proposalId": 1, "price": "12.50", "reason": "as planned"}"#],
            [
                ("{}", "/proposalId", "required"), (#"{"proposalId": 0}"#, "/proposalId", "minimum"),
                (#"{"proposalId": 1, "price": "0.00"}"#, "/price", "minimum"),
                (#"{"proposalId": 1, "price": 12.5}"#, "/price", "type"),
            ]
        ),
        GoldenCall(
            "proposal.reject",
            [#"{"proposalId": 1}"#, #"{"proposalId": 1, "reason": "too dear"}"#],
            [
                ("{}", "/proposalId", "required"), (#"{"proposalId": "1"}"#, "/proposalId", "type"),
                (#"{"proposalId": 1, "reason": 5}"#, "/reason", "type"),
            ]
        ),
    ]
}
