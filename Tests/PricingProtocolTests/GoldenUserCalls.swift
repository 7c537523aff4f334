extension GoldenCall {
    static let user: [GoldenCall] = [
        takesPage("user.list", [#"{"search": "a", "role": "seller"}"#]),
        takesID("user.get", "userId"),
        takesID("user.delete", "userId"),
        GoldenCall(
            "user.create",
            [
                #"{"fullName": "A", "email": "a@b"}"#,
                #"{"fullName": "A", "email": "a@b", "phoneNumber": null, "password": "12345678"}"#,
            ],
            [
                (#"{"fullName": "A"}"#, "/email", "required"),
                (#"{"fullName": "A", "email": "a@"}"#, "/email", "length"),
                (#"{"fullName": "A", "email": "a@b", "role": "root"}"#, "/role", "choice"),
                (#"{"fullName": "A", "email": "a@b", "password": "1234567"}"#, "/password", "length"),
                (#"{"fullName": "A\u202eB", "email": "a@b"}"#, "/fullName", "characters"),
                (#"{"fullName": "A", "email": "a@b", "passwordHash": "x"}"#, "/passwordHash", "unknown"),
            ]
        ),
        takesID("user.update", "userId", [(#"{"userId": 1, "email": null}"#, "/email", "type")]),
        GoldenCall(
            "user.changePassword",
            [#"{"userId": 1, "old": "12345678", "new": "87654321"}"#],
            [(#"{"userId": 1, "old": "12345678"}"#, "/new", "required")]
        ),
        GoldenCall(
            "user.authenticate",
            [#"{"email": "a@b", "password": "x"}"#],
            [(#"{"email": "a@b"}"#, "/password", "required")]
        ),
    ]
}
