import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** Stands before a server of any protocol, and passes on, hangs, or cuts. */
export class TcpProxy {
  /** Once this many bytes of answers have passed, what follows is lost. */
  hangsAfter = Infinity;
  /** Once this many bytes of answers have passed, the connection is cut. */
  cutsAfter = Infinity;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #passed = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(port: number): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new TcpProxy(server);
    server.on("connection", (client) => {
      proxy.#join(client, connect(port, "127.0.0.1"));
    });
    return proxy;
  }

  /** Passes everything on from now on. */
  mend(): void {
    this.hangsAfter = Infinity;
    this.cutsAfter = Infinity;
    this.#passed = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, server: Socket): void {
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one
        .on("error", () => undefined)
        .on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
    }
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      this.#passed += bytes.length;
      if (this.#passed > this.cutsAfter) client.destroy();
      else if (this.#passed <= this.hangsAfter) client.write(bytes);
    });
  }
}
