import { spawnSync } from "node:child_process";
import { Command } from "./command.ts";

/** Variables by which programs that look at them find no way out. */
const NOWHERE = {
  ...Object.fromEntries(
    ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "SANDBOX_MIRROR"].map((name) => [
      name,
      "http://127.0.0.1:9",
    ]),
  ),
  GOPROXY: "off",
  GOTOOLCHAIN: "local",
};

/** A place on this machine from which nothing but the machine itself can be reached. */
export interface NoNetwork {
  /** What a command line has to begin with to run there. */
  prefix: readonly string[];
  env: Readonly<Record<string, string>>;
  close(): void;
}

/**
 * A network namespace that holds nothing but its own loopback interface; where this user may not make one,
 * variables that lead nowhere have to do.
 */
export async function noNetwork(): Promise<NoNetwork> {
  const loopback = "ip link set lo up";
  if (spawnSync("unshare", ["-rn", "sh", "-c", `${loopback} && command -v nsenter`]).status !== 0) {
    return { prefix: [], env: NOWHERE, close: () => undefined };
  }
  const holder = new Command("unshare", [
    "-rn",
    "sh",
    "-c",
    `${loopback} && echo ready && exec sleep infinity`,
  ]);
  await holder.untilPrinted(/ready/);
  return {
    prefix: ["nsenter", "--target", String(holder.pid), "--user", "--net", "--preserve-credentials"],
    env: {},
    close: () => {
      holder.kill();
    },
  };
}
