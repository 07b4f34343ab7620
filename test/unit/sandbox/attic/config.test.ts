import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { after, describe, it } from "mocha";
import { stringify, type TomlTable } from "smol-toml";
import { serverToml } from "../../../../components/server/toml.ts";
import { readArguments } from "../../../../sandbox/attic/arguments.ts";
import { readDuration } from "../../../../sandbox/attic/config/duration.ts";
import { type Config, loadConfig } from "../../../../sandbox/attic/config/load.ts";
import { rightContent } from "../../../support/arbitraries.ts";
import { makeKey } from "../../../support/attic-server.ts";
import { settingsOf } from "../../../support/stack-files.ts";

const RSA = makeKey("RS256").secret;
const HMAC = makeKey("HS256").secret;
const ENV = {
  ATTIC_SERVER_DATABASE_URL: "postgres://u:a-password@h/d",
  ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64: RSA,
};
const MINIMAL = {
  database: {},
  storage: { type: "local", path: "/x" },
  chunking: { "nar-size-threshold": 1, "min-size": 2, "avg-size": 3, "max-size": 4 },
};

const folder = mkdtempSync(join(tmpdir(), "attic-stack-config-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function load(toml: TomlTable | string, env: NodeJS.ProcessEnv = ENV, listen?: string): Config {
  const file = join(folder, "server.toml");
  writeFileSync(file, typeof toml === "string" ? toml : stringify(toml));
  return loadConfig({ config: file, mode: "check-config", ...(listen !== undefined && { listen }) }, env);
}

describe("the stand-in's configuration", () => {
  it("has Attic's own defaults", () => {
    const { databaseUrl: _url, signingKey: _key, ...config } = load(MINIMAL);
    assert.deepEqual(config, {
      ...MINIMAL,
      listen: { text: "[::]:8080", host: "::", port: 8080 },
      "allowed-hosts": [],
      "soft-delete-caches": false,
      "require-proof-of-possession": true,
      "max-nar-info-size": 1_048_576,
      database: { heartbeat: false },
      compression: { type: "zstd", level: 8 },
      "garbage-collection": { interval: 43_200, "default-retention-period": 0 },
      jwt: {},
    });
  });

  it("takes whatever the stack writes, but for xz", () => {
    fc.assert(
      fc.property(rightContent, (content) => {
        const { server: settings } = settingsOf(content);
        const args = {
          settings,
          apiEndpoint: "https://cache.example.com/",
          allowedHosts: ["cache.example.com"],
        };
        const s3 = { type: "s3", bucket: "b", region: "r", endpoint: "https://s3.example.com" } as const;
        for (const store of [s3, { type: "local" } as const]) {
          const toml = serverToml({ ...args, store });
          if (settings.compression.type === "xz") assert.throws(() => load(toml), /use zstd/);
          else assert.equal(load(toml)["api-endpoint"], args.apiEndpoint);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("may stand in a variable, as base64, where no file is named", () => {
    const encoded = Buffer.from(stringify(MINIMAL)).toString("base64");
    const env = { ...ENV, ATTIC_SERVER_CONFIG_BASE64: encoded };
    assert.deepEqual(loadConfig({ mode: "check-config" }, env).storage, MINIMAL.storage);
    assert.throws(
      () => loadConfig({ mode: "check-config" }, { ...env, ATTIC_SERVER_CONFIG_BASE64: `${encoded}\n` }),
      /ATTIC_SERVER_CONFIG_BASE64 is not base64 in one piece/,
    );
    assert.throws(
      () => loadConfig({ mode: "check-config" }, ENV),
      /There is no configuration: name a file by -f/,
    );
    assert.throws(
      () => loadConfig({ config: "/nonesuch", mode: "check-config" }, env),
      /\/nonesuch cannot be read: ENOENT/,
    );
  });

  const REFUSED: Readonly<Record<string, [toml: TomlTable, words: RegExp]>> = {
    "an unknown key at the top": [{ ...MINIMAL, colour: 1 }, /top level: Unrecognized key: "colour"/],
    "the old place of the token's key": [
      { ...MINIMAL, "token-hs256-secret-base64": HMAC },
      /Unrecognized key/,
    ],
    "no database": [{ storage: MINIMAL.storage, chunking: MINIMAL.chunking }, /database: /],
    "no storage": [{ database: {}, chunking: MINIMAL.chunking }, /storage: /],
    "no chunking": [{ database: {}, storage: MINIMAL.storage }, /chunking: /],
    "an unknown storage": [{ ...MINIMAL, storage: { type: "ftp" } }, /storage\.type: /],
    "a bucket without a region": [{ ...MINIMAL, storage: { type: "s3", bucket: "b" } }, /storage\.region: /],
    "half of the chunking": [{ ...MINIMAL, chunking: { "min-size": 1 } }, /chunking\.max-size: /],
    "a size below nothing": [{ ...MINIMAL, "max-nar-info-size": -1 }, /max-nar-info-size: /],
    "an address with a name": [
      { ...MINIMAL, listen: "localhost:8080" },
      /listen: is not an address with a port/,
    ],
    "an address without a port": [{ ...MINIMAL, listen: "[::]" }, /listen: is not an address with a port/],
    "an address that is none": [
      { ...MINIMAL, listen: "1.2.3.400:80" },
      /listen: is not an address with a port/,
    ],
    "a port that is none": [{ ...MINIMAL, listen: "[::]:65536" }, /listen: is not an address with a port/],
    "a time without a unit": [
      { ...MINIMAL, "garbage-collection": { interval: "12" } },
      /garbage-collection\.interval: is not a time/,
    ],
    "a compression without a type": [{ ...MINIMAL, compression: { level: 3 } }, /compression\.type: /],
    "a compression that it cannot": [
      { ...MINIMAL, compression: { type: "xz" } },
      /compression\.type: xz is what atticd can and this stand-in cannot: use zstd/,
    ],
  };
  for (const [what, [toml, words]] of Object.entries(REFUSED)) {
    it(`refuses ${what}, by its place`, () => {
      assert.throws(() => load(toml), words);
    });
  }

  it("takes no notice of keys in tables that it does not know, as the real server does not", () => {
    assert.equal(load({ ...MINIMAL, database: { colour: 1 }, jwt: { colour: 1 } }).database.heartbeat, false);
  });

  it("refuses what is no TOML, and shows nothing of it", () => {
    const text = 'storage = "a-password\n';
    assert.throws(
      () => load(text),
      ({ message }: Error) => message.includes("is not TOML") && !message.includes("a-password"),
    );
  });

  it("takes the database's URL from the file first, and does not go without", () => {
    assert.equal(load(MINIMAL).databaseUrl, ENV.ATTIC_SERVER_DATABASE_URL);
    assert.equal(load({ ...MINIMAL, database: { url: "postgres://here" } }).databaseUrl, "postgres://here");
    assert.throws(
      () => load(MINIMAL, { ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64: RSA }),
      /^UserError: Neither database\.url nor ATTIC_SERVER_DATABASE_URL is set/,
    );
  });

  it("lets the command line say where to listen", () => {
    assert.deepEqual(load(MINIMAL, ENV, "127.0.0.1:1").listen, {
      ...{ text: "127.0.0.1:1", host: "127.0.0.1", port: 1 },
    });
    assert.throws(() => load(MINIMAL, ENV, "here"), /--listen here is not an address/);
  });
});

describe("the key by which the stand-in checks tokens", () => {
  const key = (env: NodeJS.ProcessEnv, signing?: TomlTable) =>
    load(
      { ...MINIMAL, ...(signing && { jwt: { signing } }) },
      { ATTIC_SERVER_DATABASE_URL: "postgres://h", ...env },
    ).signingKey;
  const publicPem = createPublicKey(Buffer.from(RSA, "base64").toString()).export({
    type: "pkcs1",
    format: "pem",
  });
  const PUBLIC = Buffer.from(publicPem).toString("base64");
  const RS = "ATTIC_SERVER_TOKEN_RS256_SECRET_BASE64";
  const HS = "ATTIC_SERVER_TOKEN_HS256_SECRET_BASE64";
  const PUB = "ATTIC_SERVER_TOKEN_RS256_PUBKEY_BASE64";

  it("is the public one, the RSA one, or the HMAC one, whichever comes first", () => {
    assert.equal(key({ [HS]: HMAC }).algorithm, "HS256");
    assert.equal(key({ [HS]: HMAC, [RS]: RSA }).algorithm, "RS256");
    assert.equal(key({ [HS]: HMAC, [PUB]: PUBLIC }).algorithm, "RS256");
    assert.equal(key({ [HS]: HMAC, [RS]: "", [PUB]: "" }).algorithm, "HS256");
    assert.ok(key({ [RS]: RSA }).key.equals(key({ [PUB]: PUBLIC }).key));
    assert.equal(key({ [RS]: RSA }).key.type, "public");
  });

  it("comes from the file before the environment", () => {
    assert.equal(key({ [RS]: RSA }, { "token-hs256-secret-base64": HMAC }).algorithm, "HS256");
  });

  it("is one", () => {
    const both = { "token-hs256-secret-base64": HMAC, "token-rs256-secret-base64": RSA };
    for (const signing of [both, {}])
      assert.throws(() => key({ [RS]: RSA }, signing), /\[jwt\.signing\] holds one key/);
  });

  const BAD = {
    "with a line break at its end": [RS, `${RSA}\n`],
    "with blanks around it": [RS, ` ${RSA}`],
    "that is not base64": [RS, "-----BEGIN RSA PRIVATE KEY-----"],
    "without its padding": [HS, Buffer.alloc(32, 7).toString("base64").replace("=", "")],
    "that is base64 of something else": [RS, Buffer.from("hello").toString("base64")],
    "that is cut off": [RS, RSA.slice(0, 400)],
    "that is private where a public one is due": [PUB, RSA],
  } as const;
  for (const [what, [variable, value]] of Object.entries(BAD)) {
    it(`is refused ${what}, by the name of its variable, and not shown`, () => {
      assert.throws(
        () => key({ [variable]: value }),
        ({ message }: Error) => message.startsWith(variable) && !message.includes(value.trim().slice(0, 12)),
      );
    });
  }

  it("has to be there", () => {
    assert.throws(
      () => key({}),
      /No key to check tokens with: set one of .*RS256_PUBKEY.*RS256_SECRET.*HS256_SECRET/,
    );
  });
});

describe("the stand-in's command line", () => {
  it("is the real one's", () => {
    assert.deepEqual(readArguments([]), { mode: "monolithic" });
    const expected = { config: "x", mode: "api-server", listen: "[::]:1" };
    assert.deepEqual(readArguments(["-f", "x", "--mode", "api-server", "-l", "[::]:1"]), expected);
    assert.deepEqual(readArguments(["--config=x", "--mode=api-server", "--listen=[::]:1"]), expected);
  });

  it("names what it does not know", () => {
    assert.throws(
      () => readArguments(["--mode", "x"]),
      /There is no mode "x"\. There are: monolithic, api-server/,
    );
    assert.throws(() => readArguments(["--colour"]), /Unknown option '--colour'.*Use: -f FILE --mode MODE/);
    assert.throws(() => readArguments(["x"]), /Unexpected argument 'x'/);
    assert.throws(() => readArguments(["-f"]), /argument missing/);
  });
});

describe("times as Attic writes them", () => {
  const TIMES = {
    "12h": 43_200,
    "0s": 0,
    "1day 2hours 3m": 93_780,
    "500ms": 0.5,
    "2 weeks": 1_209_600,
    "1M": 2_630_016,
    "1.5h": 5400,
  };
  for (const [text, seconds] of Object.entries(TIMES)) {
    it(`take ${text} for ${seconds} seconds`, () => {
      assert.equal(readDuration(text), seconds);
    });
  }
  for (const text of ["", "12", "h", "-1h", "12x", "12h!", "1h 2"]) {
    it(`do not know ${JSON.stringify(text)}`, () => {
      assert.equal(readDuration(text), undefined);
    });
  }
});
