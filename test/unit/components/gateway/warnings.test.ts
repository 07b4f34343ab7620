import assert from "node:assert/strict";
import fc from "fast-check";
import { gatewayWarnings } from "../../../../components/gateway/warnings.ts";
import { stackOf } from "../../../support/kinds.ts";
import { type Content, GATEWAY_API, NGINX, settingsOf, TRAEFIK } from "../../../support/stack-files.ts";

const warnings = (gateway: Content): string[] => gatewayWarnings(settingsOf({ gateway }).gateway);

describe("a warning of the gateway", () => {
  for (const [plan, limit] of [
    ["free", 100],
    ["pro", 100],
    ["business", 200],
    ["enterprise", 500],
  ] as const) {
    it(`says what Cloudflare's proxy refuses on the plan ${plan}`, () => {
      assert.deepEqual(warnings({ ...GATEWAY_API, proxiedBy: `cloudflare-${plan}` }), [
        `cache.example.com is proxied by Cloudflare, which refuses requests over ${limit} MB on this plan: larger NARs cannot be pushed (413). Push through a DNS-only name, and set gateway.host to it.`,
      ]);
    });
  }

  it("says what an nginx body limit refuses", () => {
    assert.deepEqual(warnings({ ...NGINX, bodyLimit: "512Mi" }), [
      "gateway.bodyLimit is 512Mi: larger NARs cannot be pushed (413). Set it to none, or above 10Gi.",
    ]);
  });

  it("says that Traefik's time-out ends an upload, also where it was left at its default", () => {
    const sentence = (timeout: string) =>
      `Traefik ends every upload on the entry point websecure after ${timeout}, and a 10 GB NAR takes 54 minutes at 25 Mbit/s. Set transport.respondingTimeouts.readTimeout of that entry point to 0 in Traefik's own configuration, then gateway.readTimeout to none here.`;
    assert.deepEqual(warnings(TRAEFIK), [sentence("60s")]);
    assert.deepEqual(warnings({ ...TRAEFIK, readTimeout: "53m" }), [sentence("53m")]);
  });

  it("is one for each thing that is in the way", () => {
    assert.equal(warnings({ ...NGINX, bodyLimit: "1Gi", proxiedBy: "cloudflare-free" }).length, 2);
  });

  it("is not given where nothing is in the way", () => {
    assert.deepEqual(warnings(GATEWAY_API), []);
    assert.deepEqual(warnings(NGINX), []);
    assert.deepEqual(warnings({ ...NGINX, bodyLimit: "10Gi" }), []);
    assert.deepEqual(warnings({ ...TRAEFIK, readTimeout: "none" }), []);
    assert.deepEqual(warnings({ ...TRAEFIK, readTimeout: "54m" }), []);
  });

  it("is given for every body limit that 10 GB exceed and for no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (mebibytes) => {
        const given = warnings({ ...NGINX, bodyLimit: `${mebibytes}Mi` }).length;
        assert.equal(given, mebibytes * 2 ** 20 < 10e9 ? 1 : 0);
      }),
    );
  });

  it("reaches whoever deploys the stack, once", async () => {
    const gateway = { ...NGINX, bodyLimit: "1Gi" };
    const { warnings: shown } = await stackOf({}, { gateway });
    assert.deepEqual(shown, warnings(gateway));
    assert.deepEqual((await stackOf({})).warnings, []);
  });
});
