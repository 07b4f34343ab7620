import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import { AtticClient } from "../../../components/attic/client.ts";
import { Tunnel, TunnelClosed } from "../../../components/attic/tunnel.ts";

const TOKEN = "a-token-of-the-cluster";
const SERVICE = { spec: { selector: { app: "attic" }, ports: [{ port: 80, targetPort: "http" }] } };
const POD = {
  metadata: { name: "attic-0" },
  spec: { containers: [{ name: "attic", ports: [{ name: "http", containerPort: 8080 }] }] },
  status: { conditions: [{ type: "Ready", status: "True" }] },
};

describe("the tunnel through the Kubernetes API", () => {
  let server: Server;
  let kubeconfig: string;
  let asked: string[];
  /** What the API answers, by the part of the path that tells the call. */
  let answers: Record<string, [status: number, body: object]>;

  beforeEach(async () => {
    asked = [];
    answers = { services: [200, SERVICE], pods: [200, { items: [POD] }] };
    server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://x");
      asked.push(`${url.pathname}${url.search}`);
      const [status, body] = answers[url.pathname.includes("/services/") ? "services" : "pods"] ?? [500, {}];
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    // What nobody upgrades is refused, as by an API server that does not permit it.
    server.on("upgrade", (request, socket) => {
      asked.push(request.url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    kubeconfig = JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
      ],
      users: [{ name: "u", user: { token: TOKEN } }],
      contexts: [{ name: "lab", context: { cluster: "c", user: "u" } }],
      "current-context": "lab",
    });
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const tunnel = (more = {}) => new Tunnel({ namespace: "attic", service: "attic", kubeconfig, ...more });
  const refused = async (made: Tunnel): Promise<Error> =>
    await made.connect().then(
      () => assert.fail("it was opened"),
      (error: unknown) => error as Error,
    );

  it("asks for the Service, its pods, and the port behind its name", async () => {
    await refused(tunnel());
    assert.deepEqual(asked, [
      "/api/v1/namespaces/attic/services/attic",
      "/api/v1/namespaces/attic/pods?labelSelector=app%3Dattic",
      "/api/v1/namespaces/attic/pods/attic-0/portforward?ports=8080",
    ]);
  });

  const final: [string, () => Tunnel, RegExp][] = [
    [
      "no such context",
      () => tunnel({ context: "prod" }),
      /^the kubeconfig has no context prod with a cluster$/,
    ],
    [
      "a kubeconfig that is none",
      () => tunnel({ kubeconfig: "clusters: [" }),
      /^the kubeconfig cannot be read$/,
    ],
    ["an empty kubeconfig", () => tunnel({ kubeconfig: "{}" }), /^the kubeconfig names no cluster$/],
    [
      "no permission to forward",
      () => tunnel(),
      /^the kubeconfig's user may not get and create pods\/portforward in attic$/,
    ],
  ];
  for (const [what, make, message] of final) {
    it(`is given up with ${what}`, async () => {
      const error = await refused(make());
      assert.ok(error instanceof TunnelClosed, error.message);
      assert.match(error.message, message);
    });
  }

  for (const [status, message] of [
    [401, /^the cluster does not know the kubeconfig's user$/],
    [403, /^the kubeconfig's user may not get services in attic$/],
  ] as const) {
    it(`is given up after ${status}`, async () => {
      answers.services = [status, { kind: "Status", message: TOKEN }];
      const error = await refused(tunnel());
      assert.ok(error instanceof TunnelClosed, error.message);
      assert.match(error.message, message);
    });
  }

  it("may be tried again where the Service or a ready pod is not there yet", async () => {
    answers.services = [404, {}];
    assert.match((await refused(tunnel())).message, /^the Service attic\/attic is not there$/);
    answers = { services: [200, SERVICE], pods: [200, { items: [{ ...POD, status: {} }] }] };
    const error = await refused(tunnel());
    assert.equal(error instanceof TunnelClosed, false);
    assert.match(error.message, /^no pod of the Service attic\/attic is ready$/);
  });

  it("looks for a pod again after a try that failed", async () => {
    const made = tunnel();
    await refused(made);
    await refused(made);
    assert.equal(asked.filter((path) => path.includes("labelSelector")).length, 2);
  });

  it("is named in the client's one sentence, which holds no token", async () => {
    const client = new AtticClient({
      endpoint: "https://cache.example.com/",
      token: () => "eyJ.secret.x",
      tunnel: tunnel(),
      waits: [1],
    });
    await assert.rejects(client.get("main"), (error: Error) => {
      assert.equal(
        error.message,
        "There is no way to the server through the Kubernetes API: the kubeconfig's user may not get and create pods/portforward in attic.",
      );
      return true;
    });
    client.close();
  });
});
