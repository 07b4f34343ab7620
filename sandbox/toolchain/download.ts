import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Say } from "../support/progress.ts";

/** After how many milliseconds a host that does not answer, or a download that does not go on, is given up. */
export interface Limits {
  probe: number;
  stall: number;
}

const LIMITS: Limits = { probe: 3_000, stall: 20_000 };
/** How often progress is told, in milliseconds: in a log every time is a line. */
const TELL = 2_000;
const MEGABYTE = 1_000_000;

/** A file that cannot be had from where it is published, with the reason; another way may still lead to it. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
}

/**
 * Downloads a file and checks it.
 *
 * @param expected its SHA-256 in lower-case hex.
 * @param path where it goes; what stands there after a failure is worth nothing.
 * @throws DownloadError where it cannot be had, is cut off, or has another checksum.
 */
export async function download(
  url: string,
  expected: string,
  path: string,
  say: Say,
  limits: Limits = LIMITS,
): Promise<void> {
  const body = await get(url, limits);
  const hash = createHash("sha256");
  let received = 0;
  let told = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      received += chunk.length;
      body.alive();
      if (performance.now() - told > TELL) {
        told = performance.now();
        say(`downloading, ${megabytes(received)} of ${body.size > 0 ? megabytes(body.size) : "?"} MB`);
      }
      done(undefined, chunk);
    },
  });
  try {
    await pipeline(body.stream, meter, createWriteStream(path, { mode: 0o755 }));
  } catch (error) {
    // A disk that is full is no fault of the network.
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") throw error;
    throw new DownloadError(`${url} was cut off after ${megabytes(received)} MB (${reason(error)})`);
  } finally {
    body.done();
  }
  const actual = hash.digest("hex");
  if (actual !== expected) {
    throw new DownloadError(`${url} has the SHA-256 ${actual}, and ${expected} is published`);
  }
}

/**
 * The SHA-256 of a file as it is published.
 *
 * @param url of a list as `sha256sum` writes it, of a file that holds nothing but the sum, or of GitHub's
 * description of a release (https://docs.github.com/rest/releases/releases, field `assets[].digest`).
 * @param file the name that the list gives to the file.
 */
export async function publishedChecksum(url: string, file: string, limits: Limits = LIMITS): Promise<string> {
  const body = await get(url, limits);
  try {
    const text = await new Response(Readable.toWeb(body.stream) as ReadableStream).text();
    const sum = text.trimStart().startsWith("{") ? digestIn(text, file) : sumIn(text, file);
    if (sum !== undefined) return sum;
  } catch (error) {
    throw new DownloadError(`${url} could not be read (${reason(error)})`);
  } finally {
    body.done();
  }
  throw new DownloadError(`${url} holds no SHA-256 of ${file}`);
}

function sumIn(text: string, file: string): string | undefined {
  for (const line of text.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/u);
    if (sum !== undefined && /^[0-9a-f]{64}$/iu.test(sum) && (name ?? file) === file)
      return sum.toLowerCase();
  }
  return undefined;
}

function digestIn(text: string, file: string): string | undefined {
  const release = JSON.parse(text) as { assets?: { name: string; digest?: string | null }[] };
  const digest = release.assets?.find(({ name }) => name === file)?.digest;
  return digest?.startsWith("sha256:") ? digest.slice("sha256:".length) : undefined;
}

interface Body {
  stream: Readable;
  /** In bytes; 0 where the server does not say. */
  size: number;
  /** Tells that something came, which puts off giving up. */
  alive: () => void;
  done: () => void;
}

async function get(official: string, limits: Limits): Promise<Body> {
  const url = mirrored(official);
  await reachable(new URL(url).origin, limits.probe);
  const abort = new AbortController();
  const timer = setTimeout(() => {
    abort.abort(new DownloadError(`nothing came for ${limits.stall / 1000} s`));
  }, limits.stall);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new DownloadError(`${url} answers ${response.status}`);
    }
    return {
      stream: Readable.fromWeb(response.body),
      size: Number(response.headers.get("content-length") ?? 0),
      alive: () => {
        timer.refresh();
      },
      done: () => {
        clearTimeout(timer);
      },
    };
  } catch (error) {
    clearTimeout(timer);
    throw error instanceof DownloadError ? error : new DownloadError(`${url}: ${reason(error)}`);
  }
}

const probes = new Map<string, Promise<void>>();

/**
 * Asks a host once whether it answers at all, however many files are wanted from it, so that a machine
 * without a network waits once and not for every file.
 */
async function reachable(origin: string, patience: number): Promise<void> {
  let probe = probes.get(origin);
  if (!probe) {
    probe = fetch(origin, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(patience) }).then(
      () => undefined,
      (error: unknown) => {
        throw new DownloadError(`${origin} cannot be reached (${reason(error)})`);
      },
    );
    probes.set(origin, probe);
  }
  await probe;
}

/**
 * The address to fetch in place of the official one: below `SANDBOX_MIRROR`, where that is set, every
 * official file stands under its host's name, such as `SANDBOX_MIRROR/dl.k8s.io/release/...`.
 */
function mirrored(official: string): string {
  const mirror = process.env.SANDBOX_MIRROR;
  return mirror ? official.replace("https:/", mirror.replace(/\/$/u, "")) : official;
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(0);
}

/** What is at the root of a failed fetch: undici says only "fetch failed" and keeps the reason below. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? error.message : reason(error.cause);
}
