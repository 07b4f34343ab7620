import assert from "node:assert/strict";
import fc from "fast-check";
import { describeMistakes, parseSettings } from "../../../components/settings/parse.ts";
import type { Settings } from "../../../components/settings/schema.ts";
import { rightContent } from "../../support/arbitraries.ts";
import { type Content, parse, raw } from "../../support/stack-files.ts";

const SECRETS = ["databaseUrl", "storageAccessKeyId", "storageSecretAccessKey", "cacheKeypairs"];
const RUNS = { numRuns: 300 };

function accepted(file: Content): Settings {
  const { settings, mistakes } = parse(file);
  assert.equal(mistakes, undefined, JSON.stringify(mistakes));
  return settings;
}

type Step = string | number;

/** The paths of all leaves of a value. */
function leaves(value: unknown, path: Step[] = []): Step[][] {
  if (typeof value !== "object" || value === null) return [path];
  if (Array.isArray(value)) return value.flatMap((inner, index) => leaves(inner, [...path, index]));
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** The paths of all objects in a value, which may be the value itself. */
function objects(value: unknown, path: Step[] = []): Step[][] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((inner, index) => objects(inner, [...path, index]));
  return [path, ...Object.entries(value).flatMap(([key, inner]) => objects(inner, [...path, key]))];
}

/** A copy of `value` in which something else stands at a path. */
function replaced(value: unknown, path: readonly Step[], change: (old: unknown) => unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return change(value);
  const copy = structuredClone(value) as Record<Step, unknown>;
  copy[head] = replaced(copy[head], rest, change);
  return copy;
}

const keyOf = (path: readonly Step[]): string =>
  path.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${step}`)).join("");

const withoutSecrets = (file: Content): Content =>
  Object.fromEntries(Object.entries(file).filter(([key]) => !SECRETS.includes(key)));

describe("generated settings", () => {
  it("are accepted where they are right", () => {
    fc.assert(
      fc.property(rightContent, (file) => void accepted(file)),
      RUNS,
    );
  });

  it("keep what was given and read the same once their defaults are filled in", () => {
    fc.assert(
      fc.property(rightContent, (file) => {
        const settings = accepted(file);
        const secrets = Object.fromEntries(Object.entries(file).filter(([key]) => SECRETS.includes(key)));
        assert.deepEqual(accepted({ ...settings, ...secrets }), settings);
        for (const path of leaves(withoutSecrets(file))) {
          const given = path.reduce<unknown>((value, step) => (value as Content)[step], file);
          const read = path.reduce<unknown>((value, step) => (value as Content)[step], settings);
          assert.equal(read, given, keyOf(path));
        }
      }),
      RUNS,
    );
  });

  it("with one unknown key give the one mistake that names it", () => {
    const name = fc.stringMatching(/^zz[a-zA-Z]{1,12}$/);
    fc.assert(
      fc.property(rightContent, name, fc.nat(), fc.jsonValue(), (file, added, pick, value) => {
        const places = objects(withoutSecrets(file));
        const place = places[pick % places.length]!;
        const wrong = replaced(file, place, (old) => ({ ...(old as Content), [added]: value })) as Content;
        const { mistakes } = parse(wrong);
        assert.deepEqual(
          mistakes?.map(({ key, found }) => ({ key, found })),
          [{ key: keyOf([...place, added]), found: "a key that is not known" }],
        );
      }),
      RUNS,
    );
  });

  it("with one leaf of a wrong type give the one mistake that names it", () => {
    fc.assert(
      fc.property(rightContent, fc.nat(), (file, pick) => {
        // A text at the top is a text whatever it says.
        const { namespace: _, connection: __, ...sections } = withoutSecrets(file);
        const paths = leaves(sections);
        const path = paths[pick % paths.length]!;
        const wrong = replaced(file, path, (old) => (typeof old === "string" ? 7 : String(old))) as Content;
        const { mistakes } = parse(wrong);
        assert.deepEqual(
          mistakes?.map(({ key }) => key),
          [keyOf(path)],
        );
        const old = path.reduce<unknown>((value, step) => (value as Content)[step], file);
        assert.equal(mistakes[0]!.found, typeof old === "string" ? "7" : `"${String(old)}"`);
      }),
      RUNS,
    );
  });
});

describe("any input at all", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.constantFrom("[{}]", '[{"name":"a","permissions":[{}]}]', '{"a":"b:AAAA"}', '{"__proto__":"x:"}'),
    fc.constantFrom("{", "[", '{"kind":', '{"__proto__":{"kind":"garage"}}', "null", "true", "0", "{}", "[]"),
    rightContent.chain((file) =>
      fc.constantFrom(...Object.values(file).map((value) => JSON.stringify(value))),
    ),
  );
  const key = fc.oneof(
    fc.constantFrom("namespace", "protectData", "gateway", "server", "database", "storage"),
    fc.constantFrom("caches", "tokens", "connection", "provision", ...SECRETS),
    fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"),
    fc.string({ unit: "binary" }),
  );
  const input = fc.record({
    values: fc.array(fc.tuple(key, text), { maxLength: 8 }).map((entries) => Object.fromEntries(entries)),
    secrets: fc.array(key, { maxLength: 4 }).map((keys) => new Set(keys)),
  });

  it("is never answered with an exception, and every mistake has all its parts", () => {
    fc.assert(
      fc.property(input, (config) => {
        const { mistakes } = parseSettings(config);
        for (const mistake of mistakes ?? []) {
          assert.deepEqual(Object.keys(mistake), ["key", "found", "allowed"]);
          for (const part of Object.values(mistake)) assert.notEqual(part, "");
        }
        assert.equal(typeof describeMistakes("lab", "attic-stack", mistakes ?? []), "string");
      }),
      { numRuns: 2000 },
    );
  });

  it("never has a secret's value in what is said about it", () => {
    const wrong = fc.constantFrom<Content>(
      {},
      { gateway: undefined },
      { server: { replicas: "x" } },
      { database: { kind: "existing" } },
      { database: { kind: "postgres" } },
      { storage: { kind: "existing" } },
      { unknown: 1 },
      { caches: [{ name: "main" }, { name: "main" }] },
    );
    const keypairs = (value: string) =>
      fc.constantFrom(
        value,
        `{"${value}": "a"}`,
        `{"main": "${value}"}`,
        `{"main": "main-1:${value}"}`,
        `["${value}"`,
      );
    const confidential = fc.stringMatching(/^[A-Za-z0-9+/=@:. -]{12,40}$/).map((value) => `S3CR3T${value}`);
    fc.assert(
      fc.property(
        rightContent,
        wrong,
        fc.record({
          databaseUrl: confidential,
          storageAccessKeyId: confidential,
          storageSecretAccessKey: confidential,
          cacheKeypairs: confidential.chain(keypairs),
        }),
        fc.subarray([...SECRETS, "server", "storage"]),
        (file, over, secrets, encrypted) => {
          const stackFile = { ...file, ...secrets, ...over };
          const { mistakes } = parseSettings(raw(stackFile, encrypted));
          assert.ok(mistakes !== undefined);
          assert.ok(!describeMistakes("lab", "attic-stack", mistakes).includes("S3CR3T"));
        },
      ),
      RUNS,
    );
  });
});
