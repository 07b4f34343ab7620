import { createHash } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { getuid } from "node:process";

/**
 * Runs `work` while no other process of this user runs work under the same name on this machine.
 *
 * The lock is a Unix socket in Linux' abstract namespace, not a file: the kernel drops it at the very moment
 * its holder ends, however it ends, so a lock that a killed process left behind cannot exist, and who waits
 * is woken by the closing of its connection.
 *
 * @param name what is locked, for example the path of the folder that only one process may write.
 * @param waiting is called once, with the process id of the holder, when the lock has to be waited for.
 */
export async function withLock<T>(name: string, waiting: (pid: number) => void, work: () => Promise<T>) {
  // Such a socket's name may have 107 bytes: the hash keeps any path within that.
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 40);
  const address = `\0attic-stack/${getuid?.() ?? 0}/${digest}`;
  let told = false;
  for (;;) {
    const server = await tryListen(address);
    if (server) {
      try {
        return await work();
      } finally {
        await new Promise<void>((resolve) => {
          server.release(resolve);
        });
      }
    }
    await untilReleased(address, (pid) => {
      if (!told) waiting(pid);
      told = true;
    });
  }
}

interface Held {
  release(done: () => void): void;
}

/** Takes the lock, or gives undefined where another process has it. */
async function tryListen(address: string): Promise<Held | undefined> {
  const waiters = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    waiters.add(socket);
    socket.on("error", () => undefined).on("close", () => waiters.delete(socket));
    socket.write(`${process.pid}\n`);
  });
  return await new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      resolve({
        release: (done) => {
          server.close(() => {
            done();
          });
          for (const socket of waiters) socket.destroy();
        },
      });
    });
  });
}

/** Connects to the holder, tells its process id, and returns when the holder lets go or is gone. */
async function untilReleased(address: string, holder: (pid: number) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(address);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      holder(Number.parseInt(text, 10));
    });
    // An error means that the holder ended between our two calls: the loop tries again.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve();
    });
  });
}
