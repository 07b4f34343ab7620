import { Database, type DatabaseTarget } from "./database/database.ts";
import { EXIT } from "./exit-status.ts";
import { Log } from "./log.ts";
import { type Role, roleStatements } from "./roles.ts";
import { Service } from "./service.ts";
import { Variables } from "./settings.ts";

const SILENCE = 30_000;
const RETRYING = 60_000;

/**
 * Makes the roles that DATABASE_URL and TOUCH_DATABASE_URL name, with ADMIN_DATABASE_URL, all or nothing.
 *
 * @throws WrongSettings, Failure
 */
export async function makeRoles(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<typeof EXIT.done> {
  const variables = new Variables(environment);
  const admin = variables.database("ADMIN_DATABASE_URL");
  const reader = roleOf(variables, "DATABASE_URL");
  const toucher = variables.has("TOUCH_DATABASE_URL") ? roleOf(variables, "TOUCH_DATABASE_URL") : undefined;
  const names = [admin.url === "" ? "" : userOf(admin), reader.name, ...(toucher ? [toucher.name] : [])];
  if (new Set(names).size < names.length)
    variables.mistakes.push(
      "ADMIN_DATABASE_URL, DATABASE_URL and TOUCH_DATABASE_URL must name roles of their own",
    );
  variables.done();
  const log = new Log(variables.secrets);
  const service = new Service("PostgreSQL", {
    silence: SILENCE,
    retrying: RETRYING,
    stop: new AbortController().signal,
  });
  await service.retrying("making the roles", async () => {
    const database = await Database.connect(admin, SILENCE);
    try {
      await database.change("BEGIN");
      for (const statement of roleStatements({ reader, ...(toucher && { toucher }) }))
        await database.change(statement);
      await database.change("COMMIT");
    } finally {
      await database.close();
    }
  });
  log.info("roles made", { reader: reader.name, toucher: toucher?.name });
  return EXIT.done;
}

function roleOf(variables: Variables, name: string): Role {
  const target = variables.database(name);
  if (!URL.canParse(target.url)) return { name: "", password: "" };
  const role = { name: userOf(target), password: decodeURIComponent(new URL(target.url).password) };
  if (role.name === "" || role.password === "") variables.mistakes.push(`${name} names no user and password`);
  return role;
}

function userOf({ url }: DatabaseTarget): string {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).username) : "";
}
