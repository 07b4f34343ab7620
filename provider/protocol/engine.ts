import { Client, credentials } from "@grpc/grpc-js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";

export type Severity = "debug" | "info" | "warning" | "error";

const SEVERITIES = {
  debug: enginePb.LogSeverity.DEBUG,
  info: enginePb.LogSeverity.INFO,
  warning: enginePb.LogSeverity.WARNING,
  error: enginePb.LogSeverity.ERROR,
} satisfies Record<Severity, number>;

/** How long the engine may take to take a line, in milliseconds. */
const PATIENCE = 5_000;

/** The engine's side of the connection: what a plugin can tell the person who looks on. */
export class Engine {
  readonly #client: Client;
  /** Lines that the engine has not taken yet. */
  readonly #underWay = new Set<Promise<void>>();

  /** @param address host and port, the plugin's first argument. */
  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  /** Says something that stays in the resource's diagnostics. */
  log(severity: Severity, urn: string, message: string): void {
    this.#send(severity, urn, message, false);
  }

  /** Says something that stands beside the resource until the next such line. */
  status(severity: Severity, urn: string, message: string): void {
    this.#send(severity, urn, message, true);
  }

  /**
   * Waits until the engine has taken every line. A call is answered only then: with its last answer the engine may
   * be done, and what comes later is lost.
   */
  async heard(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #send(severity: Severity, urn: string, message: string, ephemeral: boolean): void {
    const request = new enginePb.LogRequest();
    request.setSeverity(SEVERITIES[severity]);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    const taken = new Promise<void>((resolve) => {
      this.#client.makeUnaryRequest(
        "/pulumirpc.Engine/Log",
        (log: typeof request) => Buffer.from(log.serializeBinary()),
        () => undefined,
        request,
        { deadline: Date.now() + PATIENCE },
        // A line that the engine does not take is no reason to fail.
        () => {
          resolve();
        },
      );
    });
    this.#underWay.add(taken);
    void taken.then(() => this.#underWay.delete(taken));
  }
}
