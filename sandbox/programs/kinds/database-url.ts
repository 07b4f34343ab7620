import type { PodContainer } from "../container.ts";
import type { Endpoint, Surroundings } from "../program.ts";
import { inUrl, rewritePaths, withAddress, withParameter } from "../rewrite.ts";

/**
 * A database's URL on this machine. The name is one that the server's certificate is for, whoever made it.
 *
 * @param after what has to answer first, to which the database is added.
 */
export function localDatabaseUrl(
  url: string,
  it: PodContainer,
  around: Surroundings,
  after: Endpoint[],
): string {
  const database = around.database(url);
  after.push(database);
  const moved = rewritePaths(withAddress(url, { ...database.address, host: "localhost" }), it.mounts, inUrl);
  return database.certificate === undefined
    ? moved
    : withParameter(moved, "sslrootcert", database.certificate);
}
