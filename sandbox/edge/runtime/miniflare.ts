import * as miniflare from "miniflare";
import type { Readable } from "node:stream";
import type { Module } from "./modules.ts";

/** A Worker as miniflare takes it, as far as it is used here: its own types need a package that is not installed. */
export interface Worker {
  name: string;
  compatibilityDate?: string;
  compatibilityFlags?: string[];
  modulesRoot?: string;
  modules?: Module[];
  script?: string;
  /** By the name of the binding the id of a bucket. */
  r2Buckets?: Record<string, string>;
  bindings?: Record<string, unknown>;
  serviceBindings?: Record<string, (request: Request) => Promise<Response>>;
  wrappedBindings?: Record<string, { scriptName: string; bindings: Record<string, string> }>;
  unsafeDirectSockets?: { host: string; port: number; entrypoint?: string }[];
}

export interface WorkerdOptions {
  workers: Worker[];
  /** Folder of the buckets; without one they are gone at the end. */
  r2Persist?: string;
  /** Whether what Workers print is thrown away. */
  silent?: boolean;
}

/** A running workerd. */
export interface Workerd {
  ready: Promise<unknown>;
  setOptions(options: unknown): Promise<void>;
  /** Asks the first of the Workers. */
  dispatchFetch(url: string): Promise<Response>;
  dispose(): Promise<void>;
}

/** Starts workerd; it runs when `ready` is. */
export function startWorkerd(options: WorkerdOptions): Workerd {
  return new miniflare.Miniflare(toMiniflare(options));
}

/** Starts it anew with other Workers. */
export async function restartWorkerd(workerd: Workerd, options: WorkerdOptions): Promise<void> {
  await workerd.setOptions(toMiniflare(options));
}

function toMiniflare({ silent = false, ...options }: WorkerdOptions): never {
  const swallow = (stdout: Readable, stderr: Readable) => {
    stdout.resume();
    stderr.resume();
  };
  const log = silent ? new miniflare.NoOpLog() : new miniflare.Log(miniflare.LogLevel.WARN);
  const all = { log, host: "127.0.0.1", port: 0, cf: false, ...options };
  return (silent ? { ...all, handleRuntimeStdio: swallow } : all) as never;
}
