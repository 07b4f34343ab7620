import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod, VolumeSource } from "../../../../sandbox/programs/objects.ts";
import { Fault, NotYet } from "../../../../sandbox/programs/objects.ts";
import { layOut, mountsOf, type Volume, volumesOf } from "../../../../sandbox/programs/volumes.ts";

const data = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]));
const sources = {
  secrets: new Map([["tls", data({ "tls.crt": "certificate", "tls.key": "key" })]]),
  configMaps: new Map([["config", data({ "server.toml": "toml" })]]),
};

function volumes(list: VolumeSource[], folder = "/pod"): Volume[] {
  const pod = { metadata: { name: "attic-0" }, spec: { containers: [], volumes: list } } as Pod;
  const claimUid = (name: string) => (name === "data" ? "uid-1" : undefined);
  return volumesOf({ pod, sources, folder, claims: "/claims", claimUid });
}

/** The files of a volume: its content and its rights. */
function files(list: VolumeSource[]): Record<string, string> {
  return Object.fromEntries(
    volumes(list).flatMap((volume) =>
      (volume.files ?? []).map(({ path, content, mode }) => [
        path,
        `${content.toString()} ${mode.toString(8)}`,
      ]),
    ),
  );
}

describe("the volumes of a pod", () => {
  it("are the files of a Secret or a ConfigMap, with the rights that are asked for", () => {
    assert.deepEqual(files([{ name: "a", secret: { secretName: "tls", defaultMode: 0o440 } }]), {
      "tls.crt": "certificate 440",
      "tls.key": "key 440",
    });
    assert.deepEqual(files([{ name: "a", configMap: { name: "config" } }]), { "server.toml": "toml 644" });
  });

  it("are only the items where there are any, under their own paths and rights", () => {
    const items = [{ key: "tls.key", path: "keys/server.key", mode: 0o600 }];
    assert.deepEqual(files([{ name: "a", secret: { secretName: "tls", items } }]), {
      "keys/server.key": "key 600",
    });
  });

  it("are put together where they are projected", () => {
    const projected = {
      defaultMode: 0o400,
      sources: [
        { secret: { name: "tls", items: [{ key: "tls.crt", path: "ca.crt" }] } },
        { configMap: { name: "config" } },
        { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
        { serviceAccountToken: { path: "token" } },
      ],
    };
    assert.deepEqual(files([{ name: "a", projected }]), {
      "ca.crt": "certificate 400",
      "server.toml": "toml 400",
      name: "attic-0 400",
    });
  });

  it("are folders of the pod, or the one of their claim, which outlives it", () => {
    const [scratch, claim] = volumes([
      { name: "tmp", emptyDir: {} },
      { name: "data", persistentVolumeClaim: { claimName: "data" } },
    ]);
    assert.deepEqual(scratch, { name: "tmp", folder: "/pod/volumes/tmp" });
    assert.deepEqual(claim, { name: "data", folder: "/claims/uid-1", claim: "uid-1" });
  });

  it("are waited for where a Secret, a key or a claim is missing, unless it may be", () => {
    const missing: [VolumeSource, string][] = [
      [{ name: "a", secret: { secretName: "none" } }, "Secret none does not exist"],
      [{ name: "a", configMap: { name: "none" } }, "ConfigMap none does not exist"],
      [
        { name: "a", secret: { secretName: "tls", items: [{ key: "ca", path: "ca" }] } },
        "Secret tls has no key ca",
      ],
      [
        { name: "a", persistentVolumeClaim: { claimName: "none" } },
        "PersistentVolumeClaim none does not exist",
      ],
    ];
    for (const [volume, message] of missing) assert.throws(() => volumes([volume]), new NotYet(message));
    assert.deepEqual(files([{ name: "a", secret: { secretName: "none", optional: true } }]), {});
  });

  it("are refused where a path leaves its volume, and where the sandbox does not play their kind", () => {
    for (const path of ["../x", "/etc/passwd", "a/../../x", ".."]) {
      const secret = { secretName: "tls", items: [{ key: "tls.key", path }] };
      assert.throws(() => volumes([{ name: "a", secret }]), new Fault(`${path} is outside of its volume`));
    }
    assert.throws(() => volumes([{ name: "a", hostPath: { path: "/" } }]), Fault);
  });
});

describe("the mounts of a container", () => {
  const all = volumes([
    { name: "config", configMap: { name: "config" } },
    { name: "data", persistentVolumeClaim: { claimName: "data" } },
  ]);

  it("lead to a volume or a part of it, the longest path first", () => {
    const volumeMounts = [
      { name: "data", mountPath: "/var/lib/" },
      { name: "config", mountPath: "/etc/garage.toml", subPath: "server.toml" },
      { name: "data", mountPath: "/var/lib/attic", subPathExpr: "of-$(POD)" },
    ];
    const mounts = mountsOf({ name: "main", volumeMounts }, all, { POD: "attic-0" });
    assert.deepEqual(
      mounts.map(({ path, target }) => [path, target]),
      [
        ["/etc/garage.toml", "/pod/volumes/config/server.toml"],
        ["/var/lib/attic", "/claims/uid-1/of-attic-0"],
        ["/var/lib", "/claims/uid-1"],
      ],
    );
  });

  it("are refused where they leave the volume, or where there is none of that name", () => {
    const mount = (name: string, subPath: string) => () =>
      mountsOf({ name: "main", volumeMounts: [{ name, mountPath: "/x", subPath }] }, all, {});
    assert.throws(mount("data", "../other"), Fault);
    assert.throws(mount("none", "x"), new Fault("there is no volume none"));
  });
});

describe("volumes that are laid out", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "attic-stack-volumes-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const rights = (path: string) => (statSync(join(folder, path)).mode & 0o777).toString(8);
  const tls = (content: string): Volume => ({
    name: "tls",
    folder: join(folder, "tls"),
    files: [{ path: "keys/tls.key", content: Buffer.from(content), mode: 0o444 }],
  });

  it("can be read by their owner alone, whatever rights the pod asks for", async () => {
    await layOut([tls("key")], [], undefined);
    assert.deepEqual([rights("tls"), rights("tls/keys"), rights("tls/keys/tls.key")], ["700", "700", "400"]);
  });

  it("have a new content where it changed, and no file that is no longer in them", async () => {
    await layOut([tls("before")], [], undefined);
    chmodSync(join(folder, "tls"), 0o700);
    writeFileSync(join(folder, "tls/old"), "");
    await layOut([tls("after")], [], undefined);
    assert.equal(readFileSync(join(folder, "tls/keys/tls.key"), "utf8"), "after");
    assert.deepEqual(readdirSync(join(folder, "tls")), ["keys"]);
  });

  it("are not touched where they are as they should be: another container may be reading", async () => {
    await layOut([tls("same")], [], undefined);
    const { ino } = statSync(join(folder, "tls/keys/tls.key"));
    await layOut([tls("same")], [], undefined);
    assert.equal(statSync(join(folder, "tls/keys/tls.key")).ino, ino);
  });

  it("keep what processes wrote into the others, and have the folders that are mounted", async () => {
    const data: Volume = { name: "data", folder: join(folder, "data") };
    const mounts = [{ path: "/data", target: join(folder, "data/part"), volume: data }];
    await layOut([data], mounts, undefined);
    writeFileSync(join(folder, "data/part/chunk"), "chunk");
    await layOut([data], mounts, undefined);
    assert.equal(readFileSync(join(folder, "data/part/chunk"), "utf8"), "chunk");
    assert.equal(rights("data/part"), "700");
  });
});
