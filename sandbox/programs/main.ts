// The daemon that makes a sandbox's pods answer: `main.ts SANDBOX-FOLDER --versitygw PATH [--atticd PATH]`.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stopDaemons } from "../support/daemon.ts";
import { Controller } from "./controller.ts";
import { programsFolder } from "./index.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { versitygw: { type: "string" }, atticd: { type: "string" }, sources: { type: "string" } },
});
const [sandbox = ""] = positionals;
const folder = programsFolder(sandbox);
await mkdir(folder, { recursive: true, mode: 0o700 });
// What a daemon left that was killed: nobody else looks after it any more.
await stopDaemons(folder);
const controller = await Controller.in({
  sandbox,
  folder,
  tools: {
    versitygw: values.versitygw ?? "",
    atticd:
      values.atticd === undefined
        ? [process.execPath, join(import.meta.dirname, "../attic/main.ts")]
        : [values.atticd],
  },
});
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    void controller.stop();
  });
}
await controller.run();
process.exit();
