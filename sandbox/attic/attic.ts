import type { Pool } from "pg";
import type { Config } from "./config/load.ts";
import { connect } from "./database/connect.ts";
import { openStore, type Store } from "./storage/store.ts";

/** What every part of the server works with. */
export interface Attic {
  config: Config;
  database: Pool;
  store: Store;
}

export async function openAttic(config: Config): Promise<Attic> {
  const store = await openStore(config.storage);
  return { config, store, database: await connect(config.databaseUrl) };
}
