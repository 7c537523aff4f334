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
        GoldenCall(
            "login.open",
            [#"{"email": "a@b", "password": "x"}"#, #"{"email": "a@b", "password": "", "address": "10.0.0.1"}"#],
            [
                (#"{"email": "a@b"}"#, "/password", "required"),
                (#"{"email": "a@b", "password": "x", "address": ""}"#, "/address", "length"),
            ]
        ),
        GoldenCall(
            "login.get",
            ["{}", #"{"token": "t"}"#],
            [(#"{"token": ""}"#, "/token", "length"), (#"{"login": "t"}"#, "/login", "unknown")]
        ),
        GoldenCall(
            "login.close",
            ["{}", #"{"token": "t"}"#, #"{"loginId": 1}"#, #"{"userId": 1}"#],
            [(#"{"loginId": "1"}"#, "/loginId", "type")]
        ),
        GoldenCall(
            "login.list",
            [#"{"userId": 1, "limit": 500}"#],
            [("{}", "/userId", "required"), (#"{"userId": 1, "limit": 0}"#, "/limit", "minimum")]
        ),
    ]
}
