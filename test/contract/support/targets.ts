import { after } from "mocha";
import { UserError } from "../../../sandbox/support/user-error.ts";
import { type AtticOptions, KEY_VARIABLES, startAttic } from "../../support/attic-server.ts";
import { Postgres } from "../../support/postgres.ts";
import { S3Server } from "../../support/s3-server.ts";
import type { Server } from "./contract.ts";

export interface Target {
  name: string;
  /** @throws UserError where what it takes cannot be had here; then its tests are skipped. */
  open: () => Promise<Server>;
}

/** The one server that the environment names, else servers of our own, in every way that matters. */
export function targets(): readonly Target[] {
  const { ATTIC_SERVER_URL: url } = process.env;
  return url === undefined || url === "" ? OWN : [{ name: url, open: () => Promise.resolve(named(url)) }];
}

function named(url: string): Server {
  for (const algorithm of ["RS256", "HS256"] as const) {
    const secret = process.env[KEY_VARIABLES[algorithm]];
    if (secret === undefined || secret === "") continue;
    const { CONTRACT_ISSUER: issuer, CONTRACT_AUDIENCE: audience } = process.env;
    return {
      url: url.endsWith("/") ? url : `${url}/`,
      key: { algorithm, secret },
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
  }
  throw new UserError(`Set one of ${Object.values(KEY_VARIABLES).join(" and ")} to the key of ${url}.`);
}

const ISSUER = "https://issuer.example.com";
const AUDIENCE = "attic";

const OWN: readonly Target[] = [
  own("RS256, local store", () => Promise.resolve({ algorithm: "RS256" }), { softDeletion: false }),
  own(
    "HS256, local store, soft deletion, bound issuer and audience",
    () =>
      Promise.resolve({
        algorithm: "HS256",
        toml: {
          "soft-delete-caches": true,
          jwt: { "token-bound-issuer": ISSUER, "token-bound-audiences": ["somebody", AUDIENCE] },
        },
      }),
    { softDeletion: true, issuer: ISSUER, audience: AUDIENCE },
  ),
  own("RS256, S3 store", async () => ({ storage: await s3() }), { softDeletion: false }),
];

/** What was started, in its order; it is stopped the other way round when the last test has run. */
const started: { stop(): Promise<void> }[] = [];

after(async () => {
  for (const each of started.splice(0).reverse()) await each.stop();
});

const postgres = once(async () => remember(await Postgres.start()));
const s3 = once(async () => remember(await S3Server.start()));

function own(name: string, options: () => Promise<AtticOptions>, facts: Partial<Server>): Target {
  const open = once(async () => {
    const chosen = await options();
    const { url, key } = remember(await startAttic({ ...chosen, postgres: await postgres() }));
    return { url, key, ...facts };
  });
  return { name, open };
}

function remember<T extends { stop(): Promise<void> }>(it: T): T {
  started.push(it);
  return it;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
