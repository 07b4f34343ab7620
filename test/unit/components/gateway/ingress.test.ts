import assert from "node:assert/strict";
import fc from "fast-check";
import { nginxAnnotations } from "../../../../components/gateway/nginx.ts";
import { find, type KubernetesObject, ofKind } from "../../../support/objects.ts";
import { stackOf } from "../../../support/kinds.ts";
import { type Content, NGINX, TRAEFIK } from "../../../support/stack-files.ts";

const PREFIX = "nginx.ingress.kubernetes.io";

async function ingress(name: string, gateway: Content) {
  const { resources } = await stackOf({}, { gateway });
  return find(resources, "Ingress", name).inputs as unknown as KubernetesObject & { spec: object };
}

const spec = (host: string, className: string, secretName: string, service: string, port: number) => ({
  ingressClassName: className,
  tls: [{ hosts: [host], secretName }],
  rules: [
    {
      host,
      http: {
        paths: [
          { path: "/", pathType: "Prefix", backend: { service: { name: service, port: { number: port } } } },
        ],
      },
    },
  ],
});

describe("the annotations of ingress-nginx", () => {
  it("take the body limit away, keep nothing back and wait an hour", () => {
    assert.deepEqual(nginxAnnotations("none"), {
      [`${PREFIX}/proxy-body-size`]: "0",
      [`${PREFIX}/proxy-request-buffering`]: "off",
      [`${PREFIX}/proxy-buffering`]: "off",
      [`${PREFIX}/proxy-http-version`]: "1.1",
      [`${PREFIX}/proxy-read-timeout`]: "3600",
      [`${PREFIX}/proxy-send-timeout`]: "3600",
    });
  });

  it("say a limit in nginx's own unit", () => {
    const size = (limit: string) => nginxAnnotations(limit)[`${PREFIX}/proxy-body-size`];
    assert.deepEqual([size("512Mi"), size("20Gi"), size("1Ti")], ["512m", "20480m", "1048576m"]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (gibibytes) => {
        assert.equal(size(`${gibibytes}Gi`), size(`${gibibytes * 1024}Mi`));
      }),
    );
  });
});

describe("an Ingress of nginx", () => {
  it("leads the server's host to its Service, with a certificate for it", async () => {
    const { metadata, spec: found } = await ingress("attic-gateway-api", { ...NGINX, className: "internal" });
    assert.deepEqual(found, spec("cache.example.com", "internal", "attic-gateway-tls", "attic", 80));
    assert.deepEqual(metadata.annotations, { ...nginxAnnotations("none"), "pulumi.com/skipAwait": "true" });
  });

  it("leads the store's host to the store's Service", async () => {
    const { spec: found } = await ingress("attic-gateway-store", NGINX);
    assert.deepEqual(found, spec("s3.example.com", "nginx", "attic-gateway-tls", "attic-garage", 3900));
  });
});

describe("an Ingress of Traefik", () => {
  it("is for the entry point that is set, with TLS from the Secret that is named", async () => {
    const { metadata, spec: found } = await ingress("attic-gateway-api", { ...TRAEFIK, entryPoint: "https" });
    assert.deepEqual(found, spec("cache.example.com", "traefik", "wildcard", "attic", 80));
    assert.deepEqual(metadata.annotations, {
      "traefik.ingress.kubernetes.io/router.entrypoints": "https",
      "traefik.ingress.kubernetes.io/router.tls": "true",
      "pulumi.com/skipAwait": "true",
    });
  });
});

describe("the hosts that are published", () => {
  it("are the server's alone where clients do not reach the store", async () => {
    for (const store of ["garage behind an edge", "minio behind an edge", "existing", "volume"] as const) {
      const { resources } = await stackOf({ store, gateway: "nginx" });
      const hosts = ofKind<{ spec: { rules: { host: string }[] } }>(resources, "Ingress").flatMap((one) =>
        one.spec.rules.map(({ host }) => host),
      );
      assert.deepEqual(hosts, ["cache.example.com"], store);
    }
  });
});
