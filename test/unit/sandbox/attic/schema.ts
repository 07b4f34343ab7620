import { query } from "../../../support/postgres.ts";

/** What makes two databases the same to who works with them. */
export interface Schema {
  /** `table.column`, its type, whether it may be null, and its default. */
  columns: string[];
  /** As PostgreSQL writes indexes and constraints. */
  indexes: string[];
  constraints: string[];
  migrations: string[];
}

/** Reads a database's tables; in no order that depends on how they came to be. */
export async function readSchema(url: string): Promise<Schema> {
  const read = async (sql: string) =>
    (await query<{ line: string }>(url, sql)).map(({ line }) => line).sort();
  return {
    columns: await read(
      `SELECT concat_ws(' ', table_name || '.' || column_name, data_type, character_maximum_length,
         CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'not null' END, column_default) AS line
       FROM information_schema.columns WHERE table_schema = 'public'`,
    ),
    indexes: await read(`SELECT indexdef AS line FROM pg_indexes WHERE schemaname = 'public'`),
    constraints: await read(
      `SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) AS line
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'`,
    ),
    migrations: await read("SELECT version AS line FROM seaql_migrations"),
  };
}
