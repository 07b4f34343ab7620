// The first thing that `npm start`, `npm test` and the others run: plain JavaScript for Node 20, with no
// dependency. It installs the project's packages where they are missing or old, then goes on with the Node
// that the project pins (the npm package `node`), whatever Node the machine has.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, "node_modules/node/bin/node");
const stamp = join(root, "node_modules/.attic-stack-lock");
const lock = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

function installed() {
  return existsSync(node) && existsSync(stamp) && readFileSync(stamp, "utf8") === lock;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

if (process.platform !== "linux") {
  fail(
    `The sandbox runs on Linux only, and this is ${process.platform}. The stack itself runs anywhere: see "With the plain CLI" in README.md.`,
  );
}
if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`Node 20 or later is needed to begin, and this is ${process.versions.node}. Install a newer Node.js.`);
}

if (!installed()) {
  console.error("  … npm packages: npm ci (about a minute)");
  const ci = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (ci.status !== 0 || !existsSync(node)) {
    fail("The project's npm packages could not be installed: see what npm says above, then run this again.");
  }
  writeFileSync(stamp, lock);
  console.error("  ✓ npm packages");
}

// The same limit as in Pulumi.yaml: the program runs in this process too.
const child = spawn(
  node,
  ["--max-semi-space-size=8", join(root, "sandbox/main.ts"), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
// The terminal sends its signals to the child too; what another process sends to this one is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
