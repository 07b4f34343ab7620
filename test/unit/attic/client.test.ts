import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import fc from "fast-check";
import { AtticClient } from "../../../components/attic/client.ts";
import { asText } from "../../../provider/protocol/values.ts";
import { selfSigned } from "../../../sandbox/plugins/tls/certificates.ts";

const TOKEN = "eyJ.a-token-that-nobody-may-see.x";
const CONFIG = {
  keypair: "Generate" as const,
  is_public: false,
  store_dir: "/nix/store",
  priority: 41,
  upstream_cache_key_names: ["cache.nixos.org-1"],
};
const STORED = {
  substituter_endpoint: "http://x/main",
  api_endpoint: "http://x/",
  public_key: `main:${"A".repeat(43)}=`,
  is_public: false,
  store_dir: "/nix/store",
  priority: 41,
  upstream_cache_key_names: [],
  retention_period: { Period: 604_800 },
};

/** A key and a certificate that it signs itself, for 127.0.0.1. */
async function selfSignedPair(): Promise<{ key: string; cert: string }> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const inputs = {
    subject: { commonName: "gateway" },
    ipAddresses: ["127.0.0.1"],
    validityPeriodHours: 1,
    allowedUses: ["digital_signature", "server_auth"],
  };
  const { computed } = await selfSigned(inputs, privateKey);
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: asText(computed.certPem),
  };
}

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

