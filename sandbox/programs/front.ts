import { connect, createServer, type Server, type Socket } from "node:net";
import type { Ports } from "./ports.ts";

/**
 * One port for all pods of a workload, which come and go: what a Service is inside a cluster. A connection goes to the
 * next of those that answer, and is closed where none does.
 */
export class Front {
  readonly #targets: () => readonly number[];
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #turn = 0;

  private constructor(targets: () => readonly number[]) {
    this.#targets = targets;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      this.#serve(socket);
    });
  }

  /** @param targets the ports of those that answer. */
  static async open(name: string, ports: Ports, targets: () => readonly number[]): Promise<Front> {
    for (;;) {
      const front = new Front(targets);
      const port = await ports.provide(name);
      // Between the choice of a port and its use somebody else may take it.
      if (await front.#listen(port)) return front;
    }
  }

  async #listen(port: number): Promise<boolean> {
    return await new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "EADDRINUSE") resolve(false);
        else reject(error);
      });
      this.#server.listen(port, "127.0.0.1", () => {
        resolve(true);
      });
    });
  }

  #serve(client: Socket): void {
    const targets = this.#targets();
    this.#turn += 1;
    const order = targets.map((_, index) => targets[(this.#turn + index) % targets.length] ?? 0);
    this.#keep(client);
    const attempt = () => {
      const port = order.shift();
      if (port === undefined) {
        client.destroy();
        return;
      }
      const server = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
      server.once("error", attempt);
      server.once("connect", () => {
        server.off("error", attempt);
        this.#keep(server);
        client.pipe(server).pipe(client);
        // One that breaks takes the other with it.
        client.once("close", () => server.destroy());
        server.once("close", () => client.destroy());
      });
    };
    attempt();
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => socket.destroy()).once("close", () => this.#open.delete(socket));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}
