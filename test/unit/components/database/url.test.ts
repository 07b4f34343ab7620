import assert from "node:assert/strict";
import fc from "fast-check";
import { withVerifiedTls } from "../../../../components/database/database.ts";

const TLS = "sslmode=verify-full&sslrootcert=/etc/attic-database/ca.crt";

describe("a database's URL with TLS", () => {
  const cases: [from: string, to: string][] = [
    ["postgres://a:b@db/attic", `postgres://a:b@db/attic?${TLS}`],
    ["postgresql://a:b@db:6432/attic", `postgresql://a:b@db:6432/attic?${TLS}`],
    ["postgres://a:b@db/attic?connect_timeout=5", `postgres://a:b@db/attic?connect_timeout=5&${TLS}`],
    [
      "postgres://a:b@db/attic?sslmode=require",
      "postgres://a:b@db/attic?sslmode=require&sslrootcert=/etc/attic-database/ca.crt",
    ],
    [
      "postgres://a:b@db/attic?sslrootcert=/ca.pem",
      "postgres://a:b@db/attic?sslrootcert=/ca.pem&sslmode=verify-full",
    ],
    ["postgres://a:p%2Fw%40@db/attic", `postgres://a:p%2Fw%40@db/attic?${TLS}`],
  ];
  for (const [from, to] of cases) {
    it(`is checked in full: ${from}`, () => {
      assert.equal(withVerifiedTls(from), to);
    });
  }

  it("keeps user, password, host and database, whatever they hold", () => {
    const encoded = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .map((text) =>
        encodeURIComponent(text).replace(
          /[!'()*]/g,
          (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
        ),
      );
    const host = fc.stringMatching(/^[a-z]{1,10}(\.[a-z]{1,5})?$/);
    fc.assert(
      fc.property(encoded, encoded, host, encoded, (user, password, name, database) => {
        const url = `postgres://${user}:${password}@${name}:5432/x${database}`;
        assert.equal(withVerifiedTls(url), `${url}?${TLS}`);
      }),
    );
  });

  it("is the same when it is made so twice", () => {
    const once = withVerifiedTls("postgres://a:b@db/attic");
    assert.equal(withVerifiedTls(once), once);
  });
});