describe("AtticClient", () => {
  let server: Server;
  let client: AtticClient;
  let handler: Handler;
  let seen: string[];
  let connections: number;

  beforeEach(async () => {
    seen = [];
    connections = 0;
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("end", () => {
        seen.push(`${request.method ?? ""} ${request.url ?? ""} ${body}`.trim());
        handler(request, body, response);
      });
    });
    server.on("connection", () => (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    client = new AtticClient({
      endpoint: `http://127.0.0.1:${port}/`,
      token: () => TOKEN,
      waits: [1, 1, 1],
    });
  });

  afterEach(() => {
    client.close();
    server.close();
    server.closeAllConnections();
  });

  const json = (response: ServerResponse, status: number, value: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  const refuse = (status: number, error: string, message = error): Handler => {
    return (_request, _body, response) => json(response, status, { code: status, error, message });
  };

  it("reads a cache with its token", async () => {
    handler = (request, _body, response) => {
      assert.equal(request.headers.authorization, `Bearer ${TOKEN}`);
      json(response, 200, STORED);
    };
    assert.deepEqual(await client.get("main"), STORED);
    assert.deepEqual(seen, ["GET /_api/v1/cache-config/main"]);
  });

  it("gives undefined for a cache that is not there", async () => {
    handler = refuse(404, "NoSuchCache");
    assert.equal(await client.get("main"), undefined);
  });

  it("does not take another server's 404 for a cache that is not there, and says so after the last try", async () => {
    handler = (_request, _body, response) => response.writeHead(404).end("<html>nginx</html>");
    await assert.rejects(
      client.get("main"),
      /^Unreachable: GET http:\/\/127\.0\.0\.1:\d+\/_api\/v1\/cache-config\/main failed 4 times, the last time because the answer was 404 and not Attic's: is it Attic that answers there\?$/,
    );
    assert.equal(seen.length, 4);
  });

  for (const [status, page] of [
    [404, "404 page not found"],
    [404, ""],
    [500, ""],
    [530, "<html>"],
  ] as const) {
    it(`waits for a gateway that has no route yet and answers ${status} with ${JSON.stringify(page)}`, async () => {
      handler = (_request, _body, response) => {
        if (seen.length < 3) response.writeHead(status).end(page);
        else json(response, 200, STORED);
      };
      assert.deepEqual(await client.get("main"), STORED);
      assert.equal(seen.length, 3);
    });
  }

  describe("at a gateway with a certificate that nobody trusts", () => {
    let gateway: SecureServer;
    beforeEach(async () => {
      gateway = createSecureServer(await selfSignedPair(), (_request, response) =>
        json(response, 200, STORED),
      );
      await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => {
      gateway.close();
      gateway.closeAllConnections();
    });
    const open = (more: { ca?: string; waits: number[] }) => {
      const { port } = gateway.address() as AddressInfo;
      return new AtticClient({ endpoint: `https://127.0.0.1:${port}/`, token: () => TOKEN, ...more });
    };

    it("tries again, and says at last how to name a CA", async () => {
      await assert.rejects(open({ waits: [1, 1] }).get("main"), {
        message: `GET https://127.0.0.1:${(gateway.address() as AddressInfo).port}/_api/v1/cache-config/main failed 3 times, the last time because its certificate is not trusted (self-signed certificate). If a CA of yours signs it, name the file of that CA in NODE_EXTRA_CA_CERTS`,
      });
    });

    it("is content as soon as the certificate is the right one", async () => {
      const { key, cert } = await selfSignedPair();
      gateway.on("tlsClientError", () => {
        gateway.setSecureContext({ key, cert });
      });
      assert.deepEqual(await open({ ca: cert, waits: [300, 300] }).get("main"), STORED);
    });
  });

  it("says whether a cache was made or was there", async () => {
    handler = (_request, _body, response) => response.writeHead(200).end();
    assert.equal(await client.create("main", CONFIG), true);
    assert.deepEqual(seen, [`POST /_api/v1/cache-config/main ${JSON.stringify(CONFIG)}`]);
    handler = refuse(400, "CacheAlreadyExists", "The cache already exists.");
    assert.equal(await client.create("main", CONFIG), false);
  });

  it("tries again where a try ended without an answer", async () => {
    handler = (request, body, response) => {
      if (seen.length === 1) request.socket.destroy();
      else refuse(400, "CacheAlreadyExists")(request, body, response);
    };
    assert.equal(await client.create("main", CONFIG), false);
    assert.equal(seen.length, 2);
  });

  for (const status of [429, 502, 503, 504]) {
    it(`tries again after ${status}`, async () => {
      handler = (_request, _body, response) => {
        if (seen.length < 3) response.writeHead(status).end("busy");
        else json(response, 200, STORED);
      };
      assert.deepEqual(await client.get("main"), STORED);
      assert.equal(seen.length, 3);
    });
  }

  for (const status of [400, 401, 403, 405, 500]) {
    it(`does not try again after ${status}`, async () => {
      handler = refuse(status, "SomeError", "because");
      await assert.rejects(
        client.get("main"),
        new RegExp(`reading the cache main: the server answered ${status} SomeError: because`),
      );
      assert.equal(seen.length, 1);
    });
  }

  it("names the permission that is missing, by call", async () => {
    handler = refuse(403, "AccessError", "no.");
    await assert.rejects(client.get("main"), /lacks the permission pull on this cache/);
    await assert.rejects(client.create("main", CONFIG), /lacks the permission createCache/);
    await assert.rejects(client.configure("main", { priority: 1 }), /lacks the permission configureCache/);
    await assert.rejects(
      client.configure("main", { retention_period: "Global" }),
      /lacks the permission configureCache or configureRetention on this cache; both are needed\./,
    );
    await assert.rejects(client.destroy("main"), /lacks the permission destroyCache/);
  });

  it("gives up on a server that hangs, with one sentence", async () => {
    handler = () => undefined;
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const hurried = new AtticClient({ endpoint, token: () => TOKEN, waits: [1, 1, 1], patience: 200 });
    await assert.rejects(
      hurried.get("main"),
      /^Unreachable: GET http:\/\/127\.0\.0\.1:\d+\/_api\/v1\/cache-config\/main failed 4 times, the last time because it did not answer in time$/,
    );
    assert.ok(seen.length <= 4, "a try that ended before it arrived is one of the four");
    hurried.close();
  });

  it("gives up where nobody listens", async () => {
    const dead = new AtticClient({ endpoint: "http://127.0.0.1:1/", token: () => TOKEN, waits: [1] });
    await assert.rejects(dead.get("main"), /failed 2 times, the last time because nobody listens there/);
  });

  it("keeps its connections, and has at most 16", async () => {
    handler = (_request, _body, response) => setTimeout(() => json(response, 200, STORED), 2);
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.get(`cache-${index}`)));
    assert.equal(seen.length, 100);
    assert.equal(connections, 16);
  });

  it("takes a cache that is gone for deleted", async () => {
    handler = refuse(404, "NoSuchCache");
    await client.destroy("main");
    assert.deepEqual(seen, ["DELETE /_api/v1/cache-config/main"]);
  });

  it("ends in a clear error whatever the server answers, and never shows the token", async () => {
    const answers = fc.record({
      status: fc.constantFrom(200, 201, 204, 301, 400, 401, 404, 418, 500, 599),
      text: fc.oneof(
        fc.string(),
        fc.json(),
        fc.constant(JSON.stringify({ ...STORED, priority: "x" })),
        fc.constant(TOKEN),
      ),
    });
    await fc.assert(
      fc.asyncProperty(answers, async ({ status, text }) => {
        handler = (_request, _body, response) => response.writeHead(status).end(status === 204 ? "" : text);
        await assert.rejects(client.get("main"), (error: Error) => {
          assert.match(error.message, /^(reading the cache main: |GET http)/);
          assert.equal(error.message.includes(TOKEN), false);
          return true;
        });
      }),
      { numRuns: 200 },
    );
  });
});
