import type { AtticClient } from "../../components/attic/client.ts";
import { endpointFault, withSlash } from "../../components/attic/endpoint.ts";
import type { TokenKey } from "../../components/attic/token.ts";
import type { Tunnel } from "../../components/attic/tunnel.ts";
import type { Engine } from "../protocol/engine.ts";

/** What the provider was told, and the way to the server, which is opened when it is first needed. */
export class Connection {
  readonly engine: Engine;
  readonly key: TokenKey;
  /** Tells one database of the server from another. */
  readonly database: string | undefined;
  /** Whether the server keeps the records of deleted caches, whose names cannot be used again. */
  readonly softDeletes: boolean;
  /** Names of the caches that a resource got in this run: whichever had one before must not delete it any more. */
  readonly taken = new Set<string>();
  readonly #cancelling = new AbortController();
  readonly #waits: readonly number[] | undefined;
  readonly #variables: ReadonlyMap<string, string>;
  #client: Promise<AtticClient> | undefined;

  /** @param waits between tries, in milliseconds, for tests. */
  constructor(variables: ReadonlyMap<string, string>, engine: Engine, waits?: readonly number[]) {
    this.#variables = variables;
    this.#waits = waits;
    this.engine = engine;
    this.database = this.#variable("database");
    this.softDeletes = this.#variable("softDeleteCaches") === "true";
    this.key = {
      algorithm: this.#required("algorithm") === "HS256" ? "HS256" : "RS256",
      secret: this.#required("signingKey"),
    };
  }

  /**
   * The server's configuration API, as its administrator. `ATTIC_SERVER_URL` and `ATTIC_ADMIN_TOKEN` come before
   * what the stack says. What makes it is loaded when it is asked for first: most runs ask the server for nothing.
   */
  async client(): Promise<AtticClient> {
    this.#client ??= this.#open();
    return await this.#client;
  }

  /** Ends all that is under way with the server, and all that waits for it. */
  cancel(): void {
    this.#cancelling.abort();
  }

  async #open(): Promise<AtticClient> {
    const { adminToken } = await import("../../components/attic/admin-token.ts");
    const { AtticClient } = await import("../../components/attic/client.ts");
    const url = fromEnvironment("ATTIC_SERVER_URL");
    const given = fromEnvironment("ATTIC_ADMIN_TOKEN");
    if (given !== "" && !SENDABLE.test(given))
      throw new Error("ATTIC_ADMIN_TOKEN is not a token: it has characters that no token has.");
    const audience = this.#variable("audience");
    const issuer = this.#variable("issuer");
    const token =
      given === ""
        ? adminToken(this.key, {
            ...(issuer !== undefined && { issuer }),
            ...(audience !== undefined && { audiences: [audience] }),
          })
        : () => given;
    const endpoint =
      url === "" ? address("endpoint", this.#required("endpoint")) : address("ATTIC_SERVER_URL", url);
    const tunnel = url === "" ? await this.#tunnel() : undefined;
    const set = [...(url === "" ? [] : ["ATTIC_SERVER_URL"]), ...(given === "" ? [] : ["ATTIC_ADMIN_TOKEN"])];
    if (set.length > 0)
      this.engine.log(
        "info",
        "",
        `${set.join(" and ")} ${set.length > 1 ? "come" : "comes"} from the environment, before what the stack says.`,
      );
    return new AtticClient({
      endpoint,
      token,
      signal: this.#cancelling.signal,
      ...(tunnel && { tunnel }),
      ...(this.#waits && { waits: this.#waits }),
    });
  }

  async #tunnel(): Promise<Tunnel | undefined> {
    const namespace = this.#variable("tunnelNamespace");
    const service = this.#variable("tunnelService");
    if (namespace === undefined || service === undefined) return undefined;
    const { Tunnel } = await import("../../components/attic/tunnel.ts");
    const kubeconfig = this.#variable("kubeconfig");
    const context = this.#variable("context");
    return new Tunnel({
      namespace,
      service,
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
    });
  }

  #variable(name: string): string | undefined {
    return this.#variables.get(`attic:config:${name}`);
  }

  #required(name: string): string {
    const value = this.#variable(name);
    if (value === undefined)
      throw new Error(`The provider attic needs ${name}: give its resources a provider that has it.`);
    return value;
  }
}

/** What may stand in a header as a token (RFC 6750, section 2.1). */
const SENDABLE = /^[A-Za-z0-9._~+/-]+=*$/;

/** A file that such a value is read from ends in a line break. */
function fromEnvironment(name: "ATTIC_SERVER_URL" | "ATTIC_ADMIN_TOKEN"): string {
  return (process.env[name] ?? "").trim();
}

/** @returns the address with its slash at the end. */
function address(name: string, url: string): string {
  const fault = endpointFault(url);
  if (fault !== undefined) throw new Error(`${name} ${fault}`);
  return withSlash(url);
}
