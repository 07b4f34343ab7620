// The daemon that plays Cloudflare for a sandbox: `main.ts SANDBOX-FOLDER`.
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stopDaemons } from "../support/daemon.ts";
import { writeFileAtomically } from "../support/files.ts";
import { apiServer, BASE_PATH } from "./api/server.ts";
import { hashOf } from "./api/tokens.ts";
import { Edge } from "./edge.ts";
import { edgeFolder, portsOf, tokenOf } from "./index.ts";

const { positionals } = parseArgs({ allowPositionals: true, options: { sources: { type: "string" } } });
const [sandbox = ""] = positionals;
const folder = edgeFolder(sandbox);
// The workerd of a daemon that was killed goes on, and has the buckets open.
await stopDaemons(folder);
const ports = await portsOf(folder);
const edge = await Edge.open(folder, ports);
const server = apiServer(edge, hashOf(await tokenOf(folder)), (line) => {
  console.log(line);
});
// The one that was told, unless somebody has taken it since.
const port = await ports.provide("api");

const tell = async () => {
  const addresses = {
    api: `http://127.0.0.1:${port}${BASE_PATH}`.replace(/\/$/, ""),
    s3: `http://127.0.0.1:${edge.s3Port}`,
    workers: edge.workers(),
  };
  await writeFileAtomically(join(sandbox, "edge.json"), `${JSON.stringify(addresses, null, 2)}\n`, 0o644);
};
edge.changed = tell;
await tell();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    void edge.close().then(() => process.exit(0));
  });
}
// Whoever gets an answer finds the addresses there.
server.listen(port, "127.0.0.1");
await once(server, "listening");
