import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { anyFreePort } from "../../sandbox/support/port.ts";
import { Progress } from "../../sandbox/support/progress.ts";
import { provideTools } from "../../sandbox/toolchain/index.ts";
import { Background } from "./background.ts";

const REGION = "us-east-1";
const BUCKET = "attic";

/** A real S3 server with one bucket, in a temporary folder. */
export class S3Server {
  readonly endpoint: string;
  readonly region = REGION;
  readonly bucket = BUCKET;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly #server: Background;
  readonly #folder: string;

  private constructor(server: Background, folder: string, endpoint: string, keys: readonly [string, string]) {
    this.#server = server;
    this.#folder = folder;
    this.endpoint = endpoint;
    [this.accessKeyId, this.secretAccessKey] = keys;
  }

  static async start(): Promise<S3Server> {
    const { versitygw } = await provideTools(["versitygw"], new Progress());
    const folder = mkdtempSync(join(tmpdir(), "attic-stack-s3-"));
    await mkdir(join(folder, "data", BUCKET), { recursive: true });
    await mkdir(join(folder, "metadata"));
    const port = await anyFreePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const keys = [randomBytes(10).toString("hex"), randomBytes(20).toString("hex")] as const;
    const server = await Background.start({
      command: versitygw,
      // Metadata of its own, because not every temporary folder has extended attributes.
      args: ["posix", "--sidecar", join(folder, "metadata"), join(folder, "data")],
      env: {
        VGW_PORT: `127.0.0.1:${port}`,
        VGW_REGION: REGION,
        VGW_HEALTH: "/_/health",
        VGW_QUIET: "true",
        ROOT_ACCESS_KEY_ID: keys[0],
        ROOT_SECRET_ACCESS_KEY: keys[1],
      },
      ready: async () => {
        const { status } = await fetch(`${endpoint}/_/health`);
        if (status !== 200) throw new Error(`it answers ${status}`);
      },
    });
    return new S3Server(server, folder, endpoint, keys);
  }

  /** The keys of everything in the bucket. */
  async keys(): Promise<string[]> {
    const names = await readdir(join(this.#folder, "data", BUCKET));
    return names.filter((name) => !name.startsWith(".")).sort();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
