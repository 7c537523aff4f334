extension GoldenCall {
    private static let week = #""startsAt": "2031-03-01T00:00:00+01:00", "endsAt": "2031-03-08T00:00:00+01:00""#

    private static let claims: [(params: String, path: String, rule: String)] = [
        (#"{"productId": 1}"#, "/percentOff", "required"),
        (#"{"productId": 1, "percentOff": 95.1}"#, "/percentOff", "maximum"),
        (#"{"productId": 1, "percentOff": -1}"#, "/percentOff", "minimum"),
        (#"{"productId": 1, "percentOff": "20"}"#, "/percentOff", "type"),
        (#"{"percentOff": 20}"#, "/productId", "required"),
    ]

    static let campaign: [GoldenCall] = [
        takesPage("campaign.list", [#"{"status": "running"}"#, #"{"productId": 1}"#, #"{"categoryId": 1}"#]),
        takesID("campaign.get", "campaignId"),
        GoldenCall(
            "campaign.create",
            [
                #"{"name": "Sale", "categoryId": 1, "percentOff": 20, \#(week)}"#,
                #"{"name": "Sale", "productIds": [1, 2], "percentOff": 12.5, \#(week)}"#,
                #"{"name": "Sale", "all": true, "percentOff": 0.5, "endsAt": "2031-03-08T00:00:00Z"}"#,
                #"{"name": "Sale", "prices": [{"productId": 1, "price": "9.90"}], \#(week)}"#,
            ],
            [
                (#"{"categoryId": 1, "percentOff": 20, \#(week)}"#, "/name", "required"),
                (#"{"name": "Sale", "all": true, "percentOff": 20}"#, "/endsAt", "required"),
                (#"{"name": "Sale", "all": true, "percentOff": 96, \#(week)}"#, "/percentOff", "maximum"),
                (#"{"name": "Sale", "productIds": [], "percentOff": 20, \#(week)}"#, "/productIds", "length"),
                (
                    #"{"name": "Sale", "prices": [{"productId": 1}], \#(week)}"#, "/prices/0/price",
                    "required"
                ),
                (#"{"name": "Sale", "all": true, "percentOff": 20, "endsAt": "2031-03-08"}"#, "/endsAt", "format"),
                (
                    #"{"name": "Sale", "all": true, "percentOff": 20, "endsAt": "2031-03-08T00:00:00"}"#, "/endsAt",
                    "format"
                ),
                (
                    #"{"name": "Sale", "all": true, "startsAt": "2031-03-01", "endsAt": "2031-03-08T00:00:00Z"}"#,
                    "/startsAt", "format"
                ),
            ]
        ),
        takesID("campaign.end", "campaignId"),
        GoldenCall("claim.check", [#"{"productId": 1, "percentOff": 20}"#], claims),
        GoldenCall("claim.plan", [#"{"productId": 1, "percentOff": 33.3}"#], claims),
    ]
}
