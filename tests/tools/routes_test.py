"""tools/generate_routes.py: what the contract says of operations that are going away becomes header values."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tools"))
import generate_routes  # noqa: E402


def operation(**more):
    return {"operationId": "getOld", "x-stella-scope": "orch:read", "x-stella-tenant": "required",
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Old"}}}}}, **more}


class Retirement(unittest.TestCase):
    def row(self, **more):
        made = generate_routes.header({"paths": {"/api/v1/old/{id}": {"get": operation(**more)}}})
        return [line for line in made.splitlines() if "ROW(ROUTE_GET_OLD" in line][0]

    def test_an_operation_that_stays_says_nothing(self):
        self.assertTrue(self.row().endswith(
            '"</openapi.json#/components/schemas/Old>; rel=\\"describedby\\"", NULL, NULL, NULL)'), self.row())

    def test_dates_have_the_forms_of_their_documents(self):
        row = self.row(deprecated=True, **{"x-stella-deprecated-at": 1767225600, "x-stella-sunset-at": 1782864000,
                                           "x-stella-successor": "/api/v2/old"})
        self.assertTrue(row.endswith('"@1767225600", "Wed, 01 Jul 2026 00:00:00 GMT", '
                                     '"</api/v2/old>; rel=\\"successor-version\\"")'), row)

    def test_a_contract_that_contradicts_itself_is_refused(self):
        for more in ({"deprecated": True}, {"x-stella-deprecated-at": 5}, {"x-stella-sunset-at": 5},
                     {"deprecated": True, "x-stella-deprecated-at": 9, "x-stella-sunset-at": 5}):
            with self.assertRaises(SystemExit):
                self.row(**more)


if __name__ == "__main__":
    unittest.main()
