extension GoldenCall {
    static let supplier: [GoldenCall] = [
        takesPage("supplier.list"),
        takesID("supplier.get", "supplierId"),
        takesID("supplier.delete", "supplierId"),
        GoldenCall(
            "supplier.create",
            [
                #"{"companyName": "A"}"#,
                #"{"companyName": "A", "contactEmail": null, "taxNumber": "1", "address": ""}"#,
            ],
            [("{}", "/companyName", "required"), (#"{"companyName": "A", "taxNumber": ""}"#, "/taxNumber", "length")]
        ),
        takesID(
            "supplier.update",
            "supplierId",
            [(#"{"supplierId": 1, "companyName": null}"#, "/companyName", "type")]
        ),
    ]
}
