extension GoldenCall {
    /// A scenario without its last brace.
    private static let scenario =
        #"{"name": "a", "horizon_days": 2.5, "customers_per_day": 4, "demand": "linear(9)", "base": 5"#

    static let lab: [GoldenCall] = [
        GoldenCall(
            "lab.run",
            [
                #"{"scenarios": [\#(scenario), "stock": 5}], "policies": ["learn_calm"], "seasons": 1}"#,
                #"{"scenarios": [\#(scenario), "stock": 5, "note": "x"}], "policies": ["a"], "seasons": 1, "seed": 7}"#,
            ],
            [
                (#"{"policies": ["a"], "seasons": 1}"#, "/scenarios", "required"),
                (#"{"scenarios": [], "policies": ["a"], "seasons": 1}"#, "/scenarios", "length"),
                (
                    #"{"scenarios": [\#(scenario), "stock": 0}], "policies": ["a"], "seasons": 1}"#,
                    "/scenarios/0/stock", "minimum"
                ),
                (#"{"scenarios": [\#(scenario), "stock": 5}], "policies": [], "seasons": 1}"#, "/policies", "length"),
            ]
        )
    ]
}
