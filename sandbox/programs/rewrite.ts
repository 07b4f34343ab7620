import { join, relative } from "node:path";
import type { Mount } from "./volumes.ts";

/** A host and a port on this machine. */
export interface Address {
  host: "127.0.0.1" | "localhost";
  port: number;
}

/**
 * Where a path of a container is on this machine: in a mounted volume, else in a folder that stands for the container's
 * own files.
 */
export function hostPath(path: string, mounts: readonly Mount[], root: string): string {
  for (const mount of mounts) {
    const rest = relative(mount.path, path);
    if (rest === "") return mount.target;
    if (!rest.startsWith("../") && rest !== "..") return join(mount.target, rest);
  }
  return join(root, path);
}

/**
 * Replaces the paths of mounted volumes in an argument or a variable by their folders on this machine: where the text is
 * such a path, and where one follows an equals sign, a colon, a comma, a quote or a blank, as in `-c hba_file=/etc/…` or
 * `?sslrootcert=/etc/…`.
 *
 * @param write how a path of this machine is written in such a text.
 */
export function rewritePaths(
  text: string,
  mounts: readonly Mount[],
  write: (path: string) => string = (path) => path,
): string {
  if (mounts.length === 0) return text;
  const paths = mounts.map(({ path }) => escape(path)).join("|");
  const pattern = new RegExp(`(?<=^|[=:,;"'\\s])(${paths})(?=$|[/:,;&?"'\\s])`, "g");
  return text.replace(pattern, (path) => {
    const target = mounts.find((mount) => mount.path === path)?.target;
    return target === undefined ? path : write(target);
  });
}

/** The same for each variable of an environment. */
export function rewriteValues(
  env: Readonly<Record<string, string>>,
  mounts: readonly Mount[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, rewritePaths(value, mounts)]));
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** The ports of the schemes that addresses in a stack have. */
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, postgres: 5432, postgresql: 5432 };

/** The parts of a URL that say where it leads; undefined where the text is no URL with a host. */
export function placeOf(url: string): { scheme: string; host: string; port: number } | undefined {
  const { scheme, host, port } = URL_PARTS.exec(url)?.groups ?? {};
  if (scheme === undefined || host === undefined) return undefined;
  return { scheme, host: host.toLowerCase(), port: Number(port ?? PORTS[scheme] ?? 0) };
}

const URL_PARTS =
  /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<user>[^/?#@]*@)?(?<host>[^/?#@:]+|\[[0-9a-fA-F:.]+\])(?::(?<port>\d+))?(?<rest>[/?#].*)?$/s;

/** A URL with another address; everything else in it, to the letter, stays. TLS ends before what is on this machine. */
export function withAddress(url: string, { host, port }: Address): string {
  const { scheme = "", user = "", rest = "" } = URL_PARTS.exec(url)?.groups ?? {};
  return `${scheme === "https" ? "http" : scheme}://${user}${host}:${port}${rest}`;
}

/** A path as it can stand in a URL. */
export function inUrl(path: string): string {
  return encodeURIComponent(path).replaceAll("%2F", "/");
}

/** A URL with another value of a parameter; one that does not have the parameter stays as it is. */
export function withParameter(url: string, name: string, value: string): string {
  return url.replace(new RegExp(`(?<=[?&]${escape(name)}=)[^&#]*`), () => inUrl(value));
}
