import assert from "node:assert/strict";
import {
  fromGateway,
  fromPods,
  toAnywhere,
  toGateway,
  toNameServers,
  toPods,
  toServer,
} from "../../../../components/platform/index.ts";
import type { Policy } from "../../../support/objects.ts";
import { mayReach, type Place } from "../../../support/reach.ts";

const LABELS = { app: "store" };

describe("the rules of network policies", () => {
  it("name pods of the same namespace and one port", () => {
    const ports = [{ protocol: "TCP", port: 3900 }];
    assert.deepEqual(toPods(LABELS, 3900), { to: [{ podSelector: { matchLabels: LABELS } }], ports });
    assert.deepEqual(fromPods(LABELS, 3900), { from: [{ podSelector: { matchLabels: LABELS } }], ports });
  });

  it("name a namespace by the label that Kubernetes itself puts on it", () => {
    assert.deepEqual(fromGateway("traefik", [], 8080), {
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "traefik" } } }],
      ports: [{ protocol: "TCP", port: 8080 }],
    });
  });

  it("name the addresses of a gateway whose packets come from nodes", () => {
    assert.deepEqual(fromGateway("traefik", ["10.0.0.0/16", "fd00::/8"], 8080).from, [
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "traefik" } } },
      { ipBlock: { cidr: "10.0.0.0/16" } },
      { ipBlock: { cidr: "fd00::/8" } },
    ]);
  });

  it("reach a server inside the cluster on whatever port its pods have, and one outside on the one named", () => {
    const inside = [toAnywhere(80), { to: [{ namespaceSelector: {} }] }];
    for (const host of ["rgw", "rgw.rook-ceph.svc", "rgw.rook-ceph.svc.cluster.local"])
      assert.deepEqual(toServer(host, 80), inside, host);
    for (const host of ["s3.example.com", "10.0.0.1", "[fd00::1]", "svc.example.com"])
      assert.deepEqual(toServer(host, 80), [toAnywhere(80)], host);
  });

  it("name every address of both families, on one port", () => {
    assert.deepEqual(toAnywhere(6432), {
      to: [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }],
      ports: [{ protocol: "TCP", port: 6432 }],
    });
  });

  it("name the gateway by both ways to it", () => {
    assert.deepEqual(toGateway("traefik"), [
      toAnywhere(443),
      { to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "traefik" } } }] },
    ]);
  });

  it("name any name server, by both protocols", () => {
    assert.deepEqual(toNameServers, {
      ports: [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ],
    });
  });
});

describe("the reading of network policies by these tests", () => {
  const policy = (spec: Policy["spec"]): Policy => ({ metadata: { namespace: "attic" }, spec: spec! });
  const pod = (app: string, namespace = "attic"): Place => ({ namespace, labels: { app } });
  const port = { protocol: "TCP", port: 80 } as const;
  const deny = policy({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  const selector = (app: string) => ({ podSelector: { matchLabels: { app } } });

  it("lets everything through where there is no policy, or one of another namespace", () => {
    assert.equal(mayReach([], pod("a"), pod("b"), port), true);
    assert.equal(mayReach([deny], pod("a", "x"), pod("b", "y"), port), true);
  });

  it("lets nothing through where a policy names nobody", () => {
    assert.equal(mayReach([deny], pod("a"), "outside", port), false);
    assert.equal(mayReach([deny], "outside", pod("a"), port), false);
  });

  it("wants both ends to agree", () => {
    const out = policy({ ...selector("a"), policyTypes: ["Egress"], egress: [{ to: [selector("b")] }] });
    const into = policy({ ...selector("b"), policyTypes: ["Ingress"], ingress: [{ from: [selector("a")] }] });
    assert.equal(mayReach([deny, out], pod("a"), pod("b"), port), false);
    assert.equal(mayReach([deny, into], pod("a"), pod("b"), port), false);
    assert.equal(mayReach([deny, out, into], pod("a"), pod("b"), port), true);
    assert.equal(mayReach([deny, out, into], pod("b"), pod("a"), port), false);
  });

  it("tells ports, protocols and namespaces apart", () => {
    const into = policy({
      ...selector("b"),
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "x" } } }],
          ports: [{ protocol: "TCP", port: 80 }],
        },
      ],
    });
    assert.equal(mayReach([into], pod("a", "x"), pod("b"), port), true);
    assert.equal(mayReach([into], pod("a", "y"), pod("b"), port), false);
    assert.equal(mayReach([into], pod("a"), pod("b"), port), false);
    assert.equal(mayReach([into], pod("a", "x"), pod("b"), { protocol: "TCP", port: 81 }), false);
    assert.equal(mayReach([into], pod("a", "x"), pod("b"), { protocol: "UDP", port: 80 }), false);
  });
});
