// Starts a sandbox's Cloudflare, or finds it running: `start.ts SANDBOX-FOLDER`. By it the plugin starts what it needs.
import { startEdge } from "./index.ts";

try {
  await startEdge(process.argv[2] ?? "");
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
