import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../sandbox/support/user-error.ts";
import { download, DownloadError, publishedChecksum } from "../../../sandbox/toolchain/download.ts";
import { provideTools, type ToolName } from "../../../sandbox/toolchain/index.ts";
import { FakeMachine, releaseOf } from "../../support/fake-releases.ts";

const ALL: ToolName[] = [
  "pulumi",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
  "versitygw",
];
const KUBERNETES: ToolName[] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

describe("toolchain", () => {
  let machine: FakeMachine;

  beforeEach(async () => {
    machine = new FakeMachine();
    await machine.start();
  });

  afterEach(async () => {
    await machine.stop();
  });

  const provide = (...names: ToolName[]) => provideTools(names, machine.progress());
  const content = (path: string) => readFileSync(path, "utf8").trim();

  describe("official releases", () => {
    it("are downloaded, unpacked and made executable, whatever way their checksums are published", async () => {
      for (const tool of ALL) machine.release(tool);
      const paths = await provide(...ALL);
      assert.deepEqual(Object.keys(paths).sort(), [...ALL].sort());
      for (const tool of ALL) {
        assert.equal(content(paths[tool]), tool);
        assert.equal(statSync(paths[tool]).mode & 0o777, 0o755);
        assert.ok(paths[tool].startsWith(`${machine.cache}/`));
      }
    });

    it("are kept, so that a second start asks no server", async () => {
      machine.release("etcd");
      const first = await provide("etcd");
      machine.requests.length = 0;
      assert.deepEqual(await provide("etcd"), first);
      assert.deepEqual(machine.requests, []);
    });

    const faults: Record<string, (machine: FakeMachine) => void> = {
      "has another checksum than the one published": (it) => {
        const { release } = it.release("etcd");
        it.on(release.url, (_request, response) => response.end("something else"));
      },
      "is cut off half way": (it) => {
        const { release, file } = it.release("etcd");
        it.on(release.url, (_request, response) => {
          response.writeHead(200, { "content-length": file.length });
          response.write(file.subarray(0, file.length / 2), () => response.destroy());
        });
      },
      "is not there": (it) => {
        const { release } = it.release("etcd");
        it.on(release.url, (_request, response) => response.writeHead(404).end());
      },
      "has no checksum": (it) => {
        const { release } = it.release("etcd");
        it.on(release.checksums, (_request, response) => response.end(`${"0".repeat(64)}  another-file\n`));
      },
    };
    for (const [fault, arrange] of Object.entries(faults)) {
      it(`is refused where it ${fault}, and the program is built instead`, async () => {
        arrange(machine);
        machine.go();
        const { etcd } = await provide("etcd");
        assert.equal(content(etcd), "built");
      });
    }

    it("are given up where the host does not answer, after one question for all files of it", async () => {
      machine.on("https://", () => undefined);
      machine.go();
      const paths = await provide(...KUBERNETES);
      assert.deepEqual(
        KUBERNETES.map((tool) => content(paths[tool])),
        ["built", "built", "built"],
      );
      assert.deepEqual(machine.requests, ["HEAD /"]);
    });

    it("are given up where nothing comes any more", async () => {
      const { release } = machine.release("etcd");
      machine.on(release.url, (_request, response) => {
        response.writeHead(200, { "content-length": 1000 }).write("only this");
      });
      const target = join(machine.folder, "target");
      const limits = { probe: 3_000, stall: 50 };
      await assert.rejects(
        download(release.url, "0".repeat(64), target, () => undefined, limits),
        (error) => error instanceof DownloadError && error.message.includes("was cut off after 0 MB"),
      );
    });

    it("publish checksums in capitals or with an asterisk, too", async () => {
      const { checksums } = releaseOf("etcd");
      machine.on(checksums, (_request, response) => response.end(`${"AB".repeat(32)} *etcd.tar.gz\n`));
      assert.equal(await publishedChecksum(checksums, "etcd.tar.gz"), "ab".repeat(32));
    });
  });

  describe("Go modules", () => {
    it("build all programs of a module at once, with its staging modules at the version that is published", async () => {
      const go = machine.go();
      await provide("kube-apiserver");
      const builds = go.calls().filter((call) => call.startsWith("build "));
      assert.equal(builds.length, 1);
      for (const tool of KUBERNETES)
        assert.match(builds[0]!, new RegExp(` k8s.io/kubernetes/cmd/${tool}\\b`));
      assert.match(builds[0]!, /-X k8s\.io\/component-base\/version\.gitVersion=v1\.36\.3/u);
      assert.equal(
        go.goMod(),
        [
          "module attic-stack.invalid/tools",
          "go 1.26.0",
          "require k8s.io/kubernetes v1.36.3",
          "replace k8s.io/api => k8s.io/api v0.36.3",
          "",
        ].join("\n"),
      );
    });

    it("give the Pulumi CLI its version, without which the Automation API refuses it", async () => {
      const go = machine.go();
      const { pulumi } = await provide("pulumi");
      assert.equal(content(pulumi), "built");
      const variable = /-X github\.com\/pulumi\/pulumi\/sdk\/v3\/go\/common\/version\.Version=3\.230\.0/u;
      assert.match(go.calls().join("\n"), variable);
    });

    it("are built once for two that want them at the same time", async () => {
      const go = machine.go();
      const [one, other] = await Promise.all([provide("kwok"), provide("kwok")]);
      assert.deepEqual(one, other);
      assert.equal(go.calls().filter((call) => call.startsWith("build ")).length, 1);
    });
  });

  it("says in a sentence what to do where a program can neither be downloaded nor built", async () => {
    await assert.rejects(provide("kwok"), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(
        error.message,
        /^kwok 0\.8\.0 can neither be downloaded \(.* answers 404\) nor built \(there is no Go on PATH\): allow the download, install Go from https:\/\/go\.dev\/dl, or put kwok of version 0\.8\.0 or later on PATH\.$/u,
      );
      return true;
    });
  });

  it("says so where the build fails, with what the compiler says", async () => {
    machine.go();
    machine.program("go", `echo "no space left" >&2; exit 1`);
    await assert.rejects(provide("kwok"), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /nor built \(go mod download: no space left\)/u);
      return true;
    });
  });

  describe("PATH", () => {
    it("gives a program that is new enough", async () => {
      machine.program("etcd", 'echo "etcd Version: 3.6.2"');
      const { etcd } = await provide("etcd");
      assert.equal(etcd, join(machine.bin, "etcd"));
      assert.deepEqual(machine.requests, []);
    });

    for (const [why, script] of Object.entries({
      "is too old": 'echo "etcd Version: 3.5.21"',
      "does not say its version": "echo unknown",
      "does not run": "exit 1",
    })) {
      it(`is passed over where the program there ${why}`, async () => {
        machine.program("etcd", script);
        machine.release("etcd");
        const { etcd } = await provide("etcd");
        assert.equal(content(etcd), "etcd");
      });
    }

    it("gives Kubernetes' programs only where all three are of one version", async () => {
      for (const tool of KUBERNETES) machine.release(tool);
      for (const tool of KUBERNETES) machine.program(tool, "echo Kubernetes v1.36.1");
      const same = await provide(...KUBERNETES);
      assert.equal(same["kube-scheduler"], join(machine.bin, "kube-scheduler"));
      machine.program("kube-apiserver", "echo Kubernetes v1.35.9");
      const different = await provide(...KUBERNETES);
      assert.equal(content(different["kube-scheduler"]), "kube-scheduler");
    });
  });

  it("says so where the cache folder cannot be written", async () => {
    mkdirSync(machine.folder, { recursive: true });
    process.env.XDG_CACHE_HOME = join(machine.bin, "tar");
    machine.release("etcd");
    await assert.rejects(provide("etcd"), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.equal(
        error.message,
        `The cache folder ${join(machine.bin, "tar", "attic-stack")} cannot be written: make it writable, or set XDG_CACHE_HOME to a folder that is.`,
      );
      return true;
    });
  });
});
