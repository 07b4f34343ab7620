import type { Platform } from "../platform/index.ts";
import { required, type StackSettings } from "../settings/index.ts";
import type { Database } from "./database.ts";
import { ExistingDatabase } from "./existing.ts";
import { Postgres } from "./postgres.ts";

export { type Database, DATABASE_CA_FILE, DATABASE_CA_FOLDER, DATABASE_CA_PATH } from "./database.ts";

/** Makes the database that the settings name; behind this nobody asks which kind it is. */
export function createDatabase(name: string, settings: StackSettings, platform: Platform): Database {
  const { database, server } = settings;
  switch (database.kind) {
    case "postgres":
      return new Postgres(`${name}-postgres`, { platform, settings: database, replicas: server.replicas });
    case "existing": {
      const url = required(settings, "databaseUrl");
      return new ExistingDatabase(`${name}-database`, { platform, settings: database, url });
    }
  }
}
