import pulumi from "@pulumi/pulumi";

/**
 * What tells one database from another, and nothing that is secret: neither its user nor its password.
 *
 * @throws pulumi.RunError that does not quote the URL, as Node's own error does.
 */
export function placeOf(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl))
    throw new pulumi.RunError(
      "The URL of Attic's database cannot be read. It has to be one such as postgres://user:password@host:5432/attic; what is none of A-Z, a-z, 0-9, -, . and _ in the user or the password is written with %, such as %2F for a slash.",
    );
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}
