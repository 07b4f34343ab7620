import assert from "node:assert/strict";
import { describeMistakes, parseSettings } from "../../../components/settings/parse.ts";
import { content, parse, raw } from "../../support/stack-files.ts";

/** A section as the text that the engine hands over, so that it may hold what no object literal can. */
function mistakesOfText(section: string, text: string): [string, string][] {
  const { mistakes } = parseSettings({
    values: { ...raw(content()).values, [section]: text },
    secrets: new Set(),
  });
  return (mistakes ?? []).map(({ key, found }) => [key, found]);
}

const UNKNOWN = "a key that is not known";

describe("hostile settings", () => {
  for (const name of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
    it(`are refused with the key ${name} at the top`, () => {
      const values = Object.fromEntries([...Object.entries(raw(content()).values), [name, "{}"]]);
      const { mistakes } = parseSettings({ values, secrets: new Set() });
      assert.deepEqual(
        mistakes?.map(({ key, found }) => [key, found]),
        [[name, UNKNOWN]],
      );
    });

    it(`are refused with the key ${name} in a section`, () => {
      assert.deepEqual(mistakesOfText("server", `{"chunking": {"${name}": {"minSize": 1}}}`), [
        [`server.chunking.${name}`, UNKNOWN],
      ]);
    });

    it(`are refused with the kind ${name}`, () => {
      assert.deepEqual(mistakesOfText("storage", `{"kind": "${name}"}`), [["storage.kind", `"${name}"`]]);
    });
  }

  it("reach no prototype", () => {
    mistakesOfText("storage", '{"__proto__": {"kind": "volume", "polluted": true}}');
    assert.equal(({} as { polluted?: true }).polluted, undefined);
  });

  it("do not inherit a kind", () => {
    assert.deepEqual(mistakesOfText("storage", '{"__proto__": {"kind": "volume"}}'), [
      ["storage.kind", "nothing"],
    ]);
  });

  const texts: Record<string, [text: string, found: string]> = {
    "broken JSON": ['{"kind": "garage"', '"{\\"kind\\": \\"garage\\""'],
    "JSON with a comma too many": ['{"kind": "volume",}', '"{\\"kind\\": \\"volume\\",}"'],
    "YAML in a text": ["kind: volume", '"kind: volume"'],
    "a list": ['[{"kind": "volume"}]', '[{"kind":"volume"}]'],
    "a number": ["7", '"7"'],
    true: ["true", '"true"'],
    null: ["null", '"null"'],
    "an empty text": ["", '""'],
    "a text of line breaks": ["\n\n", '"\\n\\n"'],
    "a text in another script": ["хранилище 🗄️", '"хранилище 🗄️"'],
    "a million characters": ["x".repeat(1_000_000), `"${"x".repeat(56)}...`],
    "brackets without end": ["[".repeat(10_000), `"${"[".repeat(56)}...`],
  };
  for (const [what, [text, found]] of Object.entries(texts)) {
    it(`are refused as one mistake: ${what}`, () => {
      assert.deepEqual(mistakesOfText("storage", text), [["storage", found]]);
    });
  }

  it("are refused where letters only look right", () => {
    // Cyrillic а; full-width digits; a zero-width space; a combining accent.
    for (const host of [
      "cаche.example.com",
      "cache１.example.com",
      "cache\u200b.example.com",
      "cache\u0301.example.com",
    ]) {
      const { mistakes } = parse(
        content({ gateway: { kind: "nginx", host, tls: { kind: "secret", name: "a" } } }),
      );
      assert.deepEqual(
        mistakes?.map(({ key }) => key),
        ["gateway.host"],
      );
    }
  });

  it("cannot write lines of their own into what is said about them", () => {
    const { mistakes } = parse(content({ "a\n  attic-stack:gateway\n": "x", namespace: "b\nallowed: all" }));
    const lines = describeMistakes("lab", "attic-stack", mistakes ?? []).split("\n");
    assert.equal(lines.length, 1 + 2 * 3 + 1);
  });

  it("are told off at once, however many keys are wrong", () => {
    const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, 1]));
    assert.equal(parse(content({ server: keys })).mistakes?.length, 5000);
  });

  it("are refused where they are nested deeper than any parser goes", () => {
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    assert.deepEqual(mistakesOfText("namespace", nested), [["namespace", "a value too deep to be shown"]]);
    assert.deepEqual(mistakesOfText("server", `{"tokenIssuer": ${nested}}`), [
      ["server.tokenIssuer", "a value too deep to be shown"],
    ]);
  });
});
