import assert from "node:assert/strict";
import type { PodContainer } from "../../../../sandbox/programs/container.ts";
import { type Data, environmentOf, expand, type Sources } from "../../../../sandbox/programs/environment.ts";
import { kindOf } from "../../../../sandbox/programs/kinds/index.ts";
import type { Container, Pod } from "../../../../sandbox/programs/objects.ts";
import type { Endpoint, Program } from "../../../../sandbox/programs/program.ts";
import { mountsOf, volumesOf } from "../../../../sandbox/programs/volumes.ts";
import { everyKind, nameOf, stackOf } from "../../../support/kinds.ts";
import type { Registered } from "../../../support/mocks.ts";
import { kindOf as resourceKind, workloadsOf } from "../../../support/objects.ts";

const SANDBOX = "/home/somebody/attic-stack/.sandbox/lab";
const endpoint = (port: number): Endpoint => ({
  address: { host: "127.0.0.1", port },
  name: "",
  isReady: () => true,
});

/** What the stack's own Secrets and ConfigMaps hold, by their names. */
function sourcesOf(resources: readonly Registered[]): Sources {
  const named = (kind: string) =>
    new Map(
      resources
        .filter((resource) => resourceKind(resource) === kind)
        .map(({ name, inputs }): [string, Data] => {
          const { metadata, data, stringData } = inputs as {
            metadata: { name?: string };
            data?: Record<string, string>;
            stringData?: Record<string, string>;
          };
          const entries = Object.entries({ ...data, ...stringData });
          return [
            metadata.name ?? `${name}-auto`,
            new Map(entries.map(([key, value]) => [key, Buffer.from(value)])),
          ];
        }),
    );
  return { secrets: named("Secret"), configMaps: named("ConfigMap") };
}

/** A container as the daemon sees it. */
function asRead(pod: Pod, container: Container, sources: Sources): PodContainer {
  const env = environmentOf(container, pod, sources);
  const folder = `${SANDBOX}/programs/attic/pod`;
  const volumes = volumesOf({ pod, sources, folder, claims: `${SANDBOX}/volumes`, claimUid: () => "uid" });
  return {
    pod,
    container,
    env,
    command: (container.command ?? []).map((part) => expand(part, env)),
    args: (container.args ?? []).map((part) => expand(part, env)),
    volumes,
    mounts: mountsOf(container, volumes, env),
    folder: `${folder}/${container.name}`,
  };
}

/** All of a process that could lead somewhere: arguments, variables and configuration. */
function textsOf({ args, env, files = {} }: Program): string {
  const config = Buffer.from(env.ATTIC_SERVER_CONFIG_BASE64 ?? "", "base64").toString();
  return [...args, ...Object.values(env), ...Object.values(files), config].join("\n");
}

describe("every container of every kind of stack", () => {
  for (const kinds of everyKind) {
    it(`is played, and reaches nothing but this machine: ${nameOf(kinds)}`, async () => {
      const { resources, secretValues } = await stackOf(kinds);
      const sources = sourcesOf(resources);
      const played: string[] = [];
      for (const { spec: workload } of workloadsOf(resources)) {
        const pod = { metadata: { name: "pod", namespace: "attic" }, spec: workload.template.spec } as Pod;
        for (const container of pod.spec?.containers ?? []) {
          const kind = kindOf(container) ?? assert.fail(`nothing plays ${container.image ?? ""}`);
          const program = kind.plan(asRead(pod, container, sources), {
            port: 4000,
            front: 4999,
            tools: { versitygw: "/bin/versitygw", atticd: ["/bin/atticd"] },
            database: () => endpoint(4001),
            store: () => endpoint(4002),
            server: () => endpoint(4003),
            cloudflare: () => ({ api: "http://127.0.0.1:4004/client/v4", s3: "http://127.0.0.1:4005" }),
          });
          played.push(kind.name);
          const texts = textsOf(program);
          // Where clients find it, and under which names it lets them in, stays as it was deployed.
          const led = texts.replace(/^(api-endpoint|allowed-hosts) = .*$/gm, "");
          assert.doesNotMatch(led, /\.svc|example\.com|amazonaws|[=\s:]\/(etc|tmp|data|var)\//);
          for (const secret of secretValues) assert.equal(program.args.join("\n").includes(secret), false);
        }
      }
      const store = { minio: ["bucket", "s3"], garage: ["s3"] }[kinds.store.split(" ")[0] ?? ""] ?? [];
      const database = kinds.database === "postgres" ? ["postgres"] : [];
      assert.deepEqual(played.sort(), ["attic", "attic", "attic", ...store, ...database].sort());
    });
  }
});
