import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { CacheStack } from "./cache-stack.ts";
import type { Proxy } from "./proxy.ts";

interface Moments {
  random: () => number;
  /** How long the whole command takes, in milliseconds. */
  whole: number;
  /** How many calls it makes at most before it is killed by their number. */
  calls: number;
}

/**
 * Runs a command and kills it: at any time, or when it has asked the server a number of things, which is when most
 * happens; with all that it has started, or without the plugin, which then has a while to go on.
 *
 * @returns false where it has ended before.
 */
export async function killedAtRandom(
  stack: CacheStack,
  proxy: Proxy,
  args: readonly string[],
  { random, whole, calls: most }: Moments,
): Promise<boolean> {
  proxy.forget();
  const command = await stack.command(...args);
  const after = random() * whole;
  const calls = random() < 0.2 ? undefined : Math.ceil(random() * most);
  const withPlugins = random() < 0.75;
  const pause = random() * 20;
  const began = performance.now();
  const isTime = () => (calls === undefined ? performance.now() - began > after : proxy.seen.length >= calls);
  while (!command.hasEnded && !isTime()) await sleep(1);
  if (calls !== undefined) await sleep(pause);
  const pids = withPlugins ? await stack.processes() : [command.pid];
  for (const pid of command.hasEnded ? [] : pids) kill(pid);
  const { code, stdout, stderr } = await command.result;
  assert.ok(code === 0 || code === null, stdout + stderr);
  return code === null;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
