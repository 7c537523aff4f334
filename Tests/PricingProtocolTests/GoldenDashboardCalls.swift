extension GoldenCall {
    static let dashboard: [GoldenCall] = [
        takesNothing("dashboard.stats"),
        takesNothing("dashboard.categoryDistribution"),
        takesNothing("dashboard.supplierRevenue"),
        takesNothing("dashboard.monthlyRevenue"),
        GoldenCall("dashboard.vipUsers", [#"{"limit": 3}"#], [(#"{"limit": 0}"#, "/limit", "minimum")]),
        GoldenCall("dashboard.lowStock", [#"{"limit": 3}"#], [(#"{"limit": 501}"#, "/limit", "maximum")]),
        GoldenCall(
            "dashboard.priceTrends",
            ["{}", #"{"days": 7, "productId": 1}"#],
            [(#"{"days": 0}"#, "/days", "minimum"), (#"{"days": 367}"#, "/days", "maximum")]
        ),
    ]
}
