import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { Progress } from "../../sandbox/support/progress.ts";
import { packages, type Architecture, type Release, type ToolName } from "../../sandbox/toolchain/catalog.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A machine for one test: an empty cache folder, a PATH with nothing but `tar`, and official releases that
 * come from a server in this process, as `SANDBOX_MIRROR` allows.
 */
export class FakeMachine {
  readonly folder = mkdtempSync(join(tmpdir(), "attic-stack-toolchain-"));
  readonly bin = join(this.folder, "bin");
  readonly cache = join(this.folder, "cache", "attic-stack");
  /** Method and path of every request. */
  readonly requests: string[] = [];
  /** What was shown. */
  shown = "";
  readonly #routes = new Map<string, Handler>();
  readonly #server = createServer((request, response) => {
    this.requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    const route = this.#routes.get(request.url ?? "");
    if (route) route(request, response);
    else response.writeHead(404).end();
  });
  readonly #before = { ...process.env };

  async start(): Promise<void> {
    mkdirSync(this.bin);
    for (const name of ["tar", "gzip"]) symlinkSync(realPath(name), join(this.bin, name));
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    process.env.PATH = this.bin;
    process.env.XDG_CACHE_HOME = dirname(this.cache);
    process.env.SANDBOX_MIRROR = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const name of ["PATH", "XDG_CACHE_HOME", "SANDBOX_MIRROR"]) {
      const before = this.#before[name];
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    }
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  progress(): Progress {
    const out = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.shown += chunk.toString();
        done();
      },
    });
    return new Progress(out as unknown as NodeJS.WriteStream);
  }

  /** Answers requests for an official address. */
  on(url: string, handler: Handler): void {
    this.#routes.set(url.replace("https:/", ""), handler);
  }

  /** Serves an official release of a program whose content is its own name. */
  release(tool: ToolName): { release: Release; file: Buffer } {
    const release = releaseOf(tool);
    const file = release.member === undefined ? Buffer.from(tool) : this.#archive(release.member, tool);
    const name = release.url.split("/").at(-1) ?? "";
    const sum = createHash("sha256").update(file).digest("hex");
    const checksums: Record<string, string> = {
      pulumi: `${"0".repeat(64)}  other.tar.gz\n${sum}  ${name}\n`,
      etcd: `${sum}  ${name}\n`,
      kwok: JSON.stringify({ assets: [{ name, digest: `sha256:${sum}` }] }),
    };
    this.on(release.url, (_request, response) => response.end(file));
    this.on(release.checksums, (_request, response) => response.end(checksums[tool] ?? sum));
    return { release, file };
  }

  /** Puts a shell script on PATH. */
  program(name: string, script: string): void {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.bin, name), 0o755);
  }

  /**
   * Puts a Go on PATH that notes its arguments and the go.mod that it is given, and builds programs whose
   * content is "built".
   */
  go(): { calls: () => string[]; goMod: () => string } {
    const log = join(this.folder, "go.log");
    const mod = join(this.folder, "go.mod");
    const replaced = `[{"Old":{"Path":"k8s.io/api"},"New":{"Path":"./staging/src/k8s.io/api"}}]`;
    this.program(
      "go",
      `PATH=/usr/bin:/bin
      echo "$*" >> ${log}
      case "$1 $2" in
        "mod download") echo '{"Dir": "/nonexistent", "GoMod": "/nonexistent/go.mod"}' ;;
        "mod edit") echo '{"Go": "1.26.0", "Replace": ${replaced}}' ;;
        "list -deps") ;;
        *)
          cp go.mod ${mod}
          while [ "$1" != "-o" ]; do shift; done
          case "$2" in
            */) for package in "$@"; do echo built > "$2$(basename "$package")"; done ;;
            *) echo built > "$2" ;;
          esac ;;
      esac`,
    );
    return {
      calls: () => readFileSync(log, "utf8").trim().split("\n"),
      goMod: () => readFileSync(mod, "utf8"),
    };
  }

  #archive(member: string, content: string): Buffer {
    const folder = mkdtempSync(join(this.folder, "archive-"));
    mkdirSync(dirname(join(folder, member)), { recursive: true });
    writeFileSync(join(folder, member), content);
    return execFileSync("tar", ["-C", folder, "-cz", member]);
  }
}

/** The official release of a program for this machine. */
export function releaseOf(tool: ToolName): Release {
  const architecture: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const found = packages
    .flatMap(({ releases }) => releases(architecture))
    .find((release) => release.tool === tool);
  if (!found) throw new Error(`There is no release of ${tool}`);
  return found;
}

function realPath(name: string): string {
  return execFileSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
}
