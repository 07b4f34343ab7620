import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { readProvision } from "../../../components/attic/provision.ts";
import { cacheName } from "../../support/arbitraries.ts";

const tokenName = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const retention = fc.oneof(fc.constantFrom("never", "default", "7d", "30d", "1y"), fc.constant(undefined));
const file = fc.record({
  server_url: fc.webUrl(),
  admin_token: fc.string(),
  caches: fc.uniqueArray(
    fc.record(
      { name: cacheName, public: fc.boolean(), retention_period: retention },
      { requiredKeys: ["name"] },
    ),
    { selector: ({ name }) => name },
  ),
  tokens: fc.uniqueArray(
    fc
      .record({ name: tokenName, cache: cacheName, read: fc.boolean(), write: fc.boolean() })
      .map((token) => ({
        ...token,
        read: token.read || !token.write,
      })),
    { selector: ({ name }) => name },
  ),
});
/** Ways of writing the same: block or flow, with quotes or without where YAML lets it. */
const style = fc.record({
  collectionStyle: fc.constantFrom("block" as const, "flow" as const),
  defaultStringType: fc.constantFrom("PLAIN" as const, "QUOTE_DOUBLE" as const, "QUOTE_SINGLE" as const),
  indent: fc.integer({ min: 1, max: 8 }),
});

describe("generated files of attic-provision", () => {
  it("are read back as they were written, whatever their style", () => {
    fc.assert(
      fc.property(file, style, (written, options) => {
        const { provision, mistakes } = readProvision(stringify(written, options), "a.yaml");
        assert.deepEqual(mistakes, undefined);
        assert.equal(provision.serverUrl, written.server_url);
        assert.deepEqual(
          provision.caches.map((cache) => [cache.name, cache.public, cache.retention]),
          written.caches.map((cache) => [
            cache.name,
            cache.public ?? false,
            cache.retention_period ?? "default",
          ]),
        );
        assert.deepEqual(
          provision.tokens.map(({ name, permissions }) => ({ name, permissions })),
          written.tokens.map(({ name, cache, read, write }) => ({
            name,
            permissions: [{ cache, allow: [...(read ? ["pull"] : []), ...(write ? ["push"] : [])] }],
          })),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("are told of by the line that is wrong", () => {
    fc.assert(
      fc.property(file, fc.nat(), (written, pick) => {
        fc.pre(written.caches.length > 0);
        const lines = stringify({ ...written, admin_token: "x" }).split("\n");
        const names = lines.flatMap((line, index) => (/^ {2}- name: /.test(line) ? [index] : []));
        const at = names[pick % names.length]!;
        lines[at] = "  - name: [a]";
        const { mistakes } = readProvision(lines.join("\n"), "a.yaml");
        assert.deepEqual(
          mistakes?.map(({ place, found }) => ({ place, found })),
          [{ place: { file: "a.yaml", line: at + 1, column: 11 }, found: "a list" }],
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe("any text at all in place of a file of attic-provision", () => {
  const fragment = fc.constantFrom(
    ..."server_url:|admin_token:|caches:|tokens:|- |  |\n|\t|name: |cache: |read: true|public: |{|}|[|]|,|: |&a |*a|!x |%YAML 1.1\n|---\n|...\n|? |'|\"|#|<<: |~|null|\u0000|\u2028|ü|🗄|>\n|\\|\n|__proto__: ".split(
      /(?<!\\)\|/,
    ),
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.tuple(file, fc.nat(), fc.nat(10), fragment).map(([written, at, count, added]) => {
      const whole = stringify(written);
      const from = at % whole.length;
      return whole.slice(0, from) + added + whole.slice(from + count);
    }),
    fc.json().map((json) => json),
  );

  it("is answered with what it says, or with mistakes that have a place in it", () => {
    fc.assert(
      fc.property(text, (given) => {
        const { provision, mistakes } = readProvision(given, "a.yaml");
        assert.notEqual(provision === undefined, mistakes === undefined);
        const lines = given.split(/\r\n|\n/);
        assert.notEqual(mistakes?.length, 0);
        for (const { key, found, allowed, place } of mistakes ?? []) {
          assert.ok(key !== "" && found !== "" && allowed !== "");
          assert.ok(!allowed.startsWith("Invalid"), allowed);
          assert.equal(place?.file, "a.yaml");
          assert.ok(place.line >= 1 && place.line <= lines.length, `line ${place.line} of ${lines.length}`);
          assert.ok(place.column >= 1 && place.column <= (lines[place.line - 1]?.length ?? 0) + 1);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
