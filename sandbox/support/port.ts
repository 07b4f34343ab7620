import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { hasCode } from "./files.ts";

/** A port on 127.0.0.1 that nobody listens on. It is not kept: who uses it must be ready to lose it. */
export async function anyFreePort(): Promise<number> {
  const port = await listen(0);
  if (port === undefined) throw new Error("There is no free port on 127.0.0.1");
  return port;
}

/** Whether nobody listens on that port of 127.0.0.1 and we may. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

async function listen(port: number): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      if (hasCode(error, "EADDRINUSE", "EACCES")) resolve(undefined);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === "object" ? address?.port : undefined);
      });
    });
  });
}

/**
 * Who listens on a port of this machine, such as "nginx (process 4711)", for messages. Processes of other
 * users do not show what they have open, so the answer may be "another program".
 */
export async function holderOf(port: number): Promise<string> {
  const inodes = new Set((await Promise.all(["tcp", "tcp6"].map((kind) => listeners(kind, port)))).flat());
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => "");
      if (!inodes.has(/^socket:\[(\d+)\]$/u.exec(target)?.[1] ?? "")) continue;
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      return `${name.trim()} (process ${pid})`;
    }
  }
  return "another program";
}

/** The inodes of sockets that listen on a port: columns 2, 4 and 10 of /proc/net/tcp, see proc_net(5). */
async function listeners(kind: string, port: number): Promise<string[]> {
  const table = await readFile(`/proc/net/${kind}`, "utf8").catch(() => "");
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, "0");
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/u))
    .filter((column) => column[1]?.endsWith(`:${hexadecimal}`) && column[3] === "0A")
    .flatMap((column) => column[9] ?? []);
}
